"""deploy/ is read, not run: what it names exists, what it sets is a setting, and no secret stands in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from xportcn_server.http import MOST_BODY_BYTES, SHUTDOWN_SECONDS
from xportcn_server.settings import FIELDS, load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
SECRET = ("POSTGRES_PASSWORD", "XPORTCN_STATE_KEYS", "XPORTCN_ACCESS_SECRET")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_what_the_image_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert {"server", "tools", "prompts", "pyproject.toml", "requirements/server.txt"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source


def test_the_image_runs_as_nobody_in_particular_and_needs_no_writable_files(services: dict[str, Any]) -> None:
    last = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert last.isdigit()
    assert int(last) > 0
    assert "PYTHONDONTWRITEBYTECODE=1" in DOCKERFILE
    assert "compileall" in DOCKERFILE
    assert services["server"]["read_only"] is True
    assert services["server"]["cap_drop"] == ["ALL"]


def test_everything_pip_installs_for_the_image_has_a_hash() -> None:
    installs = re.findall(r"pip install (.+?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-deps --no-build-isolation ." in install, install


def test_three_replicas_are_set_with_settings_that_exist_and_can_be_read(services: dict[str, Any]) -> None:
    server = services["server"]
    assert server["deploy"]["replicas"] == 3
    settings = server["environment"]
    assert set(settings) <= set(FIELDS), set(settings) - set(FIELDS)
    given = {"POSTGRES_PASSWORD": "pw", "XPORTCN_STATE_KEYS": "k" * 32}
    filled = {
        name: re.sub(
            r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}", lambda found: given.get(found[1], found[2] or ""), value
        )
        for name, value in settings.items()
    }
    read = load_settings(filled, ROOT / "deploy")
    assert read.mode == "sandbox"
    assert read.ledger_url
    assert read.state_keys


def test_no_secret_stands_in_the_files(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if name in SECRET:
                assert re.fullmatch(r"\$\{\w+:[-?][^}]*\}", value), name


def test_a_replica_is_given_the_time_that_it_takes_to_end(services: dict[str, Any]) -> None:
    assert int(services["server"]["stop_grace_period"].removesuffix("s")) > SHUTDOWN_SECONDS


def test_the_proxy_passes_what_the_server_takes_and_repeats_no_post() -> None:
    assert f"client_max_body_size {MOST_BODY_BYTES // 1024}k;" in NGINX
    (rule,) = re.findall(r"proxy_next_upstream ([^;]*);", NGINX)
    assert "non_idempotent" not in rule
    assert re.search(r"proxy_read_timeout (\d+)s", NGINX)


def test_every_command_of_the_page_is_one(services: dict[str, Any]) -> None:
    from xportcn_server.cli import main

    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    for command in re.findall(r"xportcn-mcp ((?:[a-z]+ ?)+)", page):
        assert command.split()[0] in main.commands, command

"""deploy/ is read, not run: what it names exists, what it sets is a setting, and no secret stands in it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.settings import load_settings
from xportcn_server.http.application import MOST_BODY_BYTES, SHUTDOWN_SECONDS
from xportcn_server.settings.settings import FIELDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
SECRET = ("POSTGRES_PASSWORD", "XPORTCN_STATE_KEYS", "XPORTCN_ACCESS_SECRET", "PGPASSWORD")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_the_files_that_the_image_copies_exist() -> None:
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


def filled(settings: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """What Compose makes of a service's `environment`, for an owner who has set this."""
    form = r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}"
    return {
        name: re.sub(form, lambda found: given.get(found[1], found[2] or ""), value)
        for name, value in settings.items()
    }


OWNERS = {"POSTGRES_PASSWORD": "p@%zz/w", "XPORTCN_STATE_KEYS": "k" * 32}


def test_three_replicas_are_set_with_settings_that_exist_and_can_be_read(services: dict[str, Any]) -> None:
    server = services["server"]
    assert server["deploy"]["replicas"] == 3
    settings = filled(server["environment"], OWNERS)
    assert set(settings) - set(FIELDS) == {"PGPASSWORD"}
    read = load_settings(settings, ROOT / "deploy")
    assert read.mode == "sandbox"
    assert read.ledger_url
    assert OWNERS["POSTGRES_PASSWORD"] not in read.ledger_url  # where it would have to be escaped
    assert settings["PGPASSWORD"] == services["ledger"]["environment"]["POSTGRES_PASSWORD"].replace(
        "${POSTGRES_PASSWORD:?set it}", OWNERS["POSTGRES_PASSWORD"]
    )
    assert read.state_keys


def test_every_setting_of_the_owner_reaches_the_replicas_but_for_ledger_and_callers(
    services: dict[str, Any],
) -> None:
    server = services["server"]
    assert server["env_file"] == ".env"  # this form also stops the start where there is no such file
    owners = OWNERS | {
        "XPORTCN_MODE": "preview",
        "XPORTCN_ACCESS_KEY": "key",
        "XPORTCN_ACCESS_SECRET": "secret",
        "XPORTCN_USER_ID": "user",
        "XPORTCN_APPROVAL": "require",
        "XPORTCN_MAX_ORDER_CNY": "1",
        "XPORTCN_TRADE_TYPES": "alipay",
        "XPORTCN_SIGNATURE": "query",
        "XPORTCN_LOG_FORMAT": "text",
        "XPORTCN_LEDGER": "elsewhere.sqlite3",
        "XPORTCN_CALLERS": "elsewhere.toml",
    }
    read = load_settings(owners | filled(server["environment"], owners), ROOT / "deploy")
    assert (read.mode, read.approval, read.max_order_fen) == ("preview", "require", 100)
    assert (read.trade_types, read.signature, read.log_format) == (("alipay",), "query", "text")
    assert read.ledger_url
    assert "elsewhere" not in str(read.callers)


def test_the_callers_file_is_mounted_by_its_folder_and_read_by_its_owner(services: dict[str, Any]) -> None:
    server = services["server"]
    (mount,) = server["volumes"]
    callers = Path(server["environment"]["XPORTCN_CALLERS"])
    assert callers.parent == Path(mount["target"])
    assert mount["read_only"] is True
    assert mount["bind"] == {"create_host_path": False}
    users = re.findall(r"--uid (\d+)", DOCKERFILE) + re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    assert {filled({"user": server["user"]}, {})["user"]} == set(users)
    assert filled({"user": server["user"]}, {"RUN_AS": "1000"})["user"] == "1000"
    made = f"XPORTCN_CALLERS=$PWD/{Path(mount['source'])}/{callers.name} xportcn-mcp caller new"
    assert made in PAGE
    assert "RUN_AS=$(id -u)" in PAGE


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


def test_the_proxy_publishes_the_tools_their_metadata_the_page_and_messages_and_no_health() -> None:
    locations = dict(re.findall(r"location (=? ?\S+) \{ ([^}]*) \}", NGINX))
    assert locations == {
        "= /healthz": "return 404;",
        "= /readyz": "return 404;",
        "/messages/": "access_log off; error_log /dev/null; client_max_body_size 64k; proxy_pass http://xportcn;",
        "/": "proxy_pass http://xportcn;",
    }


def test_every_command_of_the_page_is_one() -> None:
    from xportcn_server.commands.cli import COMMANDS

    for command in re.findall(r"xportcn-mcp ((?:[a-z-]+ ?)+)", PAGE):
        assert command.split()[0] in COMMANDS, command


def test_every_program_that_the_page_runs_in_a_container_is_on_its_path() -> None:
    programs = set(re.findall(r"docker compose exec server (\S+)", PAGE))
    assert programs
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert programs <= set(project["scripts"])
    (path,) = re.findall(r'^ENV .*PATH="(\S+):\$PATH"', DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)
    assert re.search(rf'^ENTRYPOINT \["{path}/xportcn-mcp"\]$', DOCKERFILE, re.MULTILINE)

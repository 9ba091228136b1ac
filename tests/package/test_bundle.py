"""The bundle for Claude Desktop: packed by the official tool, unpacked, and started as a host would.

After a change of tools or prompts that is meant:
`XPORTCN_TEST_WRITE_SNAPSHOTS=1 pytest tests/package/test_bundle.py` writes them into `bundle/manifest.json`.
"""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, MutableMapping
from importlib.metadata import requires
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import TextContent

from harness.house import House, call, previewed
from xportcn_server.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "bundle" / "manifest.json"
PACKED = ROOT / "dist" / "xportcn-mcp.mcpb"
PACKER = ROOT / "build" / "node" / "node_modules" / ".bin" / "mcpb"
MOST_BYTES = 2_000_000
SECONDS = 300  # npm and uv may have to fetch everything
NO_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|dns error|error sending request|Failed to fetch"
)


def manifest() -> dict[str, Any]:
    return json.loads(MANIFEST.read_text("utf-8"))


# What it says of itself


WRITTEN_AT_CALL = {"reorder", "resolve_unknown"}
"""Prompts whose text comes out of the ledger: a manifest has no words for them, but says that there are more."""


@pytest.mark.anyio
async def test_the_manifest_lists_the_tools_and_prompts_as_the_server_does(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        tools = [
            {"name": tool.name, "description": tool.description} for tool in (await client.list_tools()).tools
        ]
        prompts: list[dict[str, Any]] = []
        offered = (await client.list_prompts()).prompts
        assert {prompt.name for prompt in offered} > WRITTEN_AT_CALL
        for prompt in offered:
            if prompt.name in WRITTEN_AT_CALL:
                continue
            names = [argument.name for argument in prompt.arguments or ()]
            got = await client.get_prompt(prompt.name, {name: f"${{arguments.{name}}}" for name in names})
            (message,) = got.messages
            assert isinstance(message.content, TextContent)
            prompts.append(
                {
                    "name": prompt.name,
                    "description": prompt.description,
                    "arguments": names,
                    "text": message.content.text,
                }
            )
    if os.environ.get("XPORTCN_TEST_WRITE_SNAPSHOTS"):
        listed = {"tools": tools, "prompts": prompts, "prompts_generated": True}
        text = json.dumps(manifest() | listed, ensure_ascii=False, indent=2)
        MANIFEST.write_text(text + "\n", "utf-8")
    told = manifest()
    edit = f"write them into {MANIFEST}: see the top of {Path(__file__).name}"
    assert told["tools"] == tools, edit
    assert told["prompts"] == prompts, edit
    assert told["prompts_generated"] is True


def test_the_manifest_asks_for_mode_keys_caps_and_ledger_folder_and_hides_the_keys() -> None:
    told = manifest()
    assert (told["manifest_version"], told["server"]["type"]) == ("0.4", "uv")
    asked: dict[str, dict[str, Any]] = told["user_config"]
    for field in asked.values():
        assert field["title"]
        assert field["description"]
    assert [name for name, field in asked.items() if field.get("sensitive")] == [
        "access_key",
        "access_secret",
    ]
    assert not any(field["required"] for field in asked.values())  # it starts in the sandbox, untouched
    assert asked["ledger_folder"]["type"] == "directory"
    assert ".env.txt" in asked["ledger_folder"]["description"]
    # A default of the form would win over the `.env` beside the ledger, where these may have been set.
    assert not {"signature", "timestamp_unit", "timezone"} & {
        name for name, field in asked.items() if "default" in field
    }
    for name in ("mode", "signature", "timestamp_unit"):
        allowed = get_args(Settings.model_fields[name].annotation)
        assert allowed
        assert all(word in asked[name]["description"] for word in allowed)

    env: dict[str, str] = told["server"]["mcp_config"]["env"]
    assert sorted(env.values()) == sorted(f"${{user_config.{name}}}" for name in asked)
    defaults = Settings.model_validate({"ledger": "postgresql://unused"}).shown()
    for name, value in env.items():
        field = asked[value.removeprefix("${user_config.").removesuffix("}")]
        if "default" in field:
            assert str(field["default"]) == defaults[name].removesuffix(".00")


# What it makes of the form's answers


def settled(**environ: str) -> dict[str, str]:
    """The environment that `bundle/serve.py` makes of one that a host has set."""
    settle: Callable[[MutableMapping[str, str]], None] = runpy.run_path(str(ROOT / "bundle" / "serve.py"))[
        "settle"
    ]
    settle(environ)
    return environ


@pytest.mark.parametrize("empty", ["", " ", "${user_config.anything}"])
def test_a_field_left_empty_is_a_setting_that_is_not_set_however_the_host_puts_it(empty: str) -> None:
    names = [*manifest()["server"]["mcp_config"]["env"], "XPORTCN_FLOW"]
    assert settled(**dict.fromkeys(names, empty)) == {"XPORTCN_MODE": "sandbox"}


@pytest.mark.parametrize("typed", ["Live", " LIVE ", "live"])
def test_capital_letters_in_the_mode_do_not_matter(tmp_path: Path, typed: str) -> None:
    assert settled(XPORTCN_MODE=typed, BUNDLE_LEDGER_FOLDER=str(tmp_path)) == {
        "XPORTCN_MODE": "live",
        "XPORTCN_LEDGER": str(tmp_path / "orders.sqlite3"),
    }


def test_an_argument_that_was_filled_in_stays_as_it_is() -> None:
    filled = {
        "XPORTCN_MODE": "live",
        "XPORTCN_ACCESS_SECRET": "a${user_config.b}",
        "HOME": "${user_config.c}",
    }
    assert settled(**filled) == filled


@pytest.mark.parametrize(
    ("mode", "file"),
    [("sandbox", "sandbox.sqlite3"), ("preview", "orders.sqlite3"), ("live", "orders.sqlite3")],
)
def test_sandbox_and_real_orders_have_each_a_file_of_their_own_in_the_ledger_folder(
    tmp_path: Path, mode: str, file: str
) -> None:
    assert settled(XPORTCN_MODE=mode, BUNDLE_LEDGER_FOLDER=f" {tmp_path} ") == {
        "XPORTCN_MODE": mode,
        "XPORTCN_LEDGER": str(tmp_path / file),
    }


def test_a_ledger_folder_inside_the_bundle_is_refused_as_an_update_would_lose_it() -> None:
    with pytest.raises(SystemExit) as caught:
        settled(BUNDLE_LEDGER_FOLDER="ledger")
    assert str(caught.value) == "xportcn-mcp: the ledger folder is 'ledger', allowed: an absolute path"


# Packed and started


def run(*words: str, what: str, env: dict[str, str] | None = None) -> str:
    """Run a tool that may want the network; where there is none, the test cannot be done."""
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
    )
    if done.returncode and NO_NETWORK.search(done.stderr):
        pytest.skip(f"{what} needs the network: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    """The path of a program, from this environment before any other."""
    own = Path(sys.executable).parent
    path = shutil.which(name, path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, packed by `make bundle` and unpacked by the official tool."""
    tool("npm")
    run(tool("make"), "bundle", f"PYTHON={sys.executable}", what="npm")
    folder = tmp_path_factory.mktemp("extensions") / "xportcn-mcp"
    run(str(PACKER), "unpack", str(PACKED), str(folder), what="mcpb")
    return folder


def test_the_bundle_is_small_and_holds_no_tests_no_caches_and_no_lock(bundle: Path) -> None:
    assert PACKED.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(PACKED) as packed:
        names = packed.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "LICENSE",
        "README.md",
        "icon.png",
        "manifest.json",
        "prompts",
        "pyproject.toml",
        "serve.py",
        "server",
        "tools",
    }
    for name in names:
        assert not re.search(r"(^|/)(\.|tests?/|test_|__pycache__)|\.(pyc|lock|sqlite3|env)$", name), name
    assert {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()} == set(names)


def host(bundle: Path, answers: dict[str, str]) -> StdioServerParameters:
    """What a host makes of the manifest: placeholders filled in, those without a value left standing."""
    told: dict[str, Any] = json.loads((bundle / "manifest.json").read_text("utf-8"))
    asked: dict[str, dict[str, Any]] = told["user_config"]
    values = {name: str(field["default"]) for name, field in asked.items() if "default" in field} | answers
    values = {f"user_config.{name}": value for name, value in values.items()} | {"__dirname": str(bundle)}

    def filled(text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: values.get(found[1], found[0]), text)

    config = told["server"]["mcp_config"]
    return StdioServerParameters(
        command=filled(config["command"]),
        args=[filled(word) for word in config["args"]],
        env=surroundings() | {name: filled(value) for name, value in config["env"].items()},
        cwd=bundle.anchor,  # hosts start servers wherever they like
    )


def surroundings() -> dict[str, str]:
    """The host's environment: its uv on the path, and of Pythons the one at hand, that none be fetched."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("XPORTCN_") and name != "VIRTUAL_ENV"
    }
    path = f"{Path(tool('uv')).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {"PATH": path, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}


@pytest.fixture(scope="module")
def installed(bundle: Path) -> Path:
    """The bundle after its first start: uv has fetched the packages."""
    run(tool("uv"), "sync", "--directory", str(bundle), what="uv", env=surroundings())
    return bundle


@pytest.mark.slow
def test_uv_installs_the_very_versions_that_the_tests_run_with(installed: Path) -> None:
    locked = tomllib.loads((installed / "uv.lock").read_text("utf-8"))["package"]
    pins = dict(
        re.findall(
            r"^([a-z0-9._-]+)==([^\s;]+)",
            (ROOT / "requirements" / "runtime.txt").read_text("utf-8"),
            re.MULTILINE,
        )
    )
    build = {"editables", "hatchling"} | {
        need.split(">")[0].split(";")[0] for need in requires("hatchling") or ()
    }
    versions = {package["name"]: package.get("version") for package in locked}
    assert {name: versions[name] for name in pins.keys() - build} == {
        name: pin for name, pin in pins.items() if name not in build
    }


@pytest.mark.slow
def test_uv_compiles_what_it_installs_so_that_the_first_start_does_not(installed: Path) -> None:
    modules = list((installed / ".venv").glob("**/pydantic/*.py"))
    assert len(modules) == len(list((installed / ".venv").glob("**/pydantic/__pycache__/*.pyc"))) > 0


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("choice", ["a folder", "nothing"])
async def test_a_sandbox_order_is_placed_by_the_bundle_as_a_host_starts_it(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    answers = {"ledger_folder": str(tmp_path / "我的 ledger")} if choice == "a folder" else {}
    with anyio.fail_after(SECONDS):
        async with Client(host(installed, answers), read_timeout_seconds=60) as client:
            preview = await previewed(client)
            envelope = await call(client, "create_order", preview["create_order_arguments"])
            assert envelope["order"]["state"] == "placed"
            assert envelope["environment"] == "sandbox"
    if choice == "a folder":
        assert (tmp_path / "我的 ledger" / "sandbox.sqlite3").is_file()
    elif sys.platform == "linux":
        assert (tmp_path / "data" / "xportcn-mcp" / "sandbox.sqlite3").is_file()

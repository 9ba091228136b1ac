"""`server.json` as the registry's schema of 2025-12-11 and its own rules want it, and one version everywhere.

The schema is not in the repository; what it demands of the fields that are used is written out here.
"""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from xportcn_server.settings.settings import FIELDS, NEEDED_UPSTREAM, SECRET, Settings

ROOT = Path(__file__).resolve().parents[2]
SERVER: dict[str, Any] = json.loads((ROOT / "server.json").read_text("utf-8"))
PACKAGE: dict[str, Any] = SERVER["packages"][0]
VARIABLES: dict[str, dict[str, Any]] = {item["name"]: item for item in PACKAGE["environmentVariables"]}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_file_follows_the_schema_of_2025_12_11() -> None:
    assert SERVER["$schema"] == "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    assert set(SERVER) == {"$schema", "name", "title", "description", "version", "packages"}
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", SERVER["name"])
    assert 3 <= len(SERVER["name"]) <= 200
    assert 1 <= len(SERVER["title"]) <= 100
    assert 1 <= len(SERVER["description"]) <= 100
    assert len(SERVER["packages"]) == 1


def test_the_package_is_the_one_on_pypi_in_an_exact_version_over_stdio() -> None:
    assert set(PACKAGE) == {
        "registryType",
        "identifier",
        "version",
        "runtimeHint",
        "transport",
        "environmentVariables",
    }
    assert PACKAGE["registryType"] == "pypi"
    assert PACKAGE["identifier"] == PROJECT["name"]
    assert re.fullmatch(r"[0-9]+(\.[0-9]+){2}", PACKAGE["version"])
    assert PACKAGE["transport"] == {"type": "stdio"}
    assert PACKAGE["identifier"] in PROJECT["scripts"]  # uvx runs the script of the package's name


def test_each_variable_is_a_setting_with_its_own_default_and_secrets_are_marked() -> None:
    defaults = Settings.model_validate({"ledger": "postgresql://unused"}).shown()
    for name, item in VARIABLES.items():
        assert set(item) <= {"name", "description", "isSecret", "format", "choices", "default"}
        assert name in FIELDS
        assert item["description"]
        assert item.get("format", "string") in ("string", "number", "filepath")
        if "default" in item:
            assert defaults[name].removesuffix(".00") == item["default"]
            assert item["default"] in item.get("choices", [item["default"]])
        for choice in item.get("choices", ()):
            assert choice in str(Settings.model_fields[FIELDS[name]].description)
    needed = {name for name, field in FIELDS.items() if field in NEEDED_UPSTREAM}
    assert needed <= set(VARIABLES)
    assert {name for name, item in VARIABLES.items() if item.get("isSecret")} == {
        name for name in VARIABLES if FIELDS[name] in (*SECRET, "access_key")
    }


def test_the_readme_says_by_which_name_the_registry_knows_the_package() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"mcp-name: (\S+)", readme) == [SERVER["name"]]


def test_the_version_is_the_same_everywhere() -> None:
    manifest = json.loads((ROOT / "bundle" / "manifest.json").read_text("utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## ([0-9.]+) — [0-9]{4}-[0-9]{2}-[0-9]{2}$", changes, re.MULTILINE)
    assert len(released) == changes.count("\n## ")  # each section has a version and a date
    told = {
        "pyproject.toml": PROJECT["version"],
        "the installed program": version("xportcn-mcp"),
        "server.json": SERVER["version"],
        "server.json, package": PACKAGE["version"],
        "bundle/manifest.json": manifest["version"],
        "CHANGELOG.md": released[0],
    }
    assert set(told.values()) == {PROJECT["version"]}, told

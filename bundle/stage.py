"""Lay out `build/bundle`, the folder that becomes the bundle: what the server needs, and nothing else.

The packages are pinned by the versions of `requirements/`, as constraints in the staged `pyproject.toml`:
uv reads them there, and no lock file with download addresses is needed.
"""

import json
import re
import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "bundle"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?(==[^\s;\\]+(?: ; [^\\]*[^\s\\])?)", re.MULTILINE)


def stage() -> None:
    """Write the folder anew."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    for name in ("manifest.json", "icon.png", "serve.py"):
        shutil.copyfile(ROOT / "bundle" / name, STAGE / name)
    for name in ("README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, STAGE / name)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (STAGE / "pyproject.toml").write_text(project + _constraints(), "utf-8")
    for package in tomllib.loads(project)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(
            ROOT / package, STAGE / package, ignore=shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*")
        )


def _constraints() -> str:
    return (
        f"\n[tool.uv]\nconstraint-dependencies = {_pins('runtime')}\n"
        f"build-constraint-dependencies = {_pins('build')}\n"
    )


def _pins(name: str) -> str:
    """The pins of one requirement file as a TOML array, which a JSON array of such texts is, too."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return json.dumps([package + pin for package, pin in _PINNED.findall(text)], indent=2)


if __name__ == "__main__":
    stage()

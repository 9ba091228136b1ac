"""Lay out `build/bundle`, the folder that becomes the bundle: what the server needs, and nothing else.

The versions of `requirements/runtime.txt` become constraints in the staged `pyproject.toml`, where uv reads
them: so no lock file with download addresses is needed.
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
    """Replace the folder."""
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
    """The pins of the program and of its build; a JSON array of strings is a TOML array, too."""
    text = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    pins = json.dumps([package + pin for package, pin in _PINNED.findall(text)], indent=2)
    # Compiled as it is installed, for whichever Python will run it: the first start need not do it.
    settings = f"\nconstraint-dependencies = {pins}\nbuild-constraint-dependencies = {pins}\n"
    return f"\n[tool.uv]\ncompile-bytecode = true{settings}"


if __name__ == "__main__":
    stage()

"""The last part of `make release`: try each file of `dist/` as a newcomer installs it, then write the checksums.

Not a test of `make test`, because it installs everything from the package index several times.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client

from package.test_bundle import PACKED, PACKER, ROOT, host, surroundings, tool

DIST = ROOT / "dist"
SUMS = "SHA256SUMS"


def main() -> None:
    """Stop at the first thing that does not hold: without checksums nothing is ready to be published."""
    date_entries(PACKED, int(os.environ["SOURCE_DATE_EPOCH"]))
    for check in (wheel_installs, sdist_installs, uvx_runs, bundle_starts, sbom_lists_each_pin):
        started = time.monotonic()
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            check(Path(folder))
        print(f"{check.__name__.replace('_', ' ')}: {time.monotonic() - started:.0f} s", flush=True)
    write_sums(DIST)
    print((DIST / SUMS).read_text("utf-8"), end="")


def date_entries(bundle: Path, seconds: int) -> None:
    """Give each entry the commit's time, in the order of names: the packer takes the time of packing."""
    moment = time.gmtime(seconds)[:6]
    with zipfile.ZipFile(bundle) as packed:
        entries = [(info.filename, info.external_attr, packed.read(info)) for info in packed.infolist()]
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, mode, data in sorted(entries):
            info = zipfile.ZipInfo(name, moment)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, mode
            packed.writestr(info, data)


def write_sums(folder: Path) -> None:
    """`SHA256SUMS`, as `sha256sum --check` reads it."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), "utf-8", newline="\n")


def wheel_installs(folder: Path) -> None:
    """Into a new environment by pip; its demo comes out as it should."""
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    python = programs(folder / "venv") / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--no-compile", str(only("*.whl")))
    run(str(python.with_name("xportcn-mcp")), "demo")


def sdist_installs(folder: Path) -> None:
    """Into a new environment by uv, built there; and the wheel that is built from it is the one beside it."""
    run(tool("uv"), "venv", str(folder / "venv"), env=surroundings())
    python = programs(folder / "venv") / "python"
    run(tool("uv"), "pip", "install", "--python", str(python), str(only("*.tar.gz")), env=surroundings())
    says_its_version(run(str(python.with_name("xportcn-mcp")), "--version"))
    with tarfile.open(only("*.tar.gz")) as packed:
        packed.extractall(folder, filter="data")
    (unpacked,) = folder.glob("xportcn_mcp-*")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=unpacked)
    (built,) = folder.glob("*.whl")
    assert built.read_bytes() == only("*.whl").read_bytes()


def uvx_runs(folder: Path) -> None:
    """As the registry's clients start it, before it is on the index."""
    words = [
        tool("uv"),
        "tool",
        "run",
        "--isolated",
        "--from",
        str(only("*.whl")),
        "xportcn-mcp",
        "--version",
    ]
    says_its_version(run(*words, cwd=folder, env=surroundings()))


def bundle_starts(folder: Path) -> None:
    """Unpacked by the official tool and started as its manifest says, it answers and has its tools."""
    place = folder / "bundle"
    run(str(PACKER), "unpack", str(PACKED), str(place))
    run(tool("uv"), "sync", "--directory", str(place), env=surroundings())

    async def ask() -> tuple[str, int]:
        server = host(place, {"ledger_folder": str(folder / "ledger")})
        with anyio.fail_after(120):
            async with Client(server, mode="legacy") as client:  # `initialize`, as Claude Desktop does
                assert client.server_info
                return client.server_info.version, len((await client.list_tools()).tools)

    listed = json.loads((place / "manifest.json").read_text("utf-8"))
    assert anyio.run(ask) == (listed["version"], len(listed["tools"]))


def sbom_lists_each_pin(folder: Path) -> None:
    """Every package of the pinned requirements, in its version, and this version of the program."""
    del folder
    told: dict[str, Any] = json.loads((DIST / "xportcn-mcp.cdx.json").read_text("utf-8"))
    pins = re.findall(
        r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)",
        (ROOT / "requirements" / "runtime.txt").read_text("utf-8"),
        re.MULTILINE,
    )
    assert pins
    assert {(each["name"], each["version"]) for each in told["components"]} == set(pins)
    assert f"-{told['metadata']['component']['version']}-" in only("*.whl").name


def only(pattern: str) -> Path:
    """The one such file of `dist/`."""
    (path,) = DIST.glob(pattern)
    return path


def programs(environment: Path) -> Path:
    """Where a virtual environment keeps its programs."""
    return environment / ("Scripts" if os.name == "nt" else "bin")


def says_its_version(printed: str) -> None:
    """The version that stands in the wheel's name."""
    assert printed.rsplit(maxsplit=1)[-1] == only("*.whl").name.split("-")[1], printed


def run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program to its end; what it printed."""
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    main()

"""The program itself: Python, its packages, and whether anything else writes on the stdout of `serve`."""

import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from xportcn_server.doctor.check import Check, fault, ok
from xportcn_server.settings.sources import PREFIX
from xportcn_tools.upstream.clean import clean

STDOUT_SECONDS = 30
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([<>=!~0-9.,\s]*)$")
_SERVE = "from xportcn_server.commands.cli import main; main(['serve'], prog_name='xportcn-mcp')"


def check_program() -> list[Check]:
    """Versions: this program's, Python's, and those of the packages that it stands on."""
    own = f"xportcn-mcp {metadata.version('xportcn-mcp')}"
    python = f"Python {platform.python_version()} at {sys.executable}, {platform.platform()}"
    return [ok("program", f"{own}, {python}"), _packages()]


def _packages() -> Check:
    found: list[str] = []
    unfit: list[str] = []
    for requirement in metadata.requires("xportcn-mcp") or ():
        match = _REQUIREMENT.match(requirement)  # those of an extra have a marker, and do not match
        if match is None:
            continue
        name, wanted = match[1], match[2].strip()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            unfit.append(f"{name} is not installed")
            continue
        found.append(f"{name} {version}")
        if not _fits(version, wanted):
            unfit.append(f"{name} {version} is not {wanted}")
    if unfit:
        return fault("packages", "; ".join(unfit), "reinstall xportcn-mcp in its own virtual environment")
    return ok("packages", ", ".join(found))


def _fits(version: str, wanted: str) -> bool:
    """Whether a version is within `>=` and `<`: the only bounds that this program's metadata has."""
    for bound in wanted.split(","):
        limit = _numbers(bound)
        if bound.startswith(">=") and _numbers(version) < limit:
            return False
        if bound.startswith("<") and _numbers(version) >= limit:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.search(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()


def check_stdout(seconds: float = STDOUT_SECONDS) -> Check:
    """Start `serve` in the sandbox, far from the real ledger, and see that nothing but MCP is on its stdout.

    Its input ends at once, so there is no MCP either. What a `sitecustomize` or a `.pth` file prints comes
    before any line of this program, and would break the conversation.
    """
    # Nor does it send anything to a collector of OpenTelemetry, or wait for one that hangs.
    strange = (PREFIX, "OTEL_")
    environ = {name: value for name, value in os.environ.items() if not name.upper().startswith(strange)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ |= {"XPORTCN_MODE": "sandbox", "XPORTCN_LEDGER": str(Path(folder) / "doctor.sqlite3")}
        environ["XDG_STATE_HOME"] = folder  # the ledger's witness
        try:
            done = subprocess.run(  # noqa: S603 - this program
                [sys.executable, "-c", _SERVE],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=environ,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return fault(
                "stdout of serve",
                f"serve did not end within {seconds} s of its input's end",
                "start `xportcn-mcp serve` by hand with XPORTCN_MODE=sandbox, and read what it says",
            )
    if done.stdout:
        said = clean(done.stdout.decode(errors="replace"))[:100]
        return fault(
            "stdout of serve",
            f"{len(done.stdout)} bytes that are not MCP, before the server took over: {said!r}",
            "find what prints when Python starts (sitecustomize, usercustomize, a .pth file) and remove it",
        )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        return fault(
            "stdout of serve",
            f"serve ended with code {done.returncode}: {clean(lines[-1])}",
            "reinstall xportcn-mcp in its own virtual environment",
        )
    return ok("stdout of serve", "nothing but MCP")

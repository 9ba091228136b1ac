"""The program, and any other, in a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
import httpx

TESTS = Path(__file__).parents[1]
START_SECONDS = 60.0
"""For a process to answer or to end; the machine may have other things to do."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Process:
    """A server on a port of its own, mostly `xportcn-mcp serve --http`. `log`: what it said on stderr."""

    popen: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def terminate(self) -> None:
        self.popen.terminate()

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()

    async def ended(self, seconds: float = 60) -> int:
        """Its exit status."""
        return await anyio.to_thread.run_sync(lambda: self.popen.wait(seconds), abandon_on_cancel=True)


def process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Ours without the settings of the person who runs this; warnings are errors there too."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    ours.pop("PYTHONUNBUFFERED", None)  # or a line would come in two pieces
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):  # no test opens the browser of the person who runs it
        ours.pop(display, None)
    return ours | {"PYTHONUTF8": "1", "PYTHONWARNINGS": "error"} | dict(environment)


def xportcn_mcp(*words: str) -> list[str]:
    """The words that start the installed program."""
    suffix = ".exe" if sys.platform == "win32" else ""
    return [str(Path(sys.executable).with_name(f"xportcn-mcp{suffix}")), *words]


def script_environment() -> dict[str, str]:
    """For a Python script that imports the harness, or the folders beside it."""
    paths = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    return process_environment({"PYTHONPATH": paths})


def ran(
    words: list[str],
    folder: Path,
    environment: Mapping[str, str],
    typed: str = "",
    seconds: float = START_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """What a program left that ran to its end in a folder: exit status, stdout and stderr.

    `environment` is all that it has: mostly `process_environment(...)`.
    """
    return subprocess.run(
        words,
        cwd=folder,
        env=dict(environment),
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )


def start(environment: Mapping[str, str], folder: Path, port: int | None = None) -> Process:
    """Start a server; it may not answer yet."""
    port = port or free_port()
    return spawned(xportcn_mcp("serve", "--http", "--port", str(port)), environment, folder, port)


def spawned(arguments: list[str], environment: Mapping[str, str], folder: Path, port: int) -> Process:
    """Start a program that listens on this port; what it says goes to a file."""
    log = folder / f"server-{port}.log"
    with log.open("ab") as stderr:
        out: IO[bytes] = stderr
        popen = subprocess.Popen(
            arguments,
            env=process_environment(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    return Process(popen, port, log)


async def answering(process: Process, status: int = 200) -> Process:
    """Wait until it answers a question for its health, with this status."""
    with anyio.fail_after(START_SECONDS):
        async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
            while True:
                assert process.popen.poll() is None, process.log.read_text()
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/healthz")).status_code == status:
                        return process
                await anyio.sleep(0.05)


@asynccontextmanager
async def processes(
    environment: Mapping[str, str], folder: Path, count: int
) -> AsyncGenerator[list[Process]]:
    """That many servers with the same settings, all answering; ended at the end, however."""
    started = [start(environment, folder) for _ in range(count)]
    try:
        for process in started:
            await answering(process)
        yield started
    finally:
        for process in started:
            process.kill()

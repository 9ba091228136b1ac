"""A load generator: so many connections, each sends its next call when it has the answer to the last.

It runs on the cores of what it measures, so it speaks HTTP by hand: any client library would take more of
them than the servers do.
"""

import asyncio
import contextlib
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.over_http import bearer, modern, modern_headers

Work = Callable[["Caller"], Awaitable[None]]


class NotOkError(Exception):
    """An answer that is not the one that was hoped for."""


class Caller:
    """One connection, kept open. `number` tells callers apart."""

    def __init__(self, url: str, token: str, number: int) -> None:
        self.number = number
        self._at = urlsplit(url)
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def request(self, tool: str, arguments: dict[str, Any]) -> bytes:
        """A call, ready for the wire."""
        body = json.dumps(modern("tools/call", name=tool, arguments=arguments)).encode()
        headers = {"host": self._at.netloc, "content-length": str(len(body))}
        headers |= modern_headers("tools/call", tool) | bearer(self._token)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body

    async def send(self, request: bytes) -> dict[str, Any]:
        """The result of a call that went well.

        Raises:
            NotOkError: it did not.
        """
        try:
            reader, writer = self._streams or await asyncio.open_connection(self._at.hostname, self._at.port)
            self._streams = reader, writer
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status, *lines = head.split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError) as error:
            self.close()
            raise NotOkError(type(error).__name__) from error
        if headers.get("connection") == "close":  # nginx does after a thousand requests
            self.close()
        if status.split()[1] != "200":
            raise NotOkError(status)
        result: dict[str, Any] = json.loads(body).get("result") or {}
        if result.get("isError") or not result.get("structuredContent", {}).get("ok"):
            raise NotOkError(body.decode()[:300])
        return result

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


@dataclass
class Sample:
    """What one setup did in one round. `cpu_ms`: a call, by group of processes; `busy`: cores, all in all."""

    seconds: float = 0.0
    took_ms: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])
    cpu_ms: dict[str, float] = field(default_factory=dict[str, float])
    busy: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.took_ms) / self.seconds

    def percentile(self, number: int) -> float:
        return statistics.quantiles(self.took_ms, n=100, method="inclusive")[number - 1]


async def drive(
    callers: list[Caller], work: Work, seconds: float, groups: Mapping[str, Sequence[int]]
) -> Sample:
    """Every caller works, again and again, for so long. `groups`: processes whose CPU time is of interest."""
    sample = Sample()
    cpu, busy = {name: cpu_seconds(group) for name, group in groups.items()}, busy_seconds()
    began = time.perf_counter()
    until = began + seconds

    async def keep_working(caller: Caller) -> None:
        while (start := time.perf_counter()) < until:
            try:
                await work(caller)
            except NotOkError as error:
                sample.errors.append(str(error))
            else:
                sample.took_ms.append((time.perf_counter() - start) * 1000)

    async with asyncio.TaskGroup() as tasks:
        for caller in callers:
            tasks.create_task(keep_working(caller))
    sample.seconds = time.perf_counter() - began
    used, calls = busy_seconds() - busy, max(len(sample.took_ms), 1)
    sample.busy = used / sample.seconds
    for name, group in groups.items():
        sample.cpu_ms[name] = (cpu_seconds(group) - cpu[name]) * 1000 / calls
    sample.cpu_ms["rest"] = used * 1000 / calls - sum(sample.cpu_ms.values())
    return sample


_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cpu_seconds(processes: Sequence[int]) -> float:
    """What these processes and their children have used, user and system; a child that ended too (Linux)."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            fields = _fields(path)
            if int(path.parent.name) in processes:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) in processes:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def parent_of(process: int) -> int:
    """The process that started this one (Linux)."""
    return int(_fields(Path(f"/proc/{process}/stat"))[1])


def _fields(path: Path) -> list[str]:
    """From the state on: what is before it, the name in brackets, may hold anything."""
    return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def busy_seconds() -> float:
    """What all processes of the machine have used, summed over its cores (Linux)."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    user, nice, system, _idle, _waiting, *others = map(int, fields)
    return (user + nice + system + sum(others)) / _TICKS

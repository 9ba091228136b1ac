"""A server on its stdin and stdout, timed from outside: ours, the bare SDK's, or another's."""

import json
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from harness.over_http import INITIALIZE
from harness.processes import process_environment

WATCHDOG_SECONDS = 600.0  # ends a server that no longer answers, which ends the wait for it


class StdioServer:
    """A process and the client at its pipes. `started_ms`: until it had answered `initialize`."""

    def __init__(self, words: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._number = 1
        self._log = folder / "stdio-server.log"
        with self._log.open("ab") as stderr:
            began = time.perf_counter()
            self._process = subprocess.Popen(
                words,
                env=process_environment(environment),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._watchdog = threading.Timer(WATCHDOG_SECONDS, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self._answered(json.dumps(INITIALIZE).encode() + b"\n")
        self.started_ms = (time.perf_counter() - began) * 1000
        self._stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        self._stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self._stdin.close()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            self._stdout.close()

    def timed(self, tool: str, arguments: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        """Milliseconds of a call that went well, and its result."""
        line = self._line("tools/call", {"name": tool, "arguments": arguments})
        began = time.perf_counter()
        answer = self._answered(line)
        took = (time.perf_counter() - began) * 1000
        result = self._result(answer)
        assert not result.get("isError"), answer
        return took, result

    def tools(self) -> list[dict[str, Any]]:
        return self._result(self._answered(self._line("tools/list", {})))["tools"]

    def resident_bytes(self) -> int:
        """Its memory, as the kernel counts it (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def cpu_ms(self) -> float:
        """What it has used of the processor (Linux: the number is the clock of a process)."""
        return time.clock_gettime((~self._process.pid << 3) | 2) * 1000

    def _line(self, method: str, params: Mapping[str, Any]) -> bytes:
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        return json.dumps(request).encode() + b"\n"

    def _answered(self, line: bytes) -> bytes:
        """The answer to a request; what else the server says before it is passed over."""
        self._stdin.write(line)
        self._stdin.flush()
        while answer := self._stdout.readline():
            if b'"result"' in answer or b'"error"' in answer:
                return answer
        raise RuntimeError(f"the server ended:\n{self._log.read_text('utf-8', 'replace')[-3000:]}")

    def _result(self, answer: bytes) -> dict[str, Any]:
        message = json.loads(answer)
        assert message.get("id") == self._number, message
        return message["result"]

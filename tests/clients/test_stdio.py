"""Real processes, real pipes, real signals; every wait ends on an event or fails at a deadline."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from harness.over_http import modern

SCRIPT = Path(__file__).with_name("stdio_child.py")
START_SECONDS = 30.0  # imports, on a busy machine
CALL_SECONDS = 15.0
WATCHDOG_SECONDS = 60.0  # kills the process, which ends every read of its pipes
IDLE_END_SECONDS = 2.0  # what issue 2 promises

posix_signals = pytest.mark.skipif(sys.platform == "win32", reason="TerminateProcess reaches no handler")


class Child:
    """The server process, its three pipes, its diary, and the port where its waiting tools report.

    Where `reading` is false nobody empties its stdout; where `hello` is false nobody shakes its hand.
    """

    def __init__(
        self, folder: Path, *flags: str, reading: bool = True, hello: bool = True, stderr_pipe: bool = False
    ) -> None:
        self.diary = folder / "diary"
        self.stderr = folder / "stderr"
        self.desk = socket.create_server(("127.0.0.1", 0))
        self.desk.settimeout(CALL_SECONDS)
        port = str(self.desk.getsockname()[1])
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        with self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.diary), port, *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if stderr_pipe else stderr,
                env=environment,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout
        self.watchdog = threading.Timer(WATCHDOG_SECONDS, self.process.kill)
        self.watchdog.start()
        self.wire: list[bytes] = []
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if hello:
            self._shake_hands()
        if reading:
            self._reader.start()

    def _read(self) -> None:
        for line in self.stdout:
            self.wire.append(line)
            self._lines.put(line)

    def _shake_hands(self) -> None:
        client = {"name": "test", "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        self.send({"id": 0, "method": "initialize", "params": hello})
        self.wire.append(self.stdout.readline())
        assert json.loads(self.wire[0])["id"] == 0
        self.send({"method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        self.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.stdin.flush()

    def call(self, number: int, tool: str, **arguments: Any) -> None:
        parameters = {"name": tool, "arguments": arguments}
        self.send({"id": number, "method": "tools/call", "params": parameters})

    def receive(self, seconds: float = CALL_SECONDS) -> dict[str, Any]:
        return json.loads(self._lines.get(timeout=seconds))

    def visitor(self) -> socket.socket:
        """The connection of a tool that has begun to wait."""
        connection, _ = self.desk.accept()
        connection.settimeout(CALL_SECONDS)
        return connection

    def end(self, how: str) -> None:
        if how == "EOF":
            self.stdin.close()
        else:
            self.process.send_signal(getattr(signal, how))

    def exit_code(self, seconds: float = CALL_SECONDS) -> int:
        code = self.process.wait(seconds)
        if self._reader.is_alive():
            self._reader.join(CALL_SECONDS)
        return code

    def events(self) -> list[str]:
        return self.diary.read_text(encoding="utf-8").splitlines()

    def complaints(self) -> str:
        return self.stderr.read_text(encoding="utf-8")

    def close(self) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.exit_code()
        for pipe in (self.stdin, self.stdout):
            with suppress(OSError):  # bytes that the process no longer took
                pipe.close()
        self.desk.close()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    try:
        yield child
    finally:
        child.close()


ENDS = ["EOF", *(pytest.param(name, marks=posix_signals) for name in ("SIGTERM", "SIGINT", "SIGHUP"))]


@pytest.mark.parametrize("how", ENDS)
def test_an_idle_server_ends_its_lifespan_and_exits_0_within_two_seconds(child: Child, how: str) -> None:
    asked_at = time.monotonic()
    child.end(how)
    code = child.exit_code()
    assert time.monotonic() - asked_at < IDLE_END_SECONDS
    assert (code, child.events()) == (0, ["lifespan ended"])
    assert "Traceback" not in child.complaints()


@pytest.mark.parametrize("how", ENDS)
def test_a_shielded_call_is_finished_before_the_lifespan_ends_and_others_are_cancelled(
    child: Child, how: str
) -> None:
    child.call(1, "wait_shielded")
    with child.visitor() as shielded:
        assert shielded.recv(100) == b"waiting shielded\n"
        child.call(2, "wait")
        with child.visitor() as plain:
            assert plain.recv(100) == b"waiting\n"
            child.end(how)
            assert plain.recv(100) == b"cancelled\n"  # so the end has begun, and the other call still waits
        assert child.events() == ["cancelled"]
        shielded.send(b"go on\n")
        assert child.exit_code() == 0
    assert child.events() == ["cancelled", "recorded", "lifespan ended"]


@posix_signals
@pytest.mark.parametrize("again", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_second_signal_changes_nothing(child: Child, again: str) -> None:
    child.call(1, "wait_shielded")
    with child.visitor() as shielded:
        assert shielded.recv(100) == b"waiting shielded\n"
        child.end("SIGTERM")
        child.end(again)
        shielded.send(b"go on\n")
        assert child.exit_code() == 0
    assert child.events() == ["recorded", "lifespan ended"]


@posix_signals
def test_a_signal_that_hits_another_thread_wakes_the_server_all_the_same(child: Child) -> None:
    child.call(1, "arm")
    with child.visitor() as trigger:
        assert child.receive()["id"] == 1  # from here on the event loop sleeps
        trigger.send(b"x")
        assert child.exit_code() == 0
    assert child.events() == ["lifespan ended"]


def test_whatever_prints_stdout_carries_mcp_alone(child: Child) -> None:
    child.call(1, "noisy")
    answer = child.receive()
    assert answer["result"]["structuredContent"] == {"result": "stdin held ''"}
    child.end("EOF")
    assert child.exit_code() == 0
    assert [json.loads(line)["id"] for line in child.wire] == [0, 1]
    strays = {line for line in child.complaints().splitlines() if line.startswith("stray")}
    assert strays == {
        "stray: before serving",
        "stray: lifespan begins",
        "stray: a tool",
        "stray: the descriptor",
        "stray: a child process",
        "stray: lifespan ends",
        "stray: after serving",
    }


def test_lines_larger_than_any_pipe_pass_both_ways_unharmed(child: Child) -> None:
    child.call(1, "length", text="订" * 1_000_000)
    assert child.receive()["result"]["structuredContent"] == {"result": 1_000_000}
    child.call(2, "repeat", text="单", times=1_000_000)
    assert child.receive()["result"]["structuredContent"] == {"result": "单" * 1_000_000}


def test_a_burst_of_requests_that_nobody_awaited_is_answered_in_full(child: Child) -> None:
    numbers = range(1, 501)
    for number in numbers:
        child.call(number, "length", text="x" * 1_000)
    assert {child.receive()["id"] for _ in numbers} == set(numbers)


HALF = r'"\ud83d"'


def ping(number: object, text: object) -> str:
    return f'{{"jsonrpc":"2.0","id":{number},"method":"ping","params":{{"text":{text}}}}}'


UNREADABLE: dict[str, tuple[str, dict[Any, int]]] = {
    "half an emoji": (ping(7, HALF), {7: -32700}),
    "half an emoji beside an id that is a text": (ping(r'"a\"b"', HALF), {'a"b': -32700}),
    "a number of 5,000 digits": (ping(7, "9" * 5_000), {7: -32700}),
    "deep nesting": (ping(7, "[" * 100_000 + "]" * 100_000), {7: -32700}),
    "a byte order mark": ("\ufeff" + ping(7, 1), {7: -32700}),
    "an end that is missing": (ping(7, 1)[:-3], {7: -32700}),
    "an id at the end, and others in the parameters": (
        r'{"jsonrpc":"2.0","method":"ping","params":{"id":5,"x":[{"id":6},"\ud83d"]},"id":7}',
        {7: -32700},
    ),
    "a batch": (f"[{ping(7, 1)}, {ping(HALF.replace('ud83d', 'u0062'), 2)}]", {7: -32600, "b": -32600}),
    "a batch with half an emoji": (f"[{ping(7, 1)}, {ping(8, HALF)}]", {7: -32700, 8: -32700}),
    "no version": ('{"id":7,"method":"ping"}', {7: -32600}),
    "parameters by position": ('{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', {7: -32600}),
    "an id that is a fraction": (ping(1.5, 1), {1.5: -32600}),
    "no id": (ping(7, HALF).replace('"id":7,', ""), {}),
    "an answer to a request of ours": (r'{"jsonrpc":"2.0","id":7,"result":{"text":"\ud83d"}}', {}),
    "no JSON": ("hello", {}),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_frame_that_cannot_be_read_is_answered_by_each_id_in_it_and_the_next_one_is_served(
    child: Child, kind: str
) -> None:
    frame, expected = UNREADABLE[kind]
    child.stdin.write(frame.encode() + b"\n")
    child.call(99, "length", text="four")
    received = [child.receive() for _ in range(len(expected) + 1)]
    refused = {answer["id"]: answer["error"] for answer in received if "error" in answer}
    assert {number: error["code"] for number, error in refused.items()} == expected
    assert [answer["result"]["structuredContent"] for answer in received if "result" in answer] == [
        {"result": 4}
    ]


def test_a_handshake_after_discovery_is_served_also_where_broken_frames_came_first(tmp_path: Path) -> None:
    child = Child(tmp_path, hello=False)
    try:
        child.stdin.write(b'{"id":1,"method":"initialize"}\n')
        child.send({**modern("server/discover"), "id": 2})
        child.stdin.write(b"[]\n")
        client = {"name": "test", "version": "1"}
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
        child.send({"id": 3, "method": "initialize", "params": hello})
        assert child.receive(START_SECONDS)["error"]["code"] == -32600
        answer = child.receive(START_SECONDS)
        if answer["id"] == 2:  # it may come, and may be too late
            answer = child.receive()
        assert (answer["id"], answer["result"]["protocolVersion"]) == (3, "2025-06-18")
    finally:
        child.close()


def test_a_client_that_no_longer_reads_is_a_clean_end_that_waits_for_shielded_calls(tmp_path: Path) -> None:
    child = Child(tmp_path, reading=False)
    try:
        child.call(1, "wait_shielded")
        with child.visitor() as shielded:
            assert shielded.recv(100) == b"waiting shielded\n"
            child.call(2, "wait")
            with child.visitor() as plain:
                assert plain.recv(100) == b"waiting\n"
                child.stdout.close()
                child.call(3, "length", text="whose answer has nowhere to go")
                assert plain.recv(100) == b"cancelled\n"
            shielded.send(b"go on\n")
            assert child.exit_code() == 0
        assert child.events() == ["cancelled", "recorded", "lifespan ended"]
        assert "Traceback" not in child.complaints()
    finally:
        child.close()


def test_a_client_that_took_all_three_pipes_with_it_is_a_clean_end(tmp_path: Path) -> None:
    child = Child(tmp_path, reading=False, stderr_pipe=True)
    try:
        assert child.process.stderr is not None
        child.process.stderr.close()
        child.stdout.close()
        child.call(1, "noisy")  # so that there is text that can reach nobody
        child.stdin.close()
        assert child.exit_code() == 0
        assert child.events() == ["lifespan ended"]
    finally:
        child.close()


@posix_signals
def test_a_client_that_stopped_reading_cannot_hold_up_the_end(tmp_path: Path) -> None:
    child = Child(tmp_path, reading=False)
    try:
        child.call(1, "repeat", text="x", times=5_000_000)
        child.stdout.read(1)  # the answer is under way, and is larger than any pipe
        child.end("SIGTERM")
        assert child.exit_code() == 0
        assert child.events() == ["lifespan ended"]
    finally:
        child.close()


def test_an_error_of_the_lifespan_reaches_the_caller_while_the_client_waits(tmp_path: Path) -> None:
    child = Child(tmp_path, "fail", reading=False, hello=False)
    try:
        assert child.exit_code(START_SECONDS) == 2
        assert "refused: the ledger is of a newer version" in child.complaints()
        assert "Traceback" not in child.complaints()
    finally:
        child.close()


@posix_signals
def test_a_parent_that_gave_no_stdin_or_stdout_gets_a_clean_end(tmp_path: Path) -> None:
    command = f"exec {sys.executable} {SCRIPT} {tmp_path / 'diary'} 1 <&- >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=START_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "diary").read_text(encoding="utf-8") == "lifespan ended\n"

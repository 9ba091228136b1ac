"""What the tests of `doctor` share: its patient, upstreams on loopback ports, and servers that misbehave."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner

from harness.port_sandbox import running_sandbox
from harness.settings import environ_of
from xportcn_server.commands.cli import main
from xportcn_server.doctor import check_program as program
from xportcn_server.doctor.check import Check
from xportcn_server.sandbox.service import Sandbox


@dataclass(frozen=True)
class Report:
    """What doctor said with `--json`, and its exit code."""

    code: int
    content: dict[str, Any]
    printed: str

    @property
    def checks(self) -> dict[str, dict[str, str]]:
        return {check["name"]: check for check in self.content["checks"]}

    @property
    def faults(self) -> list[dict[str, str]]:
        return [check for check in self.content["checks"] if check["status"] == "fault"]


class Patient:
    """An installation in a folder of its own: environment, `.env` and ledger are what a test makes them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.ledger = folder / "ledger.sqlite3"
        self.settings = {"LEDGER": str(self.ledger)}

    def set(self, **settings: str) -> None:
        self.settings |= settings

    def write_env(self, text: str) -> Path:
        path = self.folder / ".env"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def environ(self) -> dict[str, str]:
        return environ_of(**self.settings)

    def told(self, *flags: str) -> tuple[int, str]:
        """Doctor's words for a person, and its exit code; never a traceback."""
        done = CliRunner().invoke(main, ["doctor", *flags], env=self.environ(), prog_name="xportcn-mcp")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        assert done.stderr == ""
        return done.exit_code, done.stdout

    def examined(self, *flags: str) -> Report:
        code, printed = self.told("--json", *flags)
        report = Report(code, json.loads(printed), printed)
        assert report.content.keys() == {"ok", "checks", "probe", "live"}
        assert report.content["ok"] is (code == 0) is (not report.faults)
        for check in report.content["checks"]:
            assert check.keys() == {"name", "status", "found", "next_step"}
            assert check["status"] in ("ok", "warning", "fault")
            assert check["found"]
            assert check["next_step"] or check["status"] == "ok"
        return report


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A healthy one, in sandbox mode. That `serve` is silent is left to the tests of just that."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program, "check_stdout", lambda: Check("stdout of serve", "ok", "not tried"))
    return Patient(tmp_path, monkeypatch)


@contextmanager
def sandbox_on_a_port(sandbox: Sandbox) -> Generator[str]:
    """Its base URL, for as long as the block lasts."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_sandbox(sandbox)) as (_, base_url),
    ):
        yield base_url


@dataclass(frozen=True)
class Answer:
    """What a server says to every request; status 0: it hangs up.

    `date`: the header itself, or how far the server's clock is ahead; None: the header is left out.
    """

    status: int = 200
    body: str = ""
    date: str | timedelta | None = None
    location: str | None = None

    def date_header(self) -> str | None:
        if isinstance(self.date, timedelta):
            return format_datetime(datetime.now(UTC) + self.date, usegmt=True)
        return self.date


ENVELOPE = '{"requestId":"R1","code":401,"developId":"1","msg":"签名错误","data":null}'


@contextmanager
def server_that(answer: Answer) -> Generator[str]:
    """The base URL of a server that gives one answer, to POST as to CONNECT."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if not answer.status:
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = answer.body.encode()
            self.send_response_only(answer.status)
            for name, value in (("Date", answer.date_header()), ("Location", answer.location)):
                if value is not None:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_CONNECT = do_POST  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A real PostgreSQL server of the test run's own, on loopback; a database for each test that asks.

The programs are taken from where Debian and others put them. The server refuses to run as root, so there
it runs as the user `postgres`. A machine without the programs says so and skips.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import psycopg
import psycopg.sql
import pytest


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return candidates[-1].parent if candidates else None


class PostgresServer:
    """One cluster. `url(name)` is a database in it; `stop` and `start` for tests of its absence."""

    def __init__(self, folder: Path, port: int) -> None:
        found = programs()
        if found is None:
            pytest.skip("PostgreSQL's programs (initdb, postgres) are not installed")
        self._bin = found
        self._data = folder / "data"
        self._folder = folder
        self.port = port

    def create(self) -> None:
        self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"
        )

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        self._run(
            "pg_ctl",
            "-D",
            str(self._data),
            "-w",
            "-t",
            "240",
            "-l",
            str(self._folder / "log"),
            "-o",
            options,
            "start",
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "240", "-m", mode, "stop")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def postgres_server(port: int) -> Generator[PostgresServer]:
    """A started cluster in a folder of its own; stopped and deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="xportcn-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        server = PostgresServer(folder, port)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")

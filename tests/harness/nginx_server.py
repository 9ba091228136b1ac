"""nginx with the configuration that we deploy, before servers of the test's own."""

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.processes import Process, answering, free_port

PROXY = Path(__file__).parents[2] / "deploy" / "nginx.conf"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def nginx_program() -> str:
    found = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    return found or pytest.skip("nginx is not installed")


def proxy_configuration(folder: Path, port: int, replicas: list[int]) -> str:
    """The file that we deploy, with this test's addresses in it and all that it writes in a folder."""
    text = PROXY.read_text(encoding="utf-8")
    servers = "\n".join(f"    server 127.0.0.1:{replica} fail_timeout=1s;" for replica in replicas)
    for was, now in (
        ("    server server:8000 resolve fail_timeout=1s;", servers),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("worker_processes auto;", "worker_processes 1;"),
        ("http {", "http {\n" + "".join(f"  {place}_temp_path {folder}/{place};\n" for place in TEMPORARY)),
    ):
        assert was in text
        text = text.replace(was, now)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n" + text.replace(
        "http {", f"http {{\n  access_log {folder}/access.log;", 1
    )


@asynccontextmanager
async def round_robin(folder: Path, replicas: list[int]) -> AsyncGenerator[str]:
    """The proxy before these ports; yields its base URL."""
    program, port = nginx_program(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(proxy_configuration(folder, port, replicas), encoding="utf-8")
    process = subprocess.Popen(  # noqa: ASYNC220 - a start, not waited for
        [program, "-c", str(configuration), "-e", str(folder / "nginx.log"), "-p", str(folder)]
    )
    try:
        await answering(Process(process, port, folder / "nginx.log"), status=404)  # it publishes no health
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)

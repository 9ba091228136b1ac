"""`doctor`: each planted fault is found, by name, with its cure; a healthy installation has none.

It changes nothing: neither the ledger, nor its mode, nor the folder that it is in.
"""

import errno
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx
import psycopg
import pytest
from mcp import Client
from psycopg.sql import SQL, Identifier

from harness.house import House, call, previewed
from harness.patient import (
    ENVELOPE,
    Answer,
    Patient,
    Report,
    patient,
    sandbox_on_a_port,
    server_that,
)
from harness.postgres_server import PostgresServer
from harness.settings import SANDBOX_ACCOUNT, load_settings
from xportcn_server.app import build_server
from xportcn_server.doctor import check_ledger as ledger_check
from xportcn_server.doctor import check_postgres as postgres_check
from xportcn_server.doctor import check_program as program
from xportcn_server.doctor.unreached import sort_error
from xportcn_server.parts import Seams
from xportcn_server.sandbox.service import build_sandbox

__all__ = ["patient"]

SECRET = "Kolibri-Geheimnis-7719"
POSIX = sys.platform != "win32"
real_check_stdout = program.check_stdout


def place(patient: Patient, fault: str | None = None) -> str:
    """An order in the patient's ledger; its reference."""

    async def conversation() -> str:
        house = House(patient.folder)
        if fault:
            house.sandbox.faults.add(fault, "create")
        async with house.client() as client:
            preview = await previewed(client)
            order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
            return order["out_order_id"]

    return anyio.run(conversation)


def in_ledger(patient: Patient, *statements: str) -> None:
    with closing(sqlite3.connect(patient.ledger, isolation_level=None)) as ledger:
        for statement in statements:
            ledger.execute(statement)


# Planted faults of the settings, the ledger and the program


def mode_misspelt(patient: Patient) -> None:
    patient.set(MODE="prod")


def credentials_missing(patient: Patient) -> None:
    patient.set(MODE="preview", ACCESS_KEY="AK0123456789", USER_ID="77", BASE_URL="http://127.0.0.1:9/api")


def cap_that_is_no_amount(patient: Patient) -> None:
    patient.set(MAX_DAY_CNY="2k")


def plain_http_to_the_world(patient: Patient) -> None:
    patient.set(BASE_URL="http://xportcn.example/api")


def line_without_an_equals_sign(patient: Patient) -> None:
    patient.write_env("XPORTCN_MAX_ORDER_CNY 500\n")


def env_file_in_another_encoding(patient: Patient) -> None:
    (patient.folder / ".env").write_bytes("XPORTCN_STAFF_NAME=王小明\n".encode("gb18030"))


def misspelt_name(patient: Patient) -> None:
    patient.write_env("XPORTCN_MAX_DAY_CNI=500\n")


def value_that_loses(patient: Patient) -> None:
    patient.write_env("XPORTCN_MAX_DAY_ORDERS=5\n")
    patient.set(MAX_DAY_ORDERS="50")


def secret_for_everybody(patient: Patient) -> None:
    patient.write_env(f"XPORTCN_ACCESS_SECRET={SECRET}\n").chmod(0o644)


def env_file_of_a_project(patient: Patient) -> None:
    project = patient.folder / "project"
    project.mkdir()
    (project / ".env").write_text("XPORTCN_APPROVAL=off\n", encoding="utf-8")
    patient.monkeypatch.chdir(project)


def named_file_that_is_missing(patient: Patient) -> None:
    patient.set(ENV_FILE=str(patient.folder / "gone.env"))


def ledger_of_every_folder(patient: Patient) -> None:
    patient.set(LEDGER="orders.sqlite3")


def folder_that_is_a_file(patient: Patient) -> None:
    (patient.folder / "file").touch()
    patient.set(LEDGER=str(patient.folder / "file" / "ledger.sqlite3"))


def folder_that_cannot_be_written(patient: Patient) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    patient.monkeypatch.setattr(ledger_check, "tempfile", SimpleNamespace(TemporaryFile=refuse))


def damaged_ledger(patient: Patient) -> None:
    place(patient)
    whole = patient.ledger.read_bytes()
    patient.ledger.write_bytes(whole[:4096] + b"\x99" * (len(whole) - 4096))


def no_ledger_at_all(patient: Patient) -> None:
    patient.ledger.write_bytes(b"This is a letter to my aunt. " * 400)
    patient.ledger.chmod(0o600)


def newer_ledger(patient: Patient) -> None:
    place(patient)
    in_ledger(patient, "INSERT INTO migrations VALUES (999, '999_future.sql', '2030-01-01T00:00:00Z')")


def database_of_something_else(patient: Patient) -> None:
    in_ledger(patient, "CREATE TABLE recipes (name TEXT)")
    patient.ledger.chmod(0o600)


def ledger_for_everybody(patient: Patient) -> None:
    place(patient)
    patient.ledger.chmod(0o644)


def row_that_cannot_be_read(patient: Patient) -> None:
    place(patient)
    in_ledger(patient, "UPDATE orders SET order_ids = '['")


def ledger_with_a_second_name(patient: Patient) -> None:
    place(patient)
    patient.ledger.with_name("other.sqlite3").hardlink_to(patient.ledger)


def no_place_for_a_witness(patient: Patient) -> None:
    (patient.folder / "file").touch()
    patient.monkeypatch.setenv("XDG_STATE_HOME", str(patient.folder / "file" / "state"))


def left_on_disk(patient: Patient, free: int) -> None:
    def disk_usage(folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    patient.monkeypatch.setattr(shutil, "disk_usage", disk_usage)


def full_disk(patient: Patient) -> None:
    left_on_disk(patient, 3 * 2**20)


def nearly_full_disk(patient: Patient) -> None:
    left_on_disk(patient, 100 * 2**20)


def order_of_unknown_outcome(patient: Patient) -> None:
    place(patient, "reset-after-order")


def ordering_that_is_paused(patient: Patient) -> None:
    place(patient)
    with closing(sqlite3.connect(patient.ledger)) as ledger, ledger:
        ledger.execute("INSERT INTO pause VALUES (1, '2026-03-09T12:00:00.000000Z', 'stocktaking')")


def no_driver_for_postgresql(patient: Patient) -> None:
    patient.monkeypatch.setitem(sys.modules, "psycopg", None)
    patient.set(LEDGER=f"postgresql://desk:{SECRET}@127.0.0.1:9/orders")


def no_database_there(patient: Patient) -> None:
    def numbered_scripts(dialect: str) -> list[tuple[int, str, str]]:
        return [(1, "001_orders.sql", "")]

    patient.monkeypatch.setattr(postgres_check, "numbered_scripts", numbered_scripts)
    patient.set(LEDGER=f"postgresql://desk:{SECRET}@127.0.0.1:9/orders")


def callers_file_that_is_not_there(patient: Patient) -> None:
    patient.set(CALLERS=str(patient.folder / "callers.toml"))


def callers_file_with_a_token_in_it(patient: Patient) -> None:
    path = patient.folder / "callers.toml"
    path.write_text(f'[callers.alice]\ntoken_sha256 = "{SECRET}"\n', encoding="utf-8")
    patient.set(CALLERS=str(path))


def issuer_without_an_audience(patient: Patient) -> None:
    patient.set(OAUTH_ISSUER="https://login.example")


def old_package(patient: Patient) -> None:
    real = metadata.version

    def version(name: str) -> str:
        return "1.9.4" if name == "mcp" else real(name)

    patient.monkeypatch.setattr(metadata, "version", version)


def missing_package(patient: Patient) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "stamina":
            raise metadata.PackageNotFoundError
        return real(name)

    patient.monkeypatch.setattr(metadata, "version", version)


def check_that_fails_itself(patient: Patient) -> None:
    def crash(_: object) -> None:
        raise KeyError(SECRET)

    patient.monkeypatch.setattr(shutil, "disk_usage", crash)


# A ledger in PostgreSQL


async def _in_postgres(url: str) -> str:
    """An order of unknown outcome in the database; its reference."""
    settings = load_settings({"XPORTCN_LEDGER": url, "XPORTCN_APPROVAL": "off"})
    sandbox = build_sandbox()
    sandbox.faults.add("reset-after-order", "create")
    async with Client(build_server(settings, Seams(sandbox=sandbox))) as client:
        preview = await previewed(client)
        order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
        return order["out_order_id"]


def test_a_ledger_in_postgresql_is_looked_at_and_left_as_it_is(
    patient: Patient, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    patient.set(LEDGER=url)
    assert "no tables yet" in patient.examined().checks["ledger"]["found"]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('migrations')").fetchone() == (None,)
    reference = anyio.run(_in_postgres, url)
    report = patient.examined()
    assert report.code == 0
    assert report.checks["ledger"]["status"] == "ok"
    assert reference in report.checks["unknown orders"]["next_step"]
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO migrations VALUES (999, '999_later.sql', '2030-01-01')")
    newer = patient.examined()
    assert newer.code == 1
    assert "newer program" in newer.checks["ledger"]["next_step"]


def _as_role(url: str, *rights: str) -> str:
    """The URL for a role of its own that has these rights alone."""
    with psycopg.connect(url, autocommit=True) as connection:
        role = f"role_{connection.info.dbname}"
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
        for right in rights:
            connection.execute(SQL(right).format(Identifier(role)))  # pyright: ignore[reportArgumentType]
    return url.replace("postgres@", f"{role}@")


def test_the_schema_that_the_servers_url_names_is_the_one_that_is_looked_at(
    patient: Patient, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA mine")
    url += "?options=-csearch_path%3Dmine"
    reference = anyio.run(_in_postgres, url)
    patient.set(LEDGER=url)
    report = patient.examined()
    assert report.code == 0
    assert "no tables yet" not in report.checks["ledger"]["found"]
    assert reference in report.checks["unknown orders"]["next_step"]


@pytest.mark.parametrize("rights", [(), ("GRANT INSERT ON previews, orders, approvals TO {}",)])
def test_a_database_whose_tables_this_user_may_only_read_is_a_fault(
    patient: Patient, postgres: PostgresServer, rights: tuple[str, ...]
) -> None:
    url = postgres.new_database()
    anyio.run(_in_postgres, url)
    patient.set(LEDGER=_as_role(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", *rights))
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["ledger writable"]
    assert "INSERT on trail" in report.checks["ledger writable"]["found"]
    assert "GRANT" in report.checks["ledger writable"]["next_step"]


def test_a_database_in_which_this_user_cannot_make_the_tables_is_a_fault(
    patient: Patient, postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for broken in (_as_role(url), f"{url}?options=-csearch_path%3Dnowhere"):
        patient.set(LEDGER=broken)
        assert [check["name"] for check in patient.examined().faults] == ["ledger writable"]


def test_a_database_whose_transactions_are_read_only_is_a_fault(
    patient: Patient, postgres: PostgresServer
) -> None:
    patient.set(LEDGER=f"{postgres.new_database()}?options=-cdefault_transaction_read_only%3Don")
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["ledger writable"]
    assert "read-only" in report.checks["ledger writable"]["found"]


def test_a_standby_is_a_fault(patient: Patient, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    with psycopg.connect(
        url, autocommit=True
    ) as connection:  # answers as one does; a real one is slow to make
        connection.execute(
            "CREATE FUNCTION public.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'"
        )
    patient.set(LEDGER=f"{url}?options=-csearch_path%3Dpublic,pg_catalog")
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["ledger writable"]
    assert "standby" in report.checks["ledger writable"]["found"]


Plant = Callable[[Patient], None]

PLANTED: list[tuple[Plant, str, str, str]] = [
    (mode_misspelt, "XPORTCN_MODE", "fault", "sandbox, preview or live"),
    (credentials_missing, "XPORTCN_ACCESS_SECRET", "fault", "set XPORTCN_ACCESS_SECRET"),
    (cap_that_is_no_amount, "XPORTCN_MAX_DAY_CNY", "fault", "at most two decimals"),
    (plain_http_to_the_world, "XPORTCN_BASE_URL", "fault", "https://"),
    (line_without_an_equals_sign, "XPORTCN_MAX_ORDER_CNY", "fault", "correct this line"),
    (env_file_in_another_encoding, "settings", "fault", "correct the file"),
    (env_file_of_a_project, "settings", "warning", "--env-file"),
    (named_file_that_is_missing, "settings", "fault", "XPORTCN_ENV_FILE"),
    (ledger_of_every_folder, "XPORTCN_LEDGER", "fault", "the absolute path of a file"),
    (misspelt_name, "XPORTCN_MAX_DAY_CNI", "warning", "did you mean XPORTCN_MAX_DAY_CNY?"),
    (value_that_loses, "XPORTCN_MAX_DAY_ORDERS", "warning", "remove XPORTCN_MAX_DAY_ORDERS"),
    (folder_that_is_a_file, "ledger", "fault", "XPORTCN_LEDGER"),
    (folder_that_cannot_be_written, "ledger writable", "fault", "writable"),
    (damaged_ledger, "ledger", "fault", "backup"),
    (no_ledger_at_all, "ledger", "fault", "backup"),
    (newer_ledger, "ledger", "fault", "newer program"),
    (database_of_something_else, "ledger", "fault", "another path"),
    (row_that_cannot_be_read, "ledger rows", "fault", "mend the rows"),
    (ledger_with_a_second_name, "ledger", "fault", "remove the other name"),
    (no_place_for_a_witness, "ledger witness", "warning", "XDG_STATE_HOME"),
    (full_disk, "ledger space", "fault", "free some space"),
    (nearly_full_disk, "ledger space", "warning", "free some space"),
    (order_of_unknown_outcome, "unknown orders", "warning", "xportcn-mcp orders resolve"),
    (ordering_that_is_paused, "pause", "warning", "xportcn-mcp resume"),
    (no_driver_for_postgresql, "ledger", "fault", 'pip install "xportcn-mcp[postgres]"'),
    (no_database_there, "ledger", "fault", "start the database"),
    (callers_file_that_is_not_there, "callers", "fault", "xportcn-mcp caller new NAME"),
    (callers_file_with_a_token_in_it, "callers", "fault", "correct the file"),
    (issuer_without_an_audience, "callers", "fault", "XPORTCN_OAUTH_AUDIENCE"),
    (old_package, "packages", "fault", "reinstall xportcn-mcp"),
    (missing_package, "packages", "fault", "reinstall xportcn-mcp"),
    (check_that_fails_itself, "ledger", "fault", "report this"),
]
if POSIX:  # Windows keeps permissions elsewhere
    PLANTED.extend(
        [
            (secret_for_everybody, "settings file mode", "warning", "chmod 600"),
            (ledger_for_everybody, "ledger mode", "warning", "chmod 600"),
        ]
    )


@pytest.mark.parametrize(
    ("plant", "name", "status", "cure"), PLANTED, ids=[planted[0].__name__ for planted in PLANTED]
)
def test_a_planted_fault_is_found_with_its_cure(
    patient: Patient, plant: Plant, name: str, status: str, cure: str
) -> None:
    plant(patient)
    report = patient.examined()
    found = [check for check in report.content["checks"] if check["name"] == name]
    assert status in [check["status"] for check in found], report.printed
    assert cure in " ".join(check["next_step"] for check in found)
    assert report.code == (1 if status == "fault" else 0)
    assert SECRET not in report.printed
    code, printed = patient.told()
    assert code == report.code
    assert cure in printed
    assert SECRET not in printed


# Planted faults of the way to the upstream


def upstream_says(answer: Answer, patient: Patient) -> Report:
    with server_that(answer) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        return patient.examined()


@pytest.mark.parametrize(
    ("answer", "name", "status", "cure"),
    [
        (Answer(404, "<html>Not found</html>"), "http", "fault", "XPORTCN_BASE_URL"),
        (Answer(200, "<html>Log in to the hotel's network</html>"), "http", "fault", "log-in page"),
        (Answer(302, location="https://elsewhere.example/api"), "http", "fault", "XPORTCN_BASE_URL"),
        (Answer(503, "<html>busy</html>"), "http", "warning", "try again"),
        (Answer(403, "<html>Forbidden</html>"), "http", "warning", "doctor --probe"),
        (Answer(0), "http", "fault", "XPORTCN_TIMEOUT_SECONDS"),
        (Answer(body=ENVELOPE, date=timedelta(minutes=20)), "clock", "fault", "NTP"),
        (Answer(body=ENVELOPE, date=timedelta(minutes=-20)), "clock", "fault", "NTP"),
        (Answer(body=ENVELOPE, date=timedelta(minutes=4)), "clock", "warning", "NTP"),
        (Answer(body=ENVELOPE), "clock", "warning", "compare"),
        (Answer(body=ENVELOPE, date="yesterday"), "clock", "warning", "compare"),
    ],
    ids=[
        "not found",
        "log-in page",
        "redirect",
        "busy",
        "forbidden",
        "hangs up",
        "clock behind",
        "clock ahead",
        "clock slightly off",
        "no date",
        "no usable date",
    ],
)
def test_an_upstream_that_answers_wrongly_is_found_with_its_cure(
    patient: Patient, answer: Answer, name: str, status: str, cure: str
) -> None:
    report = upstream_says(answer, patient)
    assert report.checks[name]["status"] == status, report.printed
    assert cure in report.checks[name]["next_step"]
    assert report.checks["tcp"]["status"] == "ok"


def test_an_answer_that_drips_is_not_waited_for(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("drip", "search", times=None)
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, TIMEOUT_SECONDS="1", **SANDBOX_ACCOUNT)
        check = patient.examined().checks["http"]
    assert check["status"] == "fault"
    assert "no whole answer" in check["found"]


def test_a_name_that_does_not_exist_is_a_fault_of_dns(patient: Patient) -> None:
    patient.set(MODE="preview", BASE_URL="https://nobody.invalid/api", **SANDBOX_ACCOUNT)
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["dns"]
    assert "XPORTCN_BASE_URL" in report.checks["dns"]["next_step"]
    assert report.checks["clock"]["found"] == "not checked, since dns failed"


def test_a_closed_port_is_a_fault_of_tcp(patient: Patient) -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        base_url = f"http://127.0.0.1:{unused.getsockname()[1]}/api"
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        report = patient.examined()
    assert [check["name"] for check in report.faults] == ["tcp"]
    assert "firewall" in report.checks["tcp"]["next_step"]


def test_a_port_without_tls_is_a_fault_of_tls(patient: Patient) -> None:
    with server_that(Answer(body=ENVELOPE)) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url.replace("http:", "https:"), **SANDBOX_ACCOUNT)
        report = patient.examined()
    assert [check["name"] for check in report.faults] == ["tls"]
    assert "scheme and port" in report.checks["tls"]["next_step"]


def test_a_certificate_that_is_not_trusted_is_a_fault_of_tls_and_never_a_reason_to_switch_it_off() -> None:
    refusal = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refusal.verify_message = "self-signed certificate in certificate chain"
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = refusal
    steps = ["connection.connect_tcp.complete", "connection.start_tls.failed"]
    found = sort_error(error, steps, "https://127.0.0.1/api")
    assert found.name == "tls"
    assert "self-signed" in found.found
    assert "SSL_CERT_FILE" in found.next_step


def test_a_certificate_file_that_is_not_there_is_a_fault_of_tls(patient: Patient) -> None:
    patient.monkeypatch.setenv("SSL_CERT_FILE", str(patient.folder / "gone.pem"))
    patient.set(MODE="preview", BASE_URL="https://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["tls"]
    assert "unset SSL_CERT_FILE" in report.checks["tls"]["next_step"]


def test_a_file_of_settings_that_windows_has_given_an_ending_is_named(patient: Patient) -> None:
    misnamed = patient.ledger.parent / ".env.txt"
    misnamed.parent.mkdir(parents=True, exist_ok=True)
    misnamed.write_text("XPORTCN_APPROVAL=require\n", encoding="utf-8")
    patient.set(LEDGER=str(patient.ledger))
    assert f"{misnamed} is not read" in patient.examined().printed


def test_a_key_log_that_cannot_be_written_is_a_fault_of_tls(patient: Patient) -> None:
    patient.monkeypatch.setenv("SSLKEYLOGFILE", str(patient.folder / "nowhere" / "keys.log"))
    patient.set(MODE="preview", BASE_URL="https://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["tls"]
    assert "unset SSLKEYLOGFILE" in report.checks["tls"]["next_step"]


def test_a_proxy_that_speaks_no_socks_is_a_fault_of_the_proxy(patient: Patient) -> None:
    with server_that(Answer(403)) as proxy:
        address = proxy.removesuffix("/api").replace("http://", f"socks5://desk:{SECRET}@")
        patient.monkeypatch.setenv("ALL_PROXY", address)
        patient.set(
            MODE="preview", BASE_URL="https://xportcn.invalid/api", TIMEOUT_SECONDS="1", **SANDBOX_ACCOUNT
        )
        report = patient.examined()
    assert [check["name"] for check in report.faults] == ["proxy"]
    assert SECRET not in report.printed


def test_a_proxy_that_never_answers_is_a_fault_of_the_proxy() -> None:
    steps = ["connection.connect_tcp.complete", "http11.send_request_headers.started"]
    steps.append("http11.receive_response_headers.failed")
    assert sort_error(httpx.ReadTimeout("slow"), steps, "https://127.0.0.1/api").name == "proxy"
    steps.insert(1, "proxy.start_tls.complete")
    assert sort_error(httpx.ReadTimeout("slow"), steps, "https://127.0.0.1/api").name == "http"


def test_a_network_in_no_proxy_is_reached_without_the_proxy(patient: Patient) -> None:
    patient.monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    patient.monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    patient.set(MODE="preview", BASE_URL="https://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    assert "NO_PROXY" in patient.examined().checks["proxy"]["found"]


def test_a_proxy_that_cannot_be_used_is_a_fault_of_the_proxy(patient: Patient) -> None:
    patient.monkeypatch.setenv("HTTPS_PROXY", f"gopher://desk:{SECRET}@127.0.0.1:9")
    patient.set(MODE="preview", BASE_URL="https://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["proxy"]
    assert "HTTPS_PROXY" in report.checks["proxy"]["next_step"]
    assert SECRET not in report.printed


def test_a_proxy_that_refuses_is_a_fault_of_the_proxy(patient: Patient) -> None:
    with server_that(Answer(403)) as proxy:
        patient.monkeypatch.setenv(
            "HTTPS_PROXY", proxy.removesuffix("/api").replace("//", f"//desk:{SECRET}@")
        )
        patient.set(MODE="preview", BASE_URL="https://xportcn.invalid/api", **SANDBOX_ACCOUNT)
        report = patient.examined()
    assert [check["name"] for check in report.faults] == ["proxy"]
    assert "NO_PROXY" in report.checks["proxy"]["next_step"]
    assert SECRET not in report.printed


def test_a_proxy_that_is_not_there_is_a_fault_of_tcp_and_the_proxy_is_named(patient: Patient) -> None:
    patient.monkeypatch.setenv("HTTPS_PROXY", f"http://desk:{SECRET}@127.0.0.1:9")
    patient.set(MODE="preview", BASE_URL="https://xportcn.invalid/api", **SANDBOX_ACCOUNT)
    report = patient.examined()
    assert [check["name"] for check in report.faults] == ["tcp"]
    assert "127.0.0.1:9" in report.checks["proxy"]["found"]
    assert SECRET not in report.printed


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy", ["desk:{}@127.0.0.1:9", "desk:{}/x@127.0.0.1:9", "http://d:{}@x@127.0.0.1:9"]
)
def test_a_proxys_credentials_are_not_shown_however_it_is_written(
    patient: Patient, name: str, proxy: str
) -> None:
    patient.monkeypatch.setenv(name, proxy.format(SECRET))  # the HTTP library adds the scheme that is missing
    patient.set(MODE="preview", BASE_URL="https://xportcn.invalid/api", **SANDBOX_ACCOUNT)
    for printed in (patient.examined().printed, patient.told()[1]):
        assert SECRET not in printed


# stdout of serve


@pytest.fixture
def with_stdout(patient: Patient) -> Patient:
    patient.monkeypatch.setattr(program, "check_stdout", real_check_stdout)
    return patient


def runs_at_the_start_of_python(patient: Patient, text: str) -> None:
    folder = patient.folder / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    patient.monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_print_on_the_stdout_of_serve_is_a_fault_that_quotes_it(with_stdout: Patient) -> None:
    runs_at_the_start_of_python(with_stdout, "print('Welcome to the company laptop')\n")
    check = with_stdout.examined().checks["stdout of serve"]
    assert check["status"] == "fault"
    assert "Welcome to the company laptop" in check["found"]
    assert "sitecustomize" in check["next_step"]


def test_a_server_that_does_not_start_is_a_fault(with_stdout: Patient) -> None:
    runs_at_the_start_of_python(with_stdout, "import sys\nsys.modules['mcp'] = None\n")
    check = with_stdout.examined().checks["stdout of serve"]
    assert check["status"] == "fault"
    assert "ended with code" in check["found"]
    assert "reinstall xportcn-mcp" in check["next_step"]


def test_a_server_that_does_not_end_is_a_fault(with_stdout: Patient) -> None:
    runs_at_the_start_of_python(with_stdout, "import threading\nthreading.Event().wait()\n")
    check = program.check_stdout(seconds=1)
    assert check.status == "fault"
    assert "by hand" in check.next_step


def test_the_real_ledger_and_the_real_account_are_far_from_the_server_that_is_tried(
    with_stdout: Patient,
) -> None:
    with_stdout.set(MODE="live", BASE_URL="http://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    assert with_stdout.examined().checks["stdout of serve"]["status"] == "ok"
    assert not with_stdout.ledger.exists()


def test_the_server_that_is_tried_tells_no_collector_of_telemetry(with_stdout: Patient) -> None:
    told = with_stdout.folder / "environment"
    text = f"import os; open({str(told)!r}, 'w').write(' '.join(os.environ))\n"
    runs_at_the_start_of_python(with_stdout, text)
    with_stdout.monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert with_stdout.examined().checks["stdout of serve"]["status"] == "ok"
    names = told.read_text(encoding="utf-8").split()
    assert "XPORTCN_MODE" in names
    assert not [name for name in names if name.startswith("OTEL_")]


# Health


def test_a_new_installation_has_no_fault_and_no_warning(with_stdout: Patient) -> None:
    report = with_stdout.examined()
    assert [check for check in report.content["checks"] if check["status"] != "ok"] == []
    assert report.content["probe"] is None
    assert report.checks["clock"]["found"] == "not needed in sandbox mode"
    assert not with_stdout.ledger.exists()
    assert not (with_stdout.folder / "data").exists()


def test_the_file_of_a_large_ledger_is_looked_at_as_a_whole_only_where_the_owner_asks(
    patient: Patient,
) -> None:
    place(patient)
    ballast = "CREATE TABLE ballast (content)", "INSERT INTO ballast VALUES (zeroblob(68000000))"
    in_ledger(patient, *ballast, "PRAGMA wal_checkpoint(TRUNCATE)")
    with patient.ledger.open("r+b") as file:
        file.seek(40_000_000)
        file.write(b"\x99" * 20_000)
    quick = {check["name"]: check for check in patient.examined().content["checks"]}
    assert (quick["ledger file"]["status"], quick["ledger rows"]["status"]) == ("ok", "ok")
    for name in ("ledger file", "ledger rows"):
        assert "doctor --whole" in quick[name]["next_step"]
    whole = patient.examined("--whole")
    assert whole.code == 1
    assert ["damaged" in fault["found"] for fault in whole.faults] == [True]


def test_a_row_of_a_large_ledger_that_cannot_be_read_is_found_among_the_newest(patient: Patient) -> None:
    row_that_cannot_be_read(patient)
    in_ledger(patient, "CREATE TABLE ballast (content)", "INSERT INTO ballast VALUES (zeroblob(68000000))")
    assert [fault["name"] for fault in patient.examined().faults] == ["ledger rows"]


def test_an_account_in_use_has_no_fault(patient: Patient) -> None:
    place(patient)
    with sandbox_on_a_port(build_sandbox()) as base_url:
        patient.write_env(
            f"XPORTCN_ACCESS_KEY={SANDBOX_ACCOUNT['ACCESS_KEY']}\nXPORTCN_ACCESS_SECRET={SANDBOX_ACCOUNT['ACCESS_SECRET']}\n"
        )
        patient.set(MODE="preview", BASE_URL=base_url, USER_ID=SANDBOX_ACCOUNT["USER_ID"])
        report = patient.examined()
    assert [check for check in report.content["checks"] if check["status"] != "ok"] == []
    assert report.checks["http"]["found"].startswith("HTTP 200, code 401")  # unsigned, as it should be


def test_every_setting_is_shown_with_the_place_that_it_comes_from(patient: Patient) -> None:
    file = patient.write_env("XPORTCN_FLOW=general\n")
    patient.set(MAX_DAY_ORDERS="7")
    checks = patient.examined().checks
    assert checks["XPORTCN_FLOW"]["found"] == f"general (from {file})"
    assert checks["XPORTCN_MAX_DAY_ORDERS"]["found"] == "7 (from environment)"
    assert str(file) in checks["settings"]["found"]


def test_the_caps_and_the_rule_of_approval_that_are_in_force_are_said(patient: Patient) -> None:
    patient.set(MAX_ORDER_CNY="99.50")
    checks = patient.examined().checks
    assert "One order: at most 99.50 CNY." in checks["caps"]["found"]
    assert "at most 10000.00 CNY and 50 orders" in checks["caps"]["found"]
    assert checks["approval"]["found"].startswith("ask: the person is asked where the client can ask;")
    patient.set(MAX_ORDER_CNY="99.505")
    assert not {"caps", "approval"} & patient.examined().checks.keys(), "no server starts"


def test_settings_that_cannot_be_read_leave_the_other_checks_standing(patient: Patient) -> None:
    patient.set(MODE="prod", MAX_DAY_CNY="2k")
    report = patient.examined()
    assert {check["name"] for check in report.faults} == {"XPORTCN_MODE", "XPORTCN_MAX_DAY_CNY"}
    assert report.checks["ledger"]["status"] == "ok"
    assert report.checks["http"]["found"] == "not looked at"


def test_a_ledger_that_cannot_be_read_as_a_setting_is_not_guessed_at(patient: Patient) -> None:
    patient.set(LEDGER=str(patient.folder))
    report = patient.examined()
    assert report.checks["XPORTCN_LEDGER"]["status"] == "fault"
    assert report.checks["ledger"]["found"] == "not looked at"


# Secrets


def test_no_secret_is_shown_in_either_form_wherever_it_stands(patient: Patient) -> None:
    file = patient.write_env(
        f"XPORTCN_ACCESS_SECRET={SECRET}-file\nXPORTCN_STATE_KEYS={SECRET}-{'k' * 32}\n"
        f"XPORTCN_USER_ID=user-{SECRET}\nXPORTCN_ACCES_SECRET={SECRET}\n"
    )
    patient.set(
        MODE="preview",
        ACCESS_KEY="AK0123456789abcdef",
        ACCESS_SECRET=SECRET,
        BASE_URL="http://127.0.0.1:9/api",
    )
    report = patient.examined()
    _, printed = patient.told()
    for text in (report.printed, printed):
        assert SECRET not in text
        assert "AK0123456789abcdef" not in text
    assert report.checks["XPORTCN_ACCESS_KEY"]["found"] == "AK01... (18 characters) (from environment)"
    assert str(file) in report.checks["XPORTCN_ACCESS_SECRET"]["found"]
    assert report.checks["XPORTCN_ACCESS_SECRET"]["status"] == "warning"
    assert "did you mean XPORTCN_ACCESS_SECRET?" in report.checks["XPORTCN_ACCES_SECRET"]["next_step"]


@pytest.mark.parametrize("name", ["ACCESS_KEY", "ACCESS_SECRET", "USER_ID", "STATE_KEYS", "MESSAGES_SECRET"])
def test_a_secret_that_cannot_be_read_is_not_quoted(patient: Patient, name: str) -> None:
    patient.set(MODE="preview", BASE_URL="http://127.0.0.1:9/api", **SANDBOX_ACCOUNT)
    patient.set(**{name: f"{SECRET[:9]} \x07 {SECRET}"})
    report = patient.examined()
    assert report.checks[f"XPORTCN_{name}"]["status"] == "fault"
    assert SECRET[:9] not in report.printed


# It changes nothing


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("plant", [damaged_ledger, newer_ledger, database_of_something_else, place])
def test_the_ledger_and_its_folder_are_left_as_they_are(patient: Patient, plant: Plant) -> None:
    plant(patient)
    before = state_of(patient.folder)
    patient.examined()
    assert state_of(patient.folder) == before


def doctor_in_a_process(patient: Patient, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", "from xportcn_server.commands.cli import main; main(['doctor'])"],
        capture_output=True,
        cwd=patient.folder,
        env=os.environ | patient.environ() | environ,
        timeout=60,
        check=False,
    )


@contextmanager
def left_open(patient: Patient) -> Generator[sqlite3.Connection]:
    """The ledger as a server holds it: open, with commits in the write-ahead log."""
    with closing(sqlite3.connect(patient.ledger, isolation_level=None)) as ledger:
        ledger.execute("PRAGMA journal_mode = WAL")
        ledger.execute("UPDATE orders SET state = 'unknown'")
        yield ledger


def test_a_ledger_in_use_is_read_with_what_is_in_its_log_and_left_in_use(patient: Patient) -> None:
    reference = place(patient)
    with left_open(patient) as ledger:
        done = doctor_in_a_process(patient)
        assert done.returncode == 0, done.stdout
        assert f"orders resolve {reference}".encode() in done.stdout
        assert patient.ledger.with_name("ledger.sqlite3-wal").stat().st_size > 0
        ledger.execute("UPDATE orders SET state = 'absent'")
    assert patient.examined().checks["unknown orders"]["found"] == "none"


def test_a_ledger_that_another_program_keeps_to_itself_is_a_fault(patient: Patient) -> None:
    place(patient)
    with closing(sqlite3.connect(patient.ledger, isolation_level=None)) as ledger:
        ledger.execute("PRAGMA locking_mode = EXCLUSIVE")
        ledger.execute("BEGIN EXCLUSIVE")
        ledger.execute("UPDATE orders SET state = 'unknown'")
        ledger.execute("COMMIT")
        done = doctor_in_a_process(patient)
    assert done.returncode == 1, done.stdout
    assert b"end the program that holds it" in done.stdout


def test_a_console_that_knows_no_chinese_gets_escapes_and_no_traceback(patient: Patient) -> None:
    patient.set(STAFF_NAME="王小明")
    done = doctor_in_a_process(patient, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert b"\\u738b" in done.stdout
    assert done.stderr == b""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from harness.settings import environ_of
from xportcn_server.serve import look_before
from xportcn_server.settings import settings as settings_module
from xportcn_server.settings.settings import FIELDS, Settings, SettingsError, load_settings
from xportcn_tools.money import fen_of_yuan

EXAMPLE = Path(__file__).parents[2] / ".env.example"
SECRET = "s3cr3t-that-nobody-may-see"
KEY = "k" * 31 + "1"
ACCOUNT = {"XPORTCN_ACCESS_KEY": "AK1", "XPORTCN_ACCESS_SECRET": SECRET, "XPORTCN_USER_ID": "77"}


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()

    def user_data_path(*_: object, **__: object) -> Path:
        return folder

    monkeypatch.setattr(settings_module.platformdirs, "user_data_path", user_data_path)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def load(work: Path, **values: str) -> Settings:
    return load_settings(environ_of(**values), work)


def fault(work: Path, **values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(work, **values)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_any_setting_the_sandbox_runs_with_the_documented_defaults(
    work: Path, data_folder: Path
) -> None:
    settings = load(work)
    assert settings.model_dump() == {
        "mode": "sandbox",
        "base_url": "https://www.xportcn.com/api",
        "access_key": None,
        "access_secret": None,
        "user_id": None,
        "signature": "concat",
        "timestamp_unit": "s",
        "ledger": str(data_folder / "sandbox.sqlite3"),
        "preview_ttl_seconds": 600,
        "recheck_after_seconds": 15.0,
        "timeout_seconds": 20.0,
        "approval": "ask",
        "max_order_fen": 200_000,
        "max_day_fen": 1_000_000,
        "max_day_orders": 50,
        "trade_types": ("assureTrade", "fxassure", "alipay"),
        "flow": None,
        "order_lookup": "off",
        "order_list_path": "/alibaba/ka/order/list",
        "ali_id": None,
        "order_user_id": None,
        "staff_name": None,
        "developer_id": None,
        "platform_order": None,
        "callers": None,
        "oauth_issuer": None,
        "oauth_audience": None,
        "state_keys": (),
        "retention_days": 400,
        "log_level": "WARNING",
        "log_format": "text",
        "trade_types_set": False,
        "sources": (),
        "unknown_names": (),
        "set_by_folder": (),
    }
    assert settings.environment == "sandbox"


def test_settings_cannot_be_changed(work: Path) -> None:
    settings: Any = load(work)
    with pytest.raises(ValidationError):
        settings.mode = "live"


# -- sources


def test_environment_wins_over_the_ledgers_folder_which_wins_over_the_working_directory(
    work: Path, data_folder: Path
) -> None:
    (work / ".env").write_text("XPORTCN_FLOW=c\nXPORTCN_ALI_ID=c\nXPORTCN_STAFF_NAME=c\n", "utf-8")
    (data_folder / ".env").write_text("XPORTCN_FLOW=b\nXPORTCN_ALI_ID=b\n", "utf-8")
    settings = load(work, FLOW="a")
    assert (settings.flow, settings.ali_id, settings.staff_name) == ("a", "b", "c")
    sources = {name: source for name, _, source in settings.describe()}
    assert sources["XPORTCN_FLOW"] == "environment"
    assert sources["XPORTCN_ALI_ID"] == str(data_folder / ".env")
    assert sources["XPORTCN_STAFF_NAME"] == str(work / ".env")
    assert sources["XPORTCN_MODE"] == "default"
    assert settings.set_by_folder == ("XPORTCN_STAFF_NAME",)


OWNERS = {
    "APPROVAL": "require",
    "MAX_ORDER_CNY": "100",
    "TRADE_TYPES": "alipay",
    "BASE_URL": "https://a.example",
}
STRANGERS = {
    "APPROVAL": "off",
    "MAX_ORDER_CNY": "999999",
    "TRADE_TYPES": "creditBuy",
    "BASE_URL": "https://evil.example",
    "LEDGER": "fresh.sqlite3",
}


def test_the_env_file_of_a_project_overrules_nothing_that_the_owner_has_set_beside_the_ledger(
    work: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "owners" / "orders.sqlite3"
    ledger.parent.mkdir()
    for folder, values in ((ledger.parent, OWNERS), (work, STRANGERS)):
        lines = [f"XPORTCN_{name}={value}" for name, value in values.items()]
        (folder / ".env").write_text("\n".join(lines), "utf-8")
    settings = load(work, LEDGER=str(ledger))
    assert settings == load(tmp_path, LEDGER=str(ledger))
    assert (settings.approval, settings.max_order_fen, settings.trade_types) == (
        "require",
        10_000,
        ("alipay",),
    )
    assert settings.set_by_folder == ()


def test_the_ledger_that_a_working_directory_names_brings_its_own_env_file(
    work: Path, data_folder: Path
) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=far\n", "utf-8")
    (work / "kept").mkdir()
    (work / "kept" / ".env").write_text("XPORTCN_ALI_ID=near\n", "utf-8")
    (work / ".env").write_text("XPORTCN_LEDGER=kept/orders.sqlite3\n", "utf-8")
    settings = load(work)
    assert (settings.ledger_path, settings.ali_id) == (work / "kept" / "orders.sqlite3", "near")
    assert (settings.flow, settings.set_by_folder) == (None, ("XPORTCN_LEDGER",))


def test_at_its_start_the_server_names_what_the_folders_own_env_file_sets_and_no_value(
    work: Path, data_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data_folder / ".env").write_text("XPORTCN_APPROVAL=require\n", "utf-8")
    (work / ".env").write_text("XPORTCN_APPROVAL=off\nXPORTCN_MAX_DAY_CNY=77777\nXPORTCN_FLOW=x\n", "utf-8")
    look_before(load(work, FLOW="general"))
    (line,) = caplog.messages
    assert line.startswith("the .env of the working directory sets XPORTCN_MAX_DAY_CNY: ")
    assert "77777" not in line
    caplog.clear()
    look_before(load(data_folder))
    assert caplog.messages == []


def test_the_env_file_beside_the_ledger_is_the_owners_wherever_the_server_is_started(
    work: Path, data_folder: Path
) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=general\n", "utf-8")
    assert load(data_folder).flow == "general"
    assert load(data_folder).set_by_folder == load(work).set_by_folder == ()


@pytest.mark.parametrize("named_in", ["environment", ".env"])
def test_the_env_file_beside_a_ledger_that_was_named_is_read(
    work: Path, tmp_path: Path, named_in: str
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / ".env").write_text("XPORTCN_FLOW=beside\n", "utf-8")
    ledger = str(folder / "orders.sqlite3")
    if named_in == ".env":
        (work / ".env").write_text(f"XPORTCN_LEDGER='{ledger}'\n", "utf-8")
        assert load(work).flow == "beside"
    else:
        assert load(work, LEDGER=ledger).flow == "beside"


def test_an_env_file_may_have_a_byte_order_mark_quotes_comments_and_windows_line_ends(work: Path) -> None:
    text = (
        "\ufeffXPORTCN_STAFF_NAME=王\r\n"
        "# a comment\r\n"
        "export XPORTCN_FLOW='general' # why\r\n"
        'XPORTCN_ALI_ID = "a # b"\r\n'
        "XPORTCN_ORDER_USER_ID=${HOME}\r\n"
        "PATH=elsewhere\r\n"
    )
    (work / ".env").write_bytes(text.encode())
    settings = load(work)
    assert (settings.staff_name, settings.flow, settings.ali_id) == ("王", "general", "a # b")
    assert settings.order_user_id == "${HOME}"  # taken literally
    assert settings.unknown_names == ()


@pytest.mark.parametrize("content", [b"XPORTCN_FLOW=\xff\xfe\n", "XPORTCN_FLOW=a\n".encode("utf-16")])
def test_an_env_file_that_is_not_utf_8_stops_the_start(work: Path, content: bytes) -> None:
    (work / ".env").write_bytes(content)
    assert fault(work) == f"{work / '.env'} cannot be read: it is not text in UTF-8"


def test_an_env_file_that_cannot_be_opened_stops_the_start(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root, in a container, could open anything
    assert f"{work / '.env'} cannot be read: Permission denied" in fault(work)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n\nXPORTCN_MAX_ORDER_CNY 500\n", 3),
        ("XPORTCN_MAX_ORDER_CNY\n", 1),
        (f'A=1\nXPORTCN_MAX_ORDER_CNY="{SECRET}\n', 2),
        ('A="1\nXPORTCN_MAX_ORDER_CNY=500\nB="2"\n', 2),
    ],
)
def test_a_line_of_ours_that_makes_no_sense_stops_the_start(work: Path, text: str, line: int) -> None:
    (work / ".env").write_text(text, "utf-8")
    message = fault(work)
    assert message.startswith(f"XPORTCN_MAX_ORDER_CNY in {work / '.env'}, line {line} cannot be read")
    assert SECRET not in message


def test_a_line_of_somebody_else_that_makes_no_sense_is_passed_over(work: Path) -> None:
    (work / ".env").write_text("what is this\nXPORTCN_FLOW=general\n", "utf-8")
    assert load(work).flow == "general"


def test_a_folder_named_env_is_no_settings_file(work: Path) -> None:
    (work / ".env").mkdir()
    assert load(work).mode == "sandbox"


def test_an_empty_value_is_a_setting_that_is_not_set(work: Path) -> None:
    (work / ".env").write_text("XPORTCN_FLOW=paired\n", "utf-8")
    settings = load(work, FLOW="  ", MODE="", TRADE_TYPES="\t")
    assert (settings.flow, settings.mode, settings.trade_types_set) == ("paired", "sandbox", False)


def test_names_that_mean_nothing_are_kept_for_a_warning(work: Path) -> None:
    (work / ".env").write_text("XPORTCN_MAX_DAYCNY=5\nOTHER=1\n", "utf-8")
    settings = load(work, MAX_ODER_CNY="5", TEST_NO_SKIPS="1")
    assert settings.unknown_names == ("XPORTCN_MAX_DAYCNY", "XPORTCN_MAX_ODER_CNY")


@pytest.mark.parametrize("name", ["BASE_URL", "OAUTH_ISSUER", "OAUTH_AUDIENCE"])
@pytest.mark.parametrize(
    "url", ["me:{}@host/api", "https://me:{}@host/api", "me:{}@https://host/api", "https:me:{}/x@host/api"]
)
def test_a_url_that_is_refused_is_told_without_credentials_however_it_is_written(
    work: Path, name: str, url: str
) -> None:
    message = fault(work, **{name: url.format(SECRET)})
    assert SECRET not in message
    assert "***@" in message
    assert "host/api" in message


# -- what is allowed

REFUSED = [
    ("MODE", ["LIVE", "prod", "sandbox,live"]),
    (
        "BASE_URL",
        [
            "www.xportcn.com/api",
            "ftp://www.xportcn.com",
            "http://www.xportcn.com/api",
            "http://localhost.example.com/",
            "http://128.0.0.1/",
            "http://[::2]/",
            "http://[::ffff:127.0.0.1]/",
            "https://user@host/",
            "http://127.0.0.1\\@example.com/",
            "https://host/api?x=1",
            "https://host/api#x",
            "https://host:port/",
            "https://host:99999/",
            "https://[::1/",
            "https://",
            "https:///api",
            "https://ho st/",
        ],
    ),
    ("ACCESS_KEY", ["two words", "schlüssel", "a\nb"]),
    ("USER_ID", ["two words", "七七"]),
    ("SIGNATURE", ["md5", "Concat"]),
    ("TIMESTAMP_UNIT", ["us", "S"]),
    ("LEDGER", ["mysql://host/db", "sqlite:///file", "postgres://host/db", "postgresql://", "a\nb"]),
    (
        "LEDGER",
        [
            "postgresql://me:a%zz@db/orders",
            "postgresql://me:a%@db/orders",
            "postgresql://me:a%00b@db/orders",
            "postgresql://me:a@b@db/orders",
            "postgresql://me:a/b@db/orders",
            "postgresql://me:12/b@db/orders",
            "postgresql://me:12?b@db/orders",
            "postgresql://me:a#b@db/orders",
            "postgresql://me:geheim\u00fc@db/orders",
            "postgresql://me:a b@db/orders",
            "postgresql://me:a@/orders",
            "postgresql:///orders",
            "postgresql://me@db:x/orders",
            "postgresql://db/orders?password=a@b",
            "postgresql://db/orders?password=a%b",
        ],
    ),
    ("PREVIEW_TTL_SECONDS", ["59", "1801", "600.0", "6e2", "+600", "-600", "1_000", "٦٠٠", "abc"]),
    ("RECHECK_AFTER_SECONDS", ["-1", "1234567890", "nan", "inf", "1e1", "1_0", ".5", "5."]),
    ("TIMEOUT_SECONDS", ["0", "0.99", "50.01", "NaN", "Infinity", "2e1", "２０"]),
    ("APPROVAL", ["yes", "ASK", "never"]),
    ("MAX_ORDER_CNY", ["-1", "1.001", "1e3", "NaN", "1_000", "1,000", "¥5", "5.", ".5", "9" * 13]),
    ("MAX_DAY_CNY", ["-0.01", "0.001", "Infinity", "2000 CNY"]),
    ("MAX_DAY_ORDERS", ["-1", "1.5", "5.0", "9" * 5000]),
    ("TRADE_TYPES", [",", "alipay,", "alipay,alipay", "a b", "支付宝", "a-b"]),
    ("ORDER_LOOKUP", ["on", "detail"]),
    (
        "ORDER_LIST_PATH",
        ["alibaba/list", "/", "//host/x", "/a/../b", "/a?b", "/a b", "/alibaba/ka/order/create"],
    ),
    ("DEVELOPER_ID", ["x", "1.0", "-1"]),
    ("PLATFORM_ORDER", ["true", "1_0"]),
    ("CALLERS", ["a\x00b"]),
    ("OAUTH_ISSUER", ["http://issuer.example", "issuer.example", "https://a@b"]),
    ("OAUTH_AUDIENCE", ["api://orders", "orders", "http://orders.example/mcp", "https://o.example/mcp?x"]),
    ("STATE_KEYS", ["short", f"{KEY},short", f"{KEY},", f"{KEY},{KEY}"]),
    ("RETENTION_DAYS", ["0", "-1", "1.0"]),
    ("LOG_LEVEL", ["TRACE", "10"]),
    ("LOG_FORMAT", ["JSON", "xml"]),
    ("STAFF_NAME", ["a\x1bb", "a\u202eb", "\ud800"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED for value in values])
def test_a_value_that_is_not_allowed_is_named_with_what_is(work: Path, name: str, value: str) -> None:
    message = fault(work, **{name: value})
    assert message.startswith(f"XPORTCN_{name} ")
    assert message.isprintable()
    allowed = Settings.model_fields[FIELDS[f"XPORTCN_{name}"]].description
    assert message.endswith(f"allowed: {allowed}")


ACCEPTED: list[tuple[str, str, str, Any]] = [
    ("MODE", "sandbox", "mode", "sandbox"),
    ("BASE_URL", "https://eu.xportcn.com:8443/api//", "base_url", "https://eu.xportcn.com:8443/api"),
    ("BASE_URL", "http://localhost:9900", "base_url", "http://localhost:9900"),
    ("BASE_URL", "http://127.9.8.7/api", "base_url", "http://127.9.8.7/api"),
    ("BASE_URL", "http://[::1]:9900/", "base_url", "http://[::1]:9900"),
    ("PREVIEW_TTL_SECONDS", "60", "preview_ttl_seconds", 60),
    ("PREVIEW_TTL_SECONDS", " 1800 ", "preview_ttl_seconds", 1800),
    ("RECHECK_AFTER_SECONDS", "0", "recheck_after_seconds", 0.0),
    ("RECHECK_AFTER_SECONDS", "3600", "recheck_after_seconds", 3600.0),
    ("TIMEOUT_SECONDS", "1", "timeout_seconds", 1.0),
    ("TIMEOUT_SECONDS", "2.5", "timeout_seconds", 2.5),
    ("TIMEOUT_SECONDS", "50", "timeout_seconds", 50.0),
    ("APPROVAL", "require", "approval", "require"),
    ("MAX_ORDER_CNY", "0", "max_order_fen", 0),
    ("MAX_ORDER_CNY", "65.6", "max_order_fen", 6560),
    ("MAX_DAY_CNY", "0.07", "max_day_fen", 7),
    ("MAX_DAY_ORDERS", "0", "max_day_orders", 0),
    ("TRADE_TYPES", "credit, alipay", "trade_types", ("credit", "alipay")),
    ("ORDER_LIST_PATH", "/v2/list", "order_list_path", "/v2/list"),
    ("STAFF_NAME", "王小明", "staff_name", "王小明"),
    ("DEVELOPER_ID", "12", "developer_id", 12),
    ("OAUTH_ISSUER", "https://issuer.example/", "oauth_issuer", "https://issuer.example/"),
    ("OAUTH_AUDIENCE", "https://orders.example/mcp", "oauth_audience", "https://orders.example/mcp"),
    ("OAUTH_AUDIENCE", "http://127.0.0.1:8000/mcp", "oauth_audience", "http://127.0.0.1:8000/mcp"),
    ("RETENTION_DAYS", "1", "retention_days", 1),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("LOG_FORMAT", "json", "log_format", "json"),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), ACCEPTED)
def test_a_value_that_is_allowed_is_read(work: Path, name: str, text: str, field: str, value: Any) -> None:
    assert getattr(load(work, **{name: text}), field) == value


def test_trade_types_tell_whether_the_owner_has_set_them(work: Path) -> None:
    assert load(work, TRADE_TYPES="assureTrade,fxassure,alipay").trade_types_set
    assert not load(work).trade_types_set


def test_all_faults_are_reported_at_once(work: Path) -> None:
    (work / ".env").write_text("XPORTCN_LOG_FORMAT=xml\nXPORTCN_FLOW\n", "utf-8")
    message = fault(work, MODE="live", TIMEOUT_SECONDS="99", MAX_DAY_CNY="many")
    names = ["FLOW", "ACCESS_KEY", "ACCESS_SECRET", "USER_ID", "TIMEOUT_SECONDS", "MAX_DAY_CNY", "LOG_FORMAT"]
    parts = message.split("; ")
    assert [part.split()[0] for part in parts] == [f"XPORTCN_{name}" for name in names]
    assert f"(from {work / '.env'})" in parts[-1]


@pytest.mark.parametrize("mode", ["preview", "live"])
@pytest.mark.parametrize("missing", sorted(ACCOUNT))
def test_real_modes_need_the_whole_account(work: Path, mode: str, missing: str) -> None:
    given_settings = {"XPORTCN_MODE": mode, **ACCOUNT}
    assert load_settings(given_settings, work).mode == mode
    del given_settings[missing]
    with pytest.raises(SettingsError) as caught:
        load_settings(given_settings, work)
    assert str(caught.value) == f"{missing} is missing: mode {mode} needs it"


# -- the ledger


def test_the_sandbox_has_a_ledger_of_its_own(work: Path, data_folder: Path) -> None:
    assert load(work).ledger_path == data_folder / "sandbox.sqlite3"
    for mode in ("preview", "live"):
        settings = load_settings({"XPORTCN_MODE": mode, **ACCOUNT}, work)
        assert settings.ledger_path == data_folder / "orders.sqlite3"


def test_a_ledgers_path_is_made_absolute_from_the_working_directory_or_home(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(work / "home"))
    monkeypatch.setenv("USERPROFILE", str(work / "home"))
    assert load(work, LEDGER="mine/o.db").ledger_path == work / "mine" / "o.db"
    assert load(work, LEDGER="~/o.db").ledger_path == work / "home" / "o.db"
    assert load(work, LEDGER="o.db").ledger_url is None
    assert load(work, CALLERS="callers.json").callers == work / "callers.json"


def test_a_home_of_nobody_and_a_folder_are_no_ledger(work: Path) -> None:
    assert fault(work, LEDGER="~nobody-of-this-name/o.db").startswith("XPORTCN_LEDGER is '~nobody")
    assert fault(work, LEDGER=str(work)).startswith("XPORTCN_LEDGER is ")


def test_a_ledger_in_postgresql_is_known_by_its_url(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=still read\n", "utf-8")
    settings = load(work, LEDGER="postgresql://owner@db/orders")
    assert (settings.ledger_path, settings.ledger_url) == (None, "postgresql://owner@db/orders")
    assert settings.flow == "still read"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db",
        "postgresql://me:p%40ss%2Fw%25@db.example:5433/orders",
        "postgresql://me:@127.0.0.1/orders",
        "postgresql://me:a:b&c=d@db/orders",
        "postgresql://me@[::1]:5432/orders",
        "postgresql://me@one:5432,two:5432/orders?target_session_attrs=read-write&sslmode=verify-full",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/orders",
        "postgresql:///orders?host=/var/run/postgresql",
        "postgresql://me@db/orders?options=-csearch_path%3Dmine",
    ],
)
def test_a_url_that_postgresql_reads_is_read_as_it_stands(work: Path, url: str) -> None:
    conninfo_to_dict(url)  # the driver's own judgement
    assert load(work, LEDGER=url).ledger_url == url


# -- secrets


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://owner:{SECRET}@db/orders",
        f"postgresql://owner:a%40{SECRET}%2Fx@db/orders",
        f"postgresql://db/orders?user=o&password={SECRET}",
    ],
)
def test_no_secret_is_in_a_representation_or_a_listing(work: Path, url: str) -> None:
    settings = load_settings({**ACCOUNT, "XPORTCN_LEDGER": url, "XPORTCN_STATE_KEYS": SECRET + KEY}, work)
    assert settings.access_secret is not None
    assert settings.access_secret.get_secret_value() == SECRET
    assert settings.state_keys[0].get_secret_value() == SECRET + KEY
    assert settings.ledger_url == url
    shown = {name: value for name, value, _ in settings.describe()}
    assert shown["XPORTCN_ACCESS_SECRET"] == shown["XPORTCN_STATE_KEYS"] == "***"
    for text in (repr(settings), str(settings), repr(settings.describe())):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_SECRET", f"{SECRET}\x07"),
        ("STATE_KEYS", SECRET),
        ("LEDGER", f"mysql://owner:{SECRET}@db/orders"),
        ("LEDGER", f"mysql://db/orders?password={SECRET}"),
        ("LEDGER", f"postgresql://owner:a@{SECRET}/x@db/orders"),
        ("LEDGER", f"postgresql://owner:{SECRET}%zz@db/orders"),
        ("LEDGER", f"postgresql://owner:{SECRET}"),
        ("BASE_URL", f"https://user:{SECRET}@host/api"),
        ("OAUTH_ISSUER", f"https://user:{SECRET}@host/api"),
    ],
)
def test_no_secret_is_in_a_fault(work: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(work, **{name: value})
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_listing_has_every_setting_with_its_value_as_written(work: Path) -> None:
    listing = load(work, MAX_ORDER_CNY="65.6", TIMEOUT_SECONDS="2.5", TRADE_TYPES="a,b").describe()
    shown = {name: value for name, value, _ in listing}
    assert list(shown) == list(FIELDS)
    assert shown["XPORTCN_MAX_ORDER_CNY"] == "65.60"
    assert shown["XPORTCN_RECHECK_AFTER_SECONDS"] == "15"
    assert shown["XPORTCN_TIMEOUT_SECONDS"] == "2.5"
    assert shown["XPORTCN_TRADE_TYPES"] == "a,b"
    assert shown["XPORTCN_FLOW"] == "not set"


# -- money


@given(st.integers(0, 10**14 - 1), st.integers(0, 2))
def test_every_amount_in_fen_survives_being_written_in_yuan(fen: int, decimals: int) -> None:
    assume(fen % 10 ** (2 - decimals) == 0)
    text = f"{fen // 100}.{fen % 100:02d}"[: None if decimals == 2 else decimals - 2].rstrip(".")
    assert fen_of_yuan(text) == fen


@given(st.text(alphabet="0123456789.-+eE_, ¥٣naif", max_size=16))
def test_a_text_is_an_exact_amount_or_refused(text: str) -> None:
    try:
        fen = fen_of_yuan(text)
    except ValueError:
        assert not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text)
    else:
        assert Decimal(text) * 100 == fen >= 0


# -- the example file


def test_the_example_lists_every_setting_in_order_each_with_its_meaning_and_default(
    work: Path, data_folder: Path
) -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    settings = [index for index, line in enumerate(lines) if re.match(r"# XPORTCN_", line)]
    names = [lines[index].removeprefix("# ").partition("=")[0] for index in settings]
    assert names == list(FIELDS)
    for index in settings:
        assert re.match(r"# [^X\s]", lines[index - 1]), f"{lines[index]} has no meaning above it"
    assert all(line == "" or line.startswith("# ") for line in lines)

    (work / ".env").write_text("\n".join(lines[index].removeprefix("# ") for index in settings), "utf-8")
    of_source = {"sources", "trade_types_set", "set_by_folder"}
    read = load_settings({}, work).model_dump(exclude=of_source)
    assert read == load_settings({}, data_folder).model_dump(exclude=of_source)
    assert len(load_settings({}, work).sources) == sum(not lines[index].endswith("=") for index in settings)

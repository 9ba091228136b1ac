import os
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from harness.settings import environ_of, load_settings
from xportcn_server.settings import loaded as loaded_module
from xportcn_server.settings.loaded import Loaded, SettingsError, read_settings
from xportcn_server.settings.settings import FIELDS, Settings
from xportcn_server.settings.sources import MOST_BYTES
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

    monkeypatch.setattr(loaded_module.platformdirs, "user_data_path", user_data_path)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def load(work: Path, **values: str) -> Settings:
    return load_settings(environ_of(**values), work)


def read(work: Path, env_file: str | None = None, **values: str) -> Loaded:
    return read_settings(environ_of(**values), work, env_file)


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
        "products": "on",
        "product_path": "/alibaba/ka/product/detail/get",
        "search_path": "/alibaba/ka/product/keywords/query",
        "product_language": "en",
        "ledger": str(data_folder / "sandbox.sqlite3"),
        "preview_ttl_seconds": 600,
        "recheck_after_seconds": 15.0,
        "timeout_seconds": 20.0,
        "approval": "ask",
        "ask_above_fen": 0,
        "page": "auto",
        "pictures": "on",
        "language": "en",
        "timezone": "Asia/Shanghai",
        "max_order_fen": 200_000,
        "max_day_fen": 1_000_000,
        "max_day_orders": 50,
        "total_day_fen": None,
        "trade_types": ("assureTrade", "fxassure", "alipay"),
        "flow": None,
        "order_lookup": "off",
        "order_detail_path": "/alibaba/ka/order/detail",
        "order_list_path": "/alibaba/ka/order/page",
        "ali_id": None,
        "order_user_id": None,
        "staff_name": None,
        "developer_id": None,
        "platform_order": None,
        "callers": None,
        "oauth_issuer": None,
        "oauth_audience": None,
        "state_keys": (),
        "messages_secret": None,
        "retention_days": 400,
        "log_level": "WARNING",
        "log_format": "text",
    }


def test_settings_cannot_be_changed(work: Path) -> None:
    settings: Any = load(work)
    with pytest.raises(ValidationError):
        settings.mode = "live"


# -- sources


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A file that the owner names, in a folder of its own."""
    folder = tmp_path / "named"
    folder.mkdir()
    return folder / "settings.env"


def test_environment_wins_over_the_named_file_which_wins_over_the_file_beside_the_ledger(
    work: Path, named: Path, data_folder: Path
) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=c\nXPORTCN_ALI_ID=c\nXPORTCN_STAFF_NAME=c\n", "utf-8")
    named.write_text("XPORTCN_FLOW=b\nXPORTCN_ALI_ID=b\n", "utf-8")
    loaded = read(work, str(named), FLOW="a")
    settings = loaded.settings
    assert (settings.flow, settings.ali_id, settings.staff_name) == ("a", "b", "c")
    places = {name: [source.label for source in loaded.holding(name)] for name in loaded.names()}
    assert places == {
        "XPORTCN_FLOW": ["environment", str(named), str(data_folder / ".env")],
        "XPORTCN_ALI_ID": [str(named), str(data_folder / ".env")],
        "XPORTCN_STAFF_NAME": [str(data_folder / ".env")],
    }
    assert loaded.notes() == []


def test_the_option_wins_over_the_variable_that_names_a_file(work: Path, named: Path) -> None:
    other = named.with_name("other.env")
    named.write_text("XPORTCN_FLOW=option\n", "utf-8")
    other.write_text("XPORTCN_FLOW=variable\n", "utf-8")
    assert read(work, str(named), ENV_FILE=str(other)).settings.flow == "option"
    assert read(work, ENV_FILE=str(other)).settings.flow == "variable"
    assert read(work, ENV_FILE=" ").settings.flow is None


def test_a_named_file_may_start_at_home_or_in_the_working_directory(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("USERPROFILE", str(work))
    (work / "mine.env").write_text("XPORTCN_FLOW=general\n", "utf-8")
    for path in ("~/mine.env", "mine.env", "./mine.env"):
        assert read(work, path).settings.flow == "general"


@pytest.mark.parametrize(
    "path", ["gone.env", "folder", "$HOME/mine.env", "${DIR}", "%APPDATA%\\x.env", "~nobody-here/x"]
)
def test_a_named_file_that_is_not_there_stops_the_start(work: Path, path: str) -> None:
    (work / "folder").mkdir()
    for option, variable in ((path, {}), (None, {"ENV_FILE": path})):
        (found,) = read(work, option, **variable).faults
        assert path.removesuffix("/x") in str(found).replace("\\\\", "\\")
        assert str(found).isprintable()


def test_the_env_file_of_the_working_directory_is_not_read_and_one_line_says_so(
    work: Path, tmp_path: Path, data_folder: Path
) -> None:
    (data_folder / ".env").write_text("XPORTCN_APPROVAL=require\n", "utf-8")
    stranger = work / ".env"
    stranger.write_text(
        f"XPORTCN_APPROVAL=off\nXPORTCN_MAX_ORDER_CNY=999999\nXPORTCN_LEDGER={tmp_path / 'theirs.sqlite3'}\n"
        "XPORTCN_STAFF_NAME=theirs\nXPORTCN_ENV_FILE=theirs.env\n",
        "utf-8",
    )
    loaded = read(work)
    assert loaded.settings == load(tmp_path)
    assert loaded.settings.approval == "require"
    assert loaded.not_read == stranger
    (line,) = loaded.notes()
    assert line.startswith(f"{stranger} is not read")
    assert f"--env-file {stranger}" in line
    assert "XPORTCN_ENV_FILE" in line
    assert "999999" not in line


@pytest.mark.parametrize(
    "text", ["OTHER=1\n", "", "XPORTCN_TEST_SWITCH=1\n", "# XPORTCN_MODE=live\n", "\ufeff", "XPORTCN_FLOW=\n"]
)
def test_an_env_file_of_the_working_directory_without_settings_of_ours_is_not_mentioned(
    work: Path, text: str
) -> None:
    (work / ".env").write_text(text, "utf-8")
    assert read(work).notes() == []


@pytest.mark.parametrize(
    "content", [b"XPORTCN_FLOW=\xff", b"XPORTCN_FLOW=a\0", b"XPORTCN_FLOW=a\n" * MOST_BYTES]
)
def test_what_is_not_read_cannot_stop_the_start(work: Path, content: bytes) -> None:
    (work / ".env").write_bytes(content)
    assert read(work).faults == ()


def test_the_working_directorys_file_is_read_where_it_is_the_named_one_or_lies_beside_the_ledger(
    work: Path, data_folder: Path
) -> None:
    (work / ".env").write_text("XPORTCN_FLOW=general\n", "utf-8")
    for loaded in (read(work, ".env"), read(work, LEDGER=str(work / "orders.sqlite3"))):
        assert loaded.settings.flow == "general"
        assert loaded.notes() == []
        assert len(loaded.sources) == (3 if loaded.env_file else 2)
    both = read(work, ".env", LEDGER=str(work / "orders.sqlite3"))
    assert [source.label for source in both.sources] == ["environment", str(work / ".env")]


@pytest.mark.parametrize("named_in", ["environment", "file"])
def test_the_env_file_beside_a_ledger_that_was_named_is_read(
    work: Path, tmp_path: Path, named: Path, named_in: str
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / ".env").write_text("XPORTCN_FLOW=beside\n", "utf-8")
    ledger = str(folder / "orders.sqlite3")
    named.write_text(f"XPORTCN_LEDGER='{ledger}'\n", "utf-8")
    loaded = read(work, LEDGER=ledger) if named_in == "environment" else read(work, str(named))
    assert (loaded.settings.flow, loaded.settings.ledger) == ("beside", ledger)


def test_no_file_lies_beside_a_ledger_in_postgresql(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=beside\n", "utf-8")
    loaded = read(work, LEDGER="postgresql://owner@db/orders")
    assert (loaded.settings.flow, len(loaded.sources)) == (None, 1)


def test_the_file_beside_the_ledger_names_no_other_ledger(
    work: Path, tmp_path: Path, data_folder: Path
) -> None:
    beside = data_folder / ".env"
    other = tmp_path / "other.sqlite3"
    for ledger in (str(other), "postgresql://owner@db/orders"):
        beside.write_text(f"XPORTCN_LEDGER={ledger}\nXPORTCN_FLOW=general\n", "utf-8")
        loaded = read(work)
        assert loaded.settings.ledger_path == data_folder / "sandbox.sqlite3"
        (found,) = loaded.faults
        assert (found.name, found.source) == ("XPORTCN_LEDGER", str(beside))
        assert load(work, LEDGER=str(data_folder / "mine.sqlite3")).flow == "general"  # there it only loses
    beside.write_text(f"XPORTCN_LEDGER={data_folder / 'sandbox.sqlite3'}\n", "utf-8")
    assert load(work).ledger_path == data_folder / "sandbox.sqlite3"


def test_an_env_file_may_have_a_byte_order_mark_quotes_comments_and_windows_line_ends(
    data_folder: Path,
) -> None:
    text = (
        "\ufeffXPORTCN_STAFF_NAME=王\r\n"
        "# a comment\r\n"
        "export XPORTCN_FLOW='general' # why\r\n"
        'XPORTCN_ALI_ID = "a # b"\r\n'
        "XPORTCN_ORDER_USER_ID=a${HOME}\r\n"
        "PATH=elsewhere\r\n"
    )
    (data_folder / ".env").write_bytes(text.encode())
    loaded = read(data_folder)
    settings = loaded.settings
    assert (settings.staff_name, settings.flow, settings.ali_id) == ("王", "general", "a # b")
    assert settings.order_user_id == "a${HOME}"  # taken literally
    assert loaded.notes() == []


UNREADABLE = {
    "it is not text in UTF-8": b"XPORTCN_FLOW=\xff\xfe\n",
    "it contains a NUL character": b"XPORTCN_FLOW=a\0\n",
    "it is larger than 64 KB": b"#" * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("reason", UNREADABLE)
@pytest.mark.parametrize("place", ["beside the ledger", "named"])
def test_a_file_that_cannot_be_read_stops_the_start_in_one_line(
    work: Path, data_folder: Path, named: Path, place: str, reason: str
) -> None:
    path = named if place == "named" else data_folder / ".env"
    path.write_bytes(UNREADABLE[reason])
    (found,) = read(work, str(named) if place == "named" else None).faults
    assert str(found) == f"{path} cannot be read: {reason}"


def test_a_file_of_64_kb_is_read(work: Path, data_folder: Path) -> None:
    line = b"XPORTCN_FLOW=general\n"
    (data_folder / ".env").write_bytes(line + b"#" * (MOST_BYTES - len(line)))
    assert load(work).flow == "general"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_neither_a_pipe_nor_a_device_is_waited_for(
    work: Path, data_folder: Path, named: Path, kind: str
) -> None:
    def plant(path: Path) -> None:
        if kind == "fifo":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")

    plant(work / ".env")
    assert read(work).faults == ()
    for path, option in ((named, str(named)), (data_folder / ".env", None)):
        plant(path)
        (found,) = read(work, option).faults
        assert str(found) == f"{path} cannot be read: it is not a regular file"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_a_regular_file_is_read(work: Path, data_folder: Path, named: Path) -> None:
    named.write_text("XPORTCN_FLOW=general\n", "utf-8")
    (data_folder / ".env").symlink_to(named)
    assert load(work).flow == "general"


def test_an_env_file_that_cannot_be_opened_stops_the_start(
    work: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_folder / ".env").touch()

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, in a container, could open anything
    assert fault(work) == f"{data_folder / '.env'} cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n\nXPORTCN_MAX_ORDER_CNY 500\n", 3),
        ("XPORTCN_MAX_ORDER_CNY\n", 1),
        (f'A=1\nXPORTCN_MAX_ORDER_CNY="{SECRET}\n', 2),
        ('A="1\nXPORTCN_MAX_ORDER_CNY=500\nB="2"\n', 2),
    ],
)
def test_a_line_of_ours_that_makes_no_sense_stops_the_start(
    work: Path, data_folder: Path, text: str, line: int
) -> None:
    (data_folder / ".env").write_text(text, "utf-8")
    message = fault(work)
    assert message.startswith(f"XPORTCN_MAX_ORDER_CNY in {data_folder / '.env'}, line {line} cannot be read")
    assert SECRET not in message


def test_a_line_of_somebody_else_that_makes_no_sense_is_passed_over(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("what is this\nXPORTCN_FLOW=general\n", "utf-8")
    assert load(work).flow == "general"


def test_a_folder_named_env_is_no_settings_file(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").mkdir()
    assert load(work).mode == "sandbox"


def test_an_empty_value_is_a_setting_that_is_not_set(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("XPORTCN_FLOW=paired\n", "utf-8")
    settings = load(work, FLOW="  ", MODE="", TRADE_TYPES="\t")
    assert (settings.flow, settings.mode, settings.trade_types_set) == ("paired", "sandbox", False)


def test_names_that_mean_nothing_are_named_at_the_start(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("XPORTCN_MAX_DAYCNY=5\nOTHER=1\nXPORTCN_ENV_FILE=x\n", "utf-8")
    notes = read(work, MAX_ODER_CNY="5", TEST_NO_SKIPS="1").notes()
    assert [note.partition(" ")[0] for note in notes] == [
        "XPORTCN_ENV_FILE",
        "XPORTCN_MAX_DAYCNY",
        "XPORTCN_MAX_ODER_CNY",
    ]
    assert all("has no effect" in note for note in notes)


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
    ("MODE", ["prod", "sandbox,live", "live!"]),
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
    ("TIMEZONE", ["China", "Asia", "asia/shanghai", "localtime", "UTC+8", "+08:00", "../etc/passwd", "/UTC"]),
    ("LEDGER", ["orders.sqlite3", "data/orders.sqlite3", "./orders.sqlite3", "~nobody-of-this-name/o.db"]),
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
    ("TOTAL_DAY_CNY", ["-0.01", "0.001", "Infinity", "2000 CNY"]),
    ("MAX_DAY_ORDERS", ["-1", "1.5", "5.0", "9" * 5000]),
    ("RETENTION_DAYS", ["0", "-1", "1.5"]),
    ("TRADE_TYPES", [",", "alipay,", "alipay,alipay", "a b", "支付宝", "a-b"]),
    ("ORDER_LOOKUP", ["list", "ON"]),
    (
        "ORDER_DETAIL_PATH",
        ["detail", "//host/x", "/a?b", "/alibaba/ka/order/pay", "/order/Cancel", "/payOrder"],
    ),
    (
        "PRODUCT_PATH",
        ["/alibaba/ka/order/fastCreateOrder", "/alibaba/ka/order/create-fast", "/order/confirmReceipt"],
    ),
    (
        "ORDER_LIST_PATH",
        ["alibaba/list", "/", "//host/x", "/a/../b", "/a?b", "/a b", "/alibaba/ka/order/create"],
    ),
    ("DEVELOPER_ID", ["x", "1.0", "-1"]),
    ("PLATFORM_ORDER", ["true", "1_0"]),
    ("CALLERS", ["a\x00b"]),
    ("OAUTH_ISSUER", ["http://issuer.example", "issuer.example", "https://a@b"]),
    ("OAUTH_AUDIENCE", ["api://orders", "orders", "http://orders.example/mcp", "https://o.example/mcp?x"]),
    ("MESSAGES_SECRET", ["fifteen-letters", "with/a/slash-in-it", "with a space in it", "x" * 15 + "é"]),
    ("STATE_KEYS", ["short", f"{KEY},short", f"{KEY},", f"{KEY},{KEY}"]),
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
    ("MODE", "SandBox", "mode", "sandbox"),
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
    ("TOTAL_DAY_CNY", "0.07", "total_day_fen", 7),
    ("MAX_DAY_ORDERS", "0", "max_day_orders", 0),
    ("RETENTION_DAYS", "30", "retention_days", 30),
    ("TIMEZONE", "Europe/Berlin", "timezone", "Europe/Berlin"),
    ("TIMEZONE", "UTC", "timezone", "UTC"),
    ("ORDER_LOOKUP", "on", "order_lookup", "on"),
    ("TRADE_TYPES", "credit, alipay", "trade_types", ("credit", "alipay")),
    ("ORDER_DETAIL_PATH", "/v2/detail", "order_detail_path", "/v2/detail"),
    ("ORDER_LIST_PATH", "/v2/list", "order_list_path", "/v2/list"),
    ("STAFF_NAME", "王小明", "staff_name", "王小明"),
    ("DEVELOPER_ID", "12", "developer_id", 12),
    ("OAUTH_ISSUER", "https://issuer.example/", "oauth_issuer", "https://issuer.example/"),
    ("OAUTH_AUDIENCE", "https://orders.example/mcp", "oauth_audience", "https://orders.example/mcp"),
    ("OAUTH_AUDIENCE", "http://127.0.0.1:8000/mcp", "oauth_audience", "http://127.0.0.1:8000/mcp"),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("LOG_FORMAT", "json", "log_format", "json"),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), ACCEPTED)
def test_a_value_that_is_allowed_is_read(work: Path, name: str, text: str, field: str, value: Any) -> None:
    assert getattr(load(work, **{name: text}), field) == value


def test_trade_types_tell_whether_the_owner_has_set_them(work: Path) -> None:
    assert load(work, TRADE_TYPES="assureTrade,fxassure,alipay").trade_types_set
    assert not load(work).trade_types_set


def test_the_mode_may_be_written_in_capitals_everywhere(work: Path, data_folder: Path) -> None:
    settings = load_settings(ACCOUNT | {"XPORTCN_MODE": "LIVE"}, work)
    assert (settings.mode, settings.ledger_path) == ("live", data_folder / "orders.sqlite3")
    assert "XPORTCN_USER_ID is missing: mode preview needs it" in fault(work, MODE="Preview")


PLACEHOLDERS = [
    "${NAME}",
    "${user_config.name}",
    "${env:NAME}",
    "${}",
    "$NAME",
    "$name_2",
    "%NAME%",
    "%AppData%",
]


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize("name", [name.removeprefix("XPORTCN_") for name in FIELDS])
def test_a_placeholder_that_nothing_filled_in_stops_the_start(work: Path, name: str, value: str) -> None:
    like_a_password = value == "%AppData%" or (value.strip("$%{}").islower() and "{" not in value)
    if name in ("ACCESS_SECRET", "STATE_KEYS") and like_a_password:
        return
    message = fault(work, **{name: value})
    assert message.startswith(f"XPORTCN_{name} ")
    assert (value in message) == (name not in ("ACCESS_SECRET", "STATE_KEYS", "MESSAGES_SECRET"))
    named = "a placeholder that nothing has filled in" in message
    assert named != (name == "MESSAGES_SECRET" and like_a_password), "a key's form would take it otherwise"


@pytest.mark.parametrize("name", ["LEDGER", "CALLERS"])
@pytest.mark.parametrize(
    "path", ["${HOME}/x", "$HOME/x", "%APPDATA%/x", "%APPDATA%\\x", "${workspaceFolder}x"]
)
def test_a_path_that_begins_with_a_placeholder_stops_the_start(work: Path, name: str, path: str) -> None:
    assert fault(work, **{name: path}).startswith(f"XPORTCN_{name} is ")


def test_signs_of_placeholders_inside_a_secret_a_url_or_a_text_are_taken_literally(work: Path) -> None:
    secret = "$ecret${x}%PATH%"
    settings = load_settings(
        ACCOUNT | {"XPORTCN_ACCESS_SECRET": secret, "XPORTCN_STAFF_NAME": "a $NAME"}, work
    )
    assert settings.access_secret is not None
    assert settings.access_secret.get_secret_value() == secret
    assert settings.staff_name == "a $NAME"
    url = "postgresql://$USER:$PASSWORD@db/orders"
    assert load(work, LEDGER=url).ledger_url == url
    path = str(work / "${odd}" / "o.db")
    assert load(work, LEDGER=path).ledger == path


def test_all_faults_are_reported_at_once(work: Path, data_folder: Path) -> None:
    (data_folder / ".env").write_text("XPORTCN_LOG_FORMAT=xml\nXPORTCN_FLOW\n", "utf-8")
    message = fault(work, MODE="live", TIMEOUT_SECONDS="99", MAX_DAY_CNY="many")
    names = ["FLOW", "ACCESS_KEY", "ACCESS_SECRET", "USER_ID", "TIMEOUT_SECONDS", "MAX_DAY_CNY", "LOG_FORMAT"]
    parts = message.split("; ")
    assert [part.split()[0] for part in parts] == [f"XPORTCN_{name}" for name in names]
    assert f"(from {data_folder / '.env'})" in parts[-1]


def test_a_fault_has_its_parts_and_the_other_settings_are_read_all_the_same(
    work: Path, data_folder: Path
) -> None:
    (data_folder / ".env").write_text("XPORTCN_LOG_FORMAT=xml\nXPORTCN_FLOW=general\n", "utf-8")
    loaded = read(work, LEDGER=str(data_folder))  # a folder
    names = [found.name for found in loaded.faults]
    assert names == ["XPORTCN_LEDGER"]  # whose folder has no file of settings
    loaded = read(work, TIMEOUT_SECONDS="99")
    timeout, log_format = loaded.faults
    assert (timeout.name, timeout.found, timeout.source) == (
        "XPORTCN_TIMEOUT_SECONDS",
        "is '99'",
        "environment",
    )
    assert timeout.allowed == "a number from 1 to 50"
    assert timeout.next_step == "set XPORTCN_TIMEOUT_SECONDS to: a number from 1 to 50"
    assert log_format.source == str(data_folder / ".env")
    assert loaded.broken == {"timeout_seconds", "log_format"}
    assert (loaded.settings.flow, loaded.settings.timeout_seconds) == ("general", 20.0)


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


def test_the_home_of_a_path_is_filled_in_and_only_the_callers_path_may_be_relative(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(work / "home"))
    monkeypatch.setenv("USERPROFILE", str(work / "home"))
    assert load(work, LEDGER="~/o.db").ledger_path == work / "home" / "o.db"
    assert load(work, CALLERS="callers.json").callers == work / "callers.json"


def test_a_home_of_nobody_and_a_folder_are_no_ledger(work: Path) -> None:
    assert fault(work, LEDGER="~nobody-of-this-name/o.db").startswith("XPORTCN_LEDGER is '~nobody")
    assert fault(work, LEDGER=str(work)).startswith("XPORTCN_LEDGER is ")


def test_a_ledger_in_postgresql_is_known_by_its_url(work: Path) -> None:
    settings = load(work, LEDGER="postgresql://owner@db/orders")
    assert (settings.ledger_path, settings.ledger_url) == (None, "postgresql://owner@db/orders")


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
        f"postgresql://db/orders?user=o&pass%77ord={SECRET}",  # libpq reads the names percent-encoded, too
        f"postgresql://db/orders?passfile=/home/o/{SECRET}&sslmode=require",
        f"postgresql://db/orders?sslcert=/c&sslkey=/k&sslpassword={SECRET}",
        f"postgresql://o:x@db/orders?options=-c%20app.word%3D{SECRET}",
    ],
)
def test_no_secret_is_in_a_representation_or_a_listing(work: Path, url: str) -> None:
    settings = load_settings({**ACCOUNT, "XPORTCN_LEDGER": url, "XPORTCN_STATE_KEYS": SECRET + KEY}, work)
    assert settings.access_secret is not None
    assert settings.access_secret.get_secret_value() == SECRET
    assert settings.state_keys[0].get_secret_value() == SECRET + KEY
    assert settings.ledger_url == url
    shown = settings.shown()
    assert shown["XPORTCN_ACCESS_SECRET"] == shown["XPORTCN_STATE_KEYS"] == "***"
    for text in (repr(settings), str(settings), repr(shown)):
        assert SECRET not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_SECRET", f"{SECRET}\x07"),
        ("STATE_KEYS", SECRET),
        ("MESSAGES_SECRET", f"{SECRET}/{KEY}"),
        ("LEDGER", f"mysql://owner:{SECRET}@db/orders"),
        ("LEDGER", f"mysql://db/orders?password={SECRET}"),
        ("LEDGER", f"postgresql://owner:a@{SECRET}/x@db/orders"),
        ("LEDGER", f"postgresql://owner:{SECRET}%zz@db/orders"),
        ("LEDGER", f"postgresql://owner:{SECRET}"),
        ("LEDGER", f"postgresql:/owner:{SECRET}@db/orders"),
        ("LEDGER", f"host=db user=o password='a {SECRET}'"),
        ("LEDGER", f"host=db user=o password = {SECRET}"),
        ("LEDGER", f"owner:{SECRET}@db/orders"),
        ("BASE_URL", f"https://user:{SECRET}@host/api"),
        ("OAUTH_ISSUER", f"https://user:{SECRET}@host/api"),
    ],
)
def test_no_secret_is_in_a_fault(work: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(work, **{name: value})
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_place_of_a_database_is_shown(work: Path) -> None:
    url = f"postgresql://o:{SECRET}@db:5432/orders?host=/run/pg&port=6432&sslmode=require&password={SECRET}"
    shown = "postgresql://***@db:5432/orders?host=/run/pg&port=6432&sslmode=require&password=***"
    assert load(work, LEDGER=url).shown()["XPORTCN_LEDGER"] == shown


def test_the_listing_has_every_setting_with_its_value_as_written(work: Path) -> None:
    shown = load(work, MAX_ORDER_CNY="65.6", TIMEOUT_SECONDS="2.5", TRADE_TYPES="a,b").shown()
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

    text = "\n".join(lines[index].removeprefix("# ") for index in settings)
    (work / "example.env").write_text(text, "utf-8")
    loaded = read(work, "example.env")
    assert loaded.faults == ()
    assert loaded.settings == load(work)
    assert len(loaded.names()) == sum(not lines[index].endswith("=") for index in settings)

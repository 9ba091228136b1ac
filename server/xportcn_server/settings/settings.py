"""All settings of this process, read once, from texts that people write, into one frozen model.

Sources, the first that names a setting wins: the environment, `.env` beside the ledger, `.env` in the
working directory. The last comes last because it may be a stranger's: clients start the server in the
folder of whatever project is open. A value that cannot be read stops the start, and all faults are told at
once: a cap that was meant and not understood is worse than a server that does not start.

Each field's `description` is what is allowed, in the words of the fault message. The parsers stand in
`setting_values`, the reading of `.env` files in `dotenv_files`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xportcn_server.settings.dotenv_files import PREFIX, Source, from_environment, from_file
from xportcn_server.settings.values import (
    AbsolutePath,
    HeaderText,
    Keys,
    Ledger,
    LogLevel,
    Names,
    PublicUrl,
    Seconds,
    SecretText,
    ServiceUrl,
    Text,
    UpstreamPath,
    Whole,
    YuanAsFen,
    masked,
    masked_url,
    shown,
)

Mode = Literal["sandbox", "preview", "live"]

NEEDED_UPSTREAM = ("access_key", "access_secret", "user_id")
SECRET = ("access_secret", "state_keys")
URLS = ("base_url", "oauth_issuer", "oauth_audience")
NOT_A_SETTING = ("trade_types_set", "sources", "unknown_names", "set_by_folder")
FIELD_OF_OTHER_NAME = {"max_order_cny": "max_order_fen", "max_day_cny": "max_day_fen"}
NAME_OF_OTHER_FIELD = {field: name for name, field in FIELD_OF_OTHER_NAME.items()}

_PLACES = 3  # the environment, and a `.env` each beside the ledger and in the working directory
_A_TEXT = "printable text"
_AN_AMOUNT = "an amount in yuan with at most two decimals, such as 2000 or 99.50"
_HEADER = "visible ASCII characters without spaces"


class SettingsError(Exception):
    """The settings cannot be used. The message is one line, names every fault and holds no secret."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(BaseModel):
    """What the owner has set, checked. Money in fen, spans of time in seconds, paths absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Mode = Field("sandbox", description="sandbox, preview or live")
    base_url: ServiceUrl = Field(
        "https://www.xportcn.com/api",
        description="an https:// URL (http:// for loopback hosts only) without credentials or query",
    )
    access_key: HeaderText | None = Field(None, description=_HEADER)
    access_secret: SecretText | None = Field(None, description=_A_TEXT)
    user_id: HeaderText | None = Field(None, description=_HEADER)
    signature: Literal["concat", "query"] = Field("concat", description="concat or query")
    timestamp_unit: Literal["s", "ms"] = Field("s", description="s or ms")
    ledger: Ledger = Field(
        repr=False,
        description="the path of a file, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, where @, /, % and "
        "the like in USER and PASSWORD are percent-encoded (%40, %2F, %25)",
    )
    preview_ttl_seconds: Whole = Field(600, ge=60, le=1800, description="a whole number from 60 to 1800")
    recheck_after_seconds: Seconds = Field(15.0, ge=0, description="a number from 0")
    timeout_seconds: Seconds = Field(20.0, ge=1, le=50, description="a number from 1 to 50")
    approval: Literal["ask", "require", "off"] = Field("ask", description="ask, require or off")
    max_order_fen: YuanAsFen = Field(2000_00, ge=0, description=_AN_AMOUNT)
    max_day_fen: YuanAsFen = Field(10000_00, ge=0, description=_AN_AMOUNT)
    max_day_orders: Whole = Field(50, ge=0, description="a whole number from 0")
    trade_types: Names = Field(
        ("assureTrade", "fxassure", "alipay"),
        description="names of letters, digits and _, separated by commas, none twice",
    )
    flow: Text | None = Field(None, description=_A_TEXT)
    order_lookup: Literal["off", "list"] = Field("off", description="off or list")
    order_list_path: UpstreamPath = Field(  # inferred: no page that could be read names it
        "/alibaba/ka/order/list",
        description="a path such as /alibaba/ka/order/list, not that of create or pay",
    )
    ali_id: Text | None = Field(None, description=_A_TEXT)
    order_user_id: Text | None = Field(None, description=_A_TEXT)
    staff_name: Text | None = Field(None, description=_A_TEXT)
    developer_id: Whole | None = Field(None, ge=0, description="a whole number from 0")
    platform_order: Whole | None = Field(None, ge=0, description="a whole number from 0")
    callers: AbsolutePath | None = Field(None, description="the path of a file")
    oauth_issuer: PublicUrl | None = Field(None, description="an https:// URL without credentials or query")
    oauth_audience: PublicUrl | None = Field(
        None, description="the https:// URL of /mcp (http:// for loopback hosts only), without query"
    )
    state_keys: Keys = Field(
        (), description="keys of at least 32 characters each, separated by commas, none twice"
    )
    retention_days: Whole = Field(400, ge=1, description="a whole number from 1")
    log_level: LogLevel = Field("WARNING", description="DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    trade_types_set: bool = False  # by the owner, so that an upstream that offers none may get the first
    sources: tuple[tuple[str, str], ...] = Field((), repr=False)  # setting, "environment" or path of a .env
    unknown_names: tuple[str, ...] = ()  # for a warning: a misspelt cap must not be lost silently
    set_by_folder: tuple[str, ...] = ()  # by a .env that is the working directory's only: for a warning

    @property
    def environment(self) -> Mode:
        """What every result is labelled with."""
        return self.mode

    @property
    def ledger_path(self) -> Path | None:
        """The SQLite file; None where the ledger is in PostgreSQL."""
        return None if self.ledger_url else Path(self.ledger)

    @property
    def ledger_url(self) -> str | None:
        """The PostgreSQL URL, password and all; None where the ledger is a file."""
        return self.ledger if self.ledger.startswith("postgresql://") else None

    def describe(self) -> list[tuple[str, str, str]]:
        """Every setting as (name, value as it may be shown, source), in the order of the documentation.

        The source is `environment`, the path of a `.env` file, or `default`.
        """
        sources = dict(self.sources)
        return [
            (name, _shown(field, getattr(self, field)), sources.get(name, "default"))
            for name, field in FIELDS.items()
        ]

    def __repr_args__(self) -> Any:
        yield from super().__repr_args__()
        yield "ledger", masked(self.ledger)


FIELDS: dict[str, str] = {
    PREFIX + NAME_OF_OTHER_FIELD.get(field, field).upper(): field
    for field in Settings.model_fields
    if field not in NOT_A_SETTING
}
"""The field of each setting, by its name in the environment, in the order of the documentation."""


def load_settings(
    environ: Mapping[str, str] | None = None, working_directory: Path | None = None
) -> Settings:
    """Read all settings.

    Args:
        environ: instead of the process's environment.
        working_directory: instead of the process's; where a `.env` may be and relative paths start.

    Raises:
        SettingsError: something is missing or cannot be read; the message names every fault.

    """
    faults: list[str] = []
    try:
        folder = (working_directory or Path.cwd()).absolute()
    except OSError as error:  # somebody has removed it
        raise SettingsError(f"the working directory cannot be read: {error.strerror}") from None
    sources = setting_sources(os.environ if environ is None else environ, folder, faults)
    found: dict[str, tuple[str, str]] = {}
    for source in reversed(sources):
        found |= {name: (value, source.label) for name, value in source.values.items()}

    values: dict[str, Any] = {FIELDS[name]: value for name, (value, _) in found.items() if name in FIELDS}
    mode = values.get("mode", "sandbox")
    values.setdefault("ledger", str(default_ledger(mode)))
    values["trade_types_set"] = "trade_types" in values
    values["sources"] = tuple((name, label) for name, (_, label) in found.items() if name in FIELDS)
    values["unknown_names"] = tuple(sorted(found.keys() - FIELDS.keys()))
    if len(sources) == _PLACES:
        here = sources[-1].label
        values["set_by_folder"] = tuple(name for name in FIELDS if found.get(name, ("", ""))[1] == here)

    if mode in ("preview", "live"):
        faults += [
            f"{name} is missing: mode {mode} needs it"
            for name, field in FIELDS.items()
            if field in NEEDED_UPSTREAM and field not in values
        ]
    try:
        settings = Settings.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        broken = {str(detail["loc"][0]) for detail in error.errors(include_url=False, include_input=False)}
        faults += [_fault(name, found.get(name)) for name, field in FIELDS.items() if field in broken]
        raise SettingsError(*faults) from None
    if faults:
        raise SettingsError(*faults)
    return settings


def setting_sources(environ: Mapping[str, str], folder: Path, faults: list[str]) -> list[Source]:
    """The places that may set something, the one that wins first; what cannot be read adds to `faults`."""
    environment, here = from_environment(environ), from_file(folder / ".env", faults)
    beside = _folder_of_ledger([environment, here], folder) or default_ledger().parent
    if beside == folder:
        return [environment, here]
    return [environment, from_file(beside / ".env", faults), here]


def default_ledger(mode: str = "sandbox") -> Path:
    """The file that is the ledger where nothing else is set."""
    name = "sandbox.sqlite3" if mode == "sandbox" else "orders.sqlite3"
    return platformdirs.user_data_path("xportcn-mcp", appauthor=False) / name


def _folder_of_ledger(sources: list[Source], folder: Path) -> Path | None:
    """Where a ledger's file is, as far as these sources tell; None where it is no file of its own."""
    for source in sources:
        ledger = source.values.get(PREFIX + "LEDGER")
        if ledger is not None:
            try:
                return None if "://" in ledger else (folder / Path(ledger).expanduser()).parent
            except RuntimeError:  # a home that does not exist: a fault, told with the others
                return None
    return None


def _fault(name: str, found: tuple[str, str] | None) -> str:
    """One faulty setting in a phrase: its name, its value, what is allowed, and where it stands."""
    field = FIELDS[name]
    value, source = found or (str(platformdirs.user_data_path("xportcn-mcp", appauthor=False)), "default")
    # Where in a URL that cannot be read its password begins and ends, nobody can tell.
    hidden = field in SECRET or (field == "ledger" and "://" in value)
    value = masked_url(value) if field in URLS else masked(value)
    what = "cannot be read (its value is not shown)" if hidden else f"is {shown(value)}"
    place = "" if source == "environment" else f" (from {source})"
    return f"{name} {what}{place}, allowed: {Settings.model_fields[field].description}"


def _shown(field: str, value: object) -> str:
    if value is None or value == ():
        return "not set"
    if field in SECRET:
        return "***"
    if field in FIELD_OF_OTHER_NAME.values() and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    if isinstance(value, tuple):
        return ",".join(cast("tuple[str, ...]", value))
    return masked(str(value).removesuffix(".0") if isinstance(value, float) else str(value))

"""All settings of this process as one frozen model: values only. Where they come from is in `loaded`.

Each field's `description` is what is allowed, in the words of the fault message. The parsers are in `values`.
"""

from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from xportcn_server.settings.sources import PREFIX
from xportcn_server.settings.values import (
    AbsolutePath,
    HeaderText,
    Keys,
    Language,
    LedgerPlace,
    LogLevel,
    Mode,
    Names,
    PrintableText,
    PublicUrl,
    Seconds,
    SecretText,
    ServiceUrl,
    TimeZone,
    UpstreamPath,
    UrlSecret,
    Whole,
    YuanAsFen,
    masked,
)
from xportcn_tools.money import yuan

NEEDED_UPSTREAM = ("access_key", "access_secret", "user_id")
SECRET = ("access_secret", "state_keys", "messages_secret")
URLS = ("base_url", "oauth_issuer", "oauth_audience")
PATHS = ("ledger", "callers")
IN_FEN = {
    "ask_above_cny": "ask_above_fen",
    "max_order_cny": "max_order_fen",
    "max_day_cny": "max_day_fen",
    "total_day_cny": "total_day_fen",
}

_A_TEXT = "printable text"
_AN_AMOUNT = "an amount in yuan with at most two decimals, such as 2000 or 99.50"
_A_PATH = "a path such as {}, not that of create or pay"
_HEADER = "visible ASCII characters without spaces"


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
    products: Literal["on", "off"] = Field("on", description="on or off")
    product_path: UpstreamPath = Field(  # inferred from the vendor's other software
        "/alibaba/ka/product/detail/get", description=_A_PATH.format("/alibaba/ka/product/detail/get")
    )
    search_path: UpstreamPath = Field(
        "/alibaba/ka/product/keywords/query",
        description=_A_PATH.format("/alibaba/ka/product/keywords/query"),
    )
    product_language: Language = Field(
        "en", description="en, ja, ko, ru, vi, es, fr, pt, th, id or ar (1688 takes no other)"
    )
    ledger: LedgerPlace = Field(
        repr=False,
        description="the absolute path of a file, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, where @, "
        "/, % and the like in USER and PASSWORD are percent-encoded (%40, %2F, %25)",
    )
    preview_ttl_seconds: Whole = Field(600, ge=60, le=1800, description="a whole number from 60 to 1800")
    recheck_after_seconds: Seconds = Field(15.0, ge=0, description="a number from 0")
    timeout_seconds: Seconds = Field(20.0, ge=1, le=50, description="a number from 1 to 50")
    approval: Literal["ask", "require", "off"] = Field("ask", description="ask, require or off")
    ask_above_fen: YuanAsFen = Field(0, ge=0, description=_AN_AMOUNT)
    page: Literal["auto", "on", "off"] = Field("auto", description="auto, on or off")
    pictures: Literal["on", "off"] = Field("on", description="on or off")
    language: Literal["en", "zh"] = Field("en", description="en or zh")
    timezone: TimeZone = Field(
        "Asia/Shanghai",
        description="the name of a time zone as IANA spells it, such as Asia/Shanghai, Europe/Berlin or UTC",
    )
    max_order_fen: YuanAsFen = Field(2000_00, ge=0, description=_AN_AMOUNT)
    max_day_fen: YuanAsFen = Field(10000_00, ge=0, description=_AN_AMOUNT)
    max_day_orders: Whole = Field(50, ge=0, description="a whole number from 0")
    total_day_fen: YuanAsFen | None = Field(None, ge=0, description=_AN_AMOUNT)
    trade_types: Names = Field(
        ("assureTrade", "fxassure", "alipay"),
        description="names of letters, digits and _, separated by commas, each once",
    )
    flow: PrintableText | None = Field(None, description=_A_TEXT)
    order_lookup: Literal["off", "on"] = Field("off", description="off or on")
    order_detail_path: UpstreamPath = Field(  # inferred likewise
        "/alibaba/ka/order/detail", description=_A_PATH.format("/alibaba/ka/order/detail")
    )
    order_list_path: UpstreamPath = Field(  # inferred: no page that could be read names it
        "/alibaba/ka/order/page", description=_A_PATH.format("/alibaba/ka/order/page")
    )
    ali_id: PrintableText | None = Field(None, description=_A_TEXT)
    order_user_id: PrintableText | None = Field(None, description=_A_TEXT)
    staff_name: PrintableText | None = Field(None, description=_A_TEXT)
    developer_id: Whole | None = Field(None, ge=0, description="a whole number from 0")
    platform_order: Whole | None = Field(None, ge=0, description="a whole number from 0")
    callers: AbsolutePath | None = Field(None, description="the path of a file")
    oauth_issuer: PublicUrl | None = Field(None, description="an https:// URL without credentials or query")
    oauth_audience: PublicUrl | None = Field(
        None, description="the https:// URL of /mcp (http:// for loopback hosts only), without query"
    )
    state_keys: Keys = Field(
        (), description="keys of at least 32 characters each, separated by commas, each once"
    )
    messages_secret: UrlSecret | None = Field(None, description="16 to 200 letters, digits, -, ., _ and ~")
    retention_days: Whole = Field(400, ge=1, description="a whole number from 1")
    log_level: LogLevel = Field("WARNING", description="DEBUG, INFO, WARNING, ERROR or CRITICAL")
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @property
    def trade_types_set(self) -> bool:
        """Whether the owner has set them: an upstream that offers no trade types may then get the first."""
        return "trade_types" in self.model_fields_set

    @property
    def ledger_path(self) -> Path | None:
        """The SQLite file; None where the ledger is in PostgreSQL."""
        return None if self.ledger_url else Path(self.ledger)

    @property
    def ledger_url(self) -> str | None:
        """The PostgreSQL URL, password and all; None where the ledger is a file."""
        return self.ledger if self.ledger.startswith("postgresql://") else None

    def over_http(self) -> "Settings":
        """The same for a server that callers reach over HTTP: there a real order needs a recorded yes.

        The sandbox asks as on stdio, and so does a server whose owner has set the rule.
        """
        if self.mode == "sandbox" or "approval" in self.model_fields_set:
            return self
        return self.model_copy(update={"approval": "require"})

    def shown(self) -> dict[str, str]:
        """Every setting's value as it may be shown, by name, in the order of the documentation."""
        return {name: _shown(field, getattr(self, field)) for name, field in FIELDS.items()}

    def __repr_args__(self) -> Any:
        yield from super().__repr_args__()
        yield "ledger", masked(self.ledger)


_NAMES = {field: name for name, field in IN_FEN.items()}
FIELDS: dict[str, str] = {PREFIX + _NAMES.get(field, field).upper(): field for field in Settings.model_fields}
"""The field of each setting, by its name in the environment, in the order of the documentation."""


def _shown(field: str, value: object) -> str:
    if value is None or value == ():
        return "not set"
    if field in SECRET:
        return "***"
    if field in _NAMES and isinstance(value, int):
        return yuan(value)
    if isinstance(value, tuple):
        return ",".join(cast("tuple[str, ...]", value))
    return masked(str(value).removesuffix(".0") if isinstance(value, float) else str(value))

"""How the text of one setting becomes a value: strictly, since a slip of the pen here costs money.

Each type takes the owner's text, or a value that is already of the type. A `ValueError` carries no words:
what is allowed stands with the field, and the value may be a secret.
"""

import re
from collections.abc import Callable, Mapping
from importlib import resources
from ipaddress import IPv4Network, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, ValidationInfo

from xportcn_tools.money import fen_of_yuan

KEY_MIN_CHARACTERS = 32  # of 4 bits or more each: 128 bits
SHOWN_CHARACTERS = 80
_WRITTEN = r"(?:[A-Za-z0-9._~!$'()*+,;-]|%[0-9A-Fa-f]{2})"  # in a URL as it is, or percent-encoded
_HOST = rf"(?:{_WRITTEN}+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
# As libpq reads it, hosts separated by commas. A password with a raw @, / or % would be cut there, and what
# follows taken for a host, which appears in logs.
_POSTGRESQL = re.compile(
    rf"postgresql://(?:{_WRITTEN}*(?::(?:{_WRITTEN}|[:&=])*)?@)?(?P<hosts>{_HOST}(?:,{_HOST})*)?"
    rf"(?:/{_WRITTEN}*)?(?P<options>\?(?:{_WRITTEN}|[&=:/])*)?"
)
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%")
_ANY_PLACEHOLDER = re.compile(_PLACEHOLDER.pattern, re.IGNORECASE)
_ORDERS = re.compile("creat|pay|cancel|delet|updat|modif|submit|confirm|refund|close")
_LOOPBACK_V4 = IPv4Network("127.0.0.0/8")


def masked(text: str) -> str:
    """The text as it may be shown: without credentials of a URL, without `password=…` and its like.

    Of a database's URL only the options that name the place are shown: libpq takes a password, or the file
    that holds it, in several, and reads their names percent-encoded, too.
    """
    text = re.sub(r"(?s)://.*@", "://***@", text)
    if text.startswith("postgresql:"):
        text = re.sub(r"(?s)([?&](?!(?:host|hostaddr|port|dbname|sslmode)=)[^=&]*)=[^&]*", r"\1=***", text)
    return re.sub(r"(?i)(password|passwd|secret|token|key)=[^&\s]*", r"\1=***", text)


def masked_url(text: str) -> str:
    """What was meant to be a URL, as it may be shown: whatever its form, nothing before the last `@`."""
    return masked(re.sub(r"(?s)^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1***@", text))


def shown(text: str) -> str:
    """A value in a message of one line: quoted, control characters escaped, cut. It is masked already."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


def is_placeholder(value: str, *, a_path: bool = False, secret: bool = False) -> bool:
    """Whether a value is `${…}`, `$NAME` or `%NAME%`, or a path that begins with one: it was not filled in.

    `secret`: names in small letters do not count, since a password may well begin with `$`.
    """
    form = _PLACEHOLDER if secret else _ANY_PLACEHOLDER
    return bool(form.match(value) if a_path else form.fullmatch(value))


def plain_url(url: str) -> str:
    """A URL that is a setting as everybody spells it: its host in small letters, without a default port."""
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix({"https": ":443", "http": ":80"}[parts.scheme])
    return parts._replace(netloc=host).geturl()


def _require(holds: object) -> None:
    if not holds:
        raise ValueError


def _from_text(read: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _written(form: str) -> BeforeValidator:
    """Numbers, too: Pydantic itself reads `1_000`, `5.0` and the digits of any script."""

    def read(text: str) -> str:
        _require(re.fullmatch(form, text))
        return text

    return _from_text(read)


def _printable(text: str) -> str:
    _require(text.isprintable())
    return text


def _listed(text: str) -> tuple[str, ...]:
    """Each once."""
    parts = tuple(part.strip() for part in text.split(","))
    _require(len(set(parts)) == len(parts))
    return parts


def _names(text: str) -> tuple[str, ...]:
    names = _listed(text)
    _require(all(re.fullmatch(r"[A-Za-z0-9_]+", name) for name in names))
    return names


def _keys(text: str) -> tuple[str, ...]:
    keys = _listed(text)
    _require(all(len(key) >= KEY_MIN_CHARACTERS and key.isprintable() for key in keys))
    return keys


def _url(text: str) -> str:
    """`https://`, or `http://` to this very machine: the key and the goods go over this connection."""
    _require(re.fullmatch(r"[!-\[\]-~]+", text) and not re.search(r"[?#@]", text))
    parts = urlsplit(text)
    _require(parts.port != 0)  # `port` itself raises ValueError where it is no number
    host = parts.hostname or ""
    _require(re.fullmatch(r"[a-z0-9.-]+", host) or (":" in host and ip_address(host)))
    _require(parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
    return text


def is_loopback(host: str) -> bool:
    """Whether `host` (a name, or an address, with or without brackets) is this machine only."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address in _LOOPBACK_V4 if address.version == 4 else address == IPv6Address("::1")


def _time_zone(text: str) -> str:
    """Read from the list of IANA's names: the machine's own folder of zones has other files beside them."""
    _require(text in resources.files("tzdata").joinpath("zones").read_text("utf-8").splitlines())
    return text


def _upstream_path(text: str) -> str:
    _require(re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", text))
    _require(not _ORDERS.search(text.lower()))  # a look-up, which is tried again, must never order
    return text


def _path(value: object, info: ValidationInfo) -> object:
    """Absolute, `~` filled in; a relative one starts at the working directory of the validation context."""
    if not isinstance(value, str):
        return value
    _require(value.isprintable())
    path = _at_home(value)
    folder = cast("Mapping[str, Path | None]", info.context or {}).get("folder")
    _require(folder or path.is_absolute())
    return folder / path if folder else path


def _at_home(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:  # there is no such user
        raise ValueError from None


def _ledger(text: str) -> str:
    if "://" in text:
        url = _POSTGRESQL.fullmatch(text)
        # libpq knows no character zero. No host at all would be whatever listens on this machine.
        _require(url and "%00" not in text and (url["hosts"] or "host=" in (url["options"] or "")))
        return text
    path = _at_home(_printable(text))
    try:
        # A relative one would be another ledger in every folder that a client starts the server in.
        _require(path.is_absolute() and not path.is_dir())
    except OSError:  # a folder on the way may not be entered
        raise ValueError from None
    return str(path)


Whole = Annotated[int, _written(r"[0-9]{1,9}")]
Seconds = Annotated[float, _written(r"[0-9]{1,9}(\.[0-9]{1,9})?")]
YuanAsFen = Annotated[int, _from_text(fen_of_yuan)]
PrintableText = Annotated[str, _from_text(_printable)]
SecretText = Annotated[SecretStr, _from_text(_printable)]
HeaderText = Annotated[str, _written(r"[!-~]+")]
Names = Annotated[tuple[str, ...], _from_text(_names)]
Keys = Annotated[tuple[SecretStr, ...], _from_text(_keys)]
UrlSecret = Annotated[SecretStr, _written(r"[A-Za-z0-9._~-]{16,200}")]
Mode = Annotated[Literal["sandbox", "preview", "live"], _from_text(str.lower)]
Language = Annotated[
    Literal["en", "ja", "ko", "ru", "vi", "es", "fr", "pt", "th", "id", "ar"], _from_text(str.lower)
]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], _from_text(str.upper)]
ServiceUrl = Annotated[str, _from_text(lambda text: _url(text).rstrip("/"))]
TimeZone = Annotated[str, _from_text(_time_zone)]
PublicUrl = Annotated[str, _from_text(_url)]
UpstreamPath = Annotated[str, _from_text(_upstream_path)]
AbsolutePath = Annotated[Path, BeforeValidator(_path)]
LedgerPlace = Annotated[str, _from_text(_ledger)]

"""The callers of the HTTP server, in a TOML file that the owner keeps (`XPORTCN_CALLERS`).

    [callers.alice]
    token_sha256 = "…"            # of the bearer token, which is kept nowhere; while it is rotated, of two:
                                  # ["…", "…"]
    user_id = "…"                 # optional: the upstream's sub-account
    max_order_cny = "500"         # optional, each: own caps
    max_day_cny = "2000"
    max_day_orders = 10
    previews_per_minute = 30      # optional

The file is read again when it changes; while it cannot be read, all callers are refused.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
import sys
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from xportcn_server.settings.sources import small_text
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.policy import Profile
from xportcn_tools.money import fen_of_yuan

logger = logging.getLogger(__name__)

PREFIX = "caller:"
OAUTH_PREFIX = "oauth:"
PREVIEWS_PER_MINUTE = 60
OTHERS = Profile(previews_per_minute=PREVIEWS_PER_MINUTE)
REMOVED = Profile(
    Caps(0, 0, 0, places=("the callers' file, which no longer names this caller,",) * 3), None, 1
)
_OWN_CAPS = {"max_order_cny": "order_fen", "max_day_cny": "day_fen", "max_day_orders": "day_orders"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _amount(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('an amount is a string, such as "500"')
    return fen_of_yuan(value)


class CallersError(Exception):
    """The file cannot be used; the text says why, and holds no token."""


class CallerEntry(BaseModel):
    """One caller. Caps are fen here and yuan in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_sha256: Annotated[list[Digest], BeforeValidator(_several), Field(min_length=1, max_length=2)]
    user_id: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = None
    max_order_cny: Annotated[int, BeforeValidator(_amount)] | None = None
    max_day_cny: Annotated[int, BeforeValidator(_amount)] | None = None
    max_day_orders: Annotated[int, Field(ge=0, strict=True)] | None = None
    previews_per_minute: Annotated[int, Field(ge=1, strict=True)] = PREVIEWS_PER_MINUTE


@dataclass(frozen=True)
class _Read:
    """The entries of a file as it was at `stamp`; no stamp: it is to be read again.

    One value, since the event loop and the ledger's threads both read the file: entries of one state beside
    the stamp of another would admit a caller who has been removed.
    """

    stamp: tuple[int, ...] | None
    entries: Mapping[str, CallerEntry]


class Callers:
    """The callers in one file. `owner` are the caps for what an entry leaves out."""

    def __init__(self, path: Path, owner: Caps) -> None:
        self._path = path
        self._owner = owner
        self._read = _Read(None, {})

    def check(self) -> None:
        """Read the file now.

        Raises:
            CallersError: it cannot be used, or names no caller.
        """
        self._read_again()

    @property
    def names(self) -> tuple[str, ...]:
        """As last read."""
        return tuple(self._read.entries)

    def name_of(self, token: str) -> str | None:
        """Who has this bearer token; every digest is compared, in constant time each."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found: str | None = None
        for name, entry in self._current().items():
            for known in entry.token_sha256:
                if hmac.compare_digest(known, digest):
                    found = name
        return f"{PREFIX}{found}" if found else None

    def marks_of(self, caller: str) -> tuple[str, ...]:
        """A mark for each token of the caller's entry; a later entry of the same name has others."""
        if not caller.startswith(PREFIX):
            return ("",)
        entry = self._current().get(caller.removeprefix(PREFIX))
        return tuple(digest[:12] for digest in entry.token_sha256) if entry else ()

    def profile_of(self, caller: str) -> Profile:
        """What holds for a caller; for one of another source, the rate limit alone."""
        if not caller.startswith(PREFIX):
            return OTHERS
        entry = self._current().get(caller.removeprefix(PREFIX))
        if entry is None:  # removed while its call is under way: nothing more is ordered for it
            return REMOVED
        own = entry.model_dump(include={*_OWN_CAPS}, exclude_none=True)
        places = tuple(
            f"{name} in [{caller.replace(PREFIX, 'callers.')}] of the callers' file" if name in own else place
            for name, place in zip(_OWN_CAPS, self._owner.places, strict=True)
        )
        values = {_OWN_CAPS[name]: value for name, value in own.items()}
        caps = replace(self._owner, places=places, **values)
        return Profile(caps, entry.user_id, entry.previews_per_minute)

    def _read_again(self) -> _Read:
        # The stamp first: a change while it is read is then seen as one, and read at the next call.
        stamp = self._stamp()
        entries = entries_of(self._path)
        if not entries:
            raise CallersError("the callers' file names no caller; `xportcn-mcp caller new NAME` adds one")
        self._read = read = _Read(stamp, entries)
        return read

    def _current(self) -> Mapping[str, CallerEntry]:
        read = self._read  # once: another thread may put another in its place
        if self._stamp() != read.stamp:
            try:
                read = self._read_again()
            except CallersError as error:
                # The new file may have removed a caller of the old one. It is read again at the next call:
                # the obstacle may pass without another change of the file.
                logger.error("all callers are refused: %s", error)  # noqa: TRY400 - the reason is in its text
                self._read = read = _Read(None, {})
        return read.entries

    def _stamp(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return ()
        # Ctime and inode too: a file that another of the same size and age is moved over is another file.
        return (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)


def entries_of(path: Path) -> dict[str, CallerEntry]:
    """The callers in the file, which may name none.

    Raises:
        CallersError: it cannot be used.
    """
    try:
        return _entries_in(small_text(path))
    except (OSError, ValueError) as error:
        raise CallersError(f"the callers' file cannot be read ({type(error).__name__})") from error


def _entries_in(text: str) -> dict[str, CallerEntry]:
    stored = tomllib.loads(text)
    listed: Any = stored.pop("callers", {})
    if stored or not isinstance(listed, dict):
        raise CallersError("the callers' file must hold tables [callers.NAME] and nothing else")
    entries: dict[str, CallerEntry] = {}
    for name, fields in listed.items():  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise CallersError("a caller's name is 1 to 64 letters, digits, dashes or underscores")
        try:
            entries[name] = CallerEntry.model_validate(fields)
        except ValidationError as error:
            named = ", ".join(sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]}))
            raise CallersError(f"caller {name}: {named or 'the table'} is not as described") from None
    digests = [digest for entry in entries.values() for digest in entry.token_sha256]
    if len(set(digests)) != len(digests):
        raise CallersError("two callers have the same token")
    return entries


def new_token() -> tuple[str, str]:
    """A bearer token (256 random bits) and its SHA-256, which is all that a callers' file holds of it."""
    token = f"xc_{secrets.token_urlsafe(32)}"
    return token, hashlib.sha256(token.encode()).hexdigest()


def new_caller(path: Path, name: str) -> str:
    """Add a caller to the file (made 0600 if new); the bearer token, which is shown this once.

    Raises:
        CallersError: the name is not valid or taken, or the file cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise CallersError("a caller's name is 1 to 64 letters, digits, dashes or underscores")
    token, digest = new_token()

    def with_it() -> bytes:
        if path.exists() and name in entries_of(path):
            raise CallersError(f"caller {name} exists already")
        before = path.read_bytes() if path.exists() else b""
        return before + f'\n[callers.{name}]\ntoken_sha256 = "{digest}"\n'.encode()

    _rewrite(path, with_it)
    return token


def remove_caller(path: Path, name: str) -> None:
    """Take a caller's table out of the file, and leave all else in it as it is.

    Raises:
        CallersError: there is no such caller, its table is not found in the text, or the file cannot be used.
    """

    def without_it() -> bytes:
        left = entries_of(path)
        if left.pop(name, None) is None:
            raise CallersError(f"there is no caller {name}")
        text = _without_table(small_text(path).splitlines(keepends=True), name)
        # Whatever the lines looked like: the file is written only if this caller alone is gone.
        with suppress(CallersError, ValueError):
            if _entries_in(text) == left:
                return text.encode()
        raise CallersError(f"caller {name} has no table of its own: take it out of {path} by hand")

    _rewrite(path, without_it)


def _without_table(lines: list[str], name: str) -> str:
    """The text without the lines of one table. Comments above the next table stay with that one."""
    header = re.compile(rf"""\s*\[\s*callers\s*\.\s*["']?{re.escape(name)}["']?\s*\]""")
    start = next((at for at, line in enumerate(lines) if header.match(line)), len(lines))
    end = next((at for at in range(start + 1, len(lines)) if lines[at].lstrip().startswith("[")), len(lines))
    while end - 1 > start and lines[end - 1].lstrip()[:1] in ("", "#"):
        end -= 1
    while start and not lines[start - 1].strip():
        start -= 1
    return "".join(lines[:start] + lines[end:])


def _rewrite(path: Path, contents: Callable[[], bytes]) -> None:
    """Put the file's new contents in its place, whole; one process at a time."""
    path = path.resolve()  # a link is kept, and what it leads to is written
    beside = path.with_name(f"{path.name}.new")
    try:
        # Made here and nowhere else, so it is the lock too: of two that write at once, one is refused.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CallersError(f"another process is writing the file; if none is, delete {beside}") from None
    except OSError as error:
        raise CallersError(f"the callers' file cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            _take_over_rights(path, beside)
        beside.replace(path)  # a reader always sees a whole file
    except BaseException as error:
        beside.unlink()  # ours, and only here: once it is moved, the name may be another's
        if isinstance(error, OSError):
            raise CallersError(f"the callers' file cannot be written ({error.strerror})") from error
        raise


def _take_over_rights(old: Path, new: Path) -> None:
    """A server that could read the old file, perhaps under another account, can read the new one."""
    was, now = old.stat(), new.stat()
    if sys.platform != "win32" and (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
        os.chown(new, was.st_uid, was.st_gid)
    new.chmod(stat.S_IMODE(was.st_mode))

"""What tells that a ledger's file was copied or restored: its trail's last row, kept outside its folder.

SQLite only. The witness is written after each commit that appends to the trail, so it is never ahead of a
ledger that lives; one that is behind proves nothing. (A process that died in between had sent nothing yet: a
create is sent after both.) Where it is ahead, or knows another row, the file is an older copy, and what was
ordered since is missing in it.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import platformdirs

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        os.lseek(handle, 1 << 30, os.SEEK_SET)  # behind what is read: what is locked here cannot be
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class Witness:
    """A row of the trail: its sequence (0: the trail was empty) and its hash."""

    sequence: int
    hash: str


def folder() -> Path:
    """Where the witnesses are, one file for each ledger. It is never the folder of the default ledger, which
    may be copied or put back as a whole.

    Raises:
        OSError: this user has no home.
    """
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        base = named if named.is_absolute() else platformdirs.user_state_path()
    except RuntimeError as error:
        raise FileNotFoundError("this user has no home folder") from error
    return base / "xportcn-mcp-witness"


def read(ledger_id: str) -> Witness | None:
    """The witness of the ledger with this id (`identity.ledger_id`), if there is one.

    Raises:
        OSError: the state folder cannot be read.
    """
    file = folder() / ledger_id
    try:
        text = file.read_bytes()
        while text != (text := file.read_bytes()):  # it is being written just now
            pass
    except FileNotFoundError:
        return None
    return _witness_in(text)


def write(ledger_id: str, seen: Witness) -> None:
    """Without its lock. Raises: OSError."""
    with _opened(ledger_id) as handle:
        Held(handle).write(seen)


@dataclass(frozen=True)
class Held:
    """The witness of one ledger, locked: nobody else follows the ledger meanwhile. Any use raises OSError
    where the state folder fails.
    """

    handle: int

    def read(self) -> Witness | None:
        os.lseek(self.handle, 0, os.SEEK_SET)
        return _witness_in(os.read(self.handle, 100))

    def follow(self, seen: Witness) -> None:
        """Write it, unless a later one is there."""
        held = self.read()
        if held is None or held.sequence < seen.sequence:
            self.write(seen)

    def write(self, seen: Witness) -> None:
        """Over the earlier one, which is as long. It is not forced onto the disk: after a power failure it
        may be behind the ledger, which is.
        """
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.write(self.handle, b"%018d %s\n" % (seen.sequence, seen.hash.encode()))


def _witness_in(text: bytes) -> Witness | None:
    found = re.fullmatch(rb"([0-9]{18}) ([0-9a-f]{64})\n", text)
    return Witness(int(found[1]), found[2].decode()) if found else None


@contextmanager
def locked(name: str, seconds: float) -> Generator[Held]:
    """Hold a file of the folder (a ledger's id: its copies have the same).

    Raises:
        TimeoutError: another has held it for so long. OSError: the state folder cannot be written.
    """
    until = time.monotonic() + seconds
    with _opened(name) as handle:  # closing it gives the lock up
        while True:
            try:
                _take(handle)
                break
            except (BlockingIOError, PermissionError):  # the latter: on Windows
                if time.monotonic() > until:
                    raise TimeoutError("the ledger's witness stays locked") from None
                time.sleep(0.002)
        yield Held(handle)


def folder_id(seconds: float) -> str:
    """What tells this state folder from another: 32 hex digits, made once. Raises: OSError, as `locked`."""
    with locked("folder", seconds) as held:
        os.lseek(held.handle, 0, os.SEEK_SET)
        found = os.read(held.handle, 32)
        if len(found) < 32:
            os.lseek(held.handle, 0, os.SEEK_SET)
            os.write(held.handle, found := token_hex(16).encode())
    return found.decode("ascii", errors="replace")


@contextmanager
def _opened(name: str) -> Generator[int]:
    place, flags = folder(), os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(place / name, flags, 0o600)
    except FileNotFoundError:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(place / name, flags, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def cannot_be_kept() -> str | None:
    """Why no witness can be written, if so; found out by trying."""
    try:
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror or error}"

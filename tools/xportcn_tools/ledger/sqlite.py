"""The ledger in one SQLite file: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE`, mode 0600, a witness outside.

SQL runs in a worker thread, one statement sequence at a time. An error of SQLite or of the file system is
a `LedgerUnavailableError`.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from xportcn_tools.clock import utc_now
from xportcn_tools.ledger import rows, witness
from xportcn_tools.ledger.ledger import LedgerUnavailableError, OrderRecord, Realm, StoredPreview
from xportcn_tools.ledger.ledger_file import identity_of, one_file, write_ahead
from xportcn_tools.ledger.migrations import migrate, refuse_newer
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sql import GIVE_UP_SECONDS, SqlLedger
from xportcn_tools.ledger.trail import GENESIS, TrailRow
from xportcn_tools.ledger.witness import Witness

logger = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process's before the ledger counts as locked."""

PAGE_BYTES = 8192
"""Two or three previews fit on a page; of SQLite's own 4096, one and a blank third."""

EARLIER_PROGRAMS = ""
"""Where previews were issued before the ledger noted it (migration 013)."""


def text_of(stored: bytes) -> str:
    """Of a bad byte SQLite would make an error of the whole answer."""
    return stored.decode(errors="replace")


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        return [dict(row) for row in self.connection.execute(statement, values)]


class SqliteLedger(SqlLedger):
    """The driver for one file. `clock` gives aware UTC times: those who share a file share a machine."""

    def __init__(
        self,
        path: Path,
        realm: Realm,
        *,
        zone: tzinfo = UTC,
        clock: Callable[[], datetime] = utc_now,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        super().__init__(realm, zone)
        self.path = path
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._known_files: dict[Path, tuple[int, int]] = {}
        self._ledger_id = ""
        self._issued_in = self._this_process = f"process {token_hex(16)}"
        self._witnessed = True
        self._appended: Witness | None = None
        self._last_appended: Witness | None = None

    async def aclose(self) -> None:
        with anyio.move_on_after(BUSY_SECONDS, shield=True):  # a thread that hangs has the lock
            await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True)

    def _now(self, sql: Session) -> datetime:
        del sql
        return self._clock()

    def _guarded(self, work: Callable[[Session], T]) -> T:
        if not self._lock.acquire(timeout=GIVE_UP_SECONDS):  # else threads would gather behind one that hangs
            raise LedgerUnavailableError(self._migrating.words or "an earlier transaction does not end")
        try:
            return work(_SqliteSession(self._connected()))
        except (sqlite3.Error, OSError, UnicodeError, OverflowError) as error:
            # The last two: a value that SQLite cannot hold.
            raise LedgerUnavailableError(f"{type(error).__name__}: {error}") from error
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _transaction(self, sql: Session) -> Generator[None]:
        with contextlib.ExitStack() as until_followed:
            held: witness.Held | None = None
            with self._one_row(sql):
                try:
                    # Of a ledger and its copy, one at a time judges, commits, and is followed.
                    lock = witness.locked(self._identify(sql), self._busy_seconds)
                    held = until_followed.enter_context(lock)
                except TimeoutError:
                    raise
                except OSError as error:
                    self._miss_witness(error)  # before a claim asks whether its token is void
                self._appended = None
                self._judge(sql, held)
                yield
            if self._appended:
                self._last_appended = self._appended
                relied_on = self._witnessed
                try:
                    if held:
                        held.follow(self._appended)
                except OSError as error:
                    self._miss_witness(error)
                    if relied_on:  # a claim that the witness does not know is not sent
                        raise LedgerUnavailableError("the ledger's witness cannot be written") from error

    @contextlib.contextmanager
    def _one_row(self, sql: Session) -> Generator[None]:
        sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._check_identity()
            sql.execute("COMMIT")
        except BaseException:
            if self._connection and self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    sql.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _snapshot(self, sql: Session) -> Generator[None]:
        sql.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                sql.execute("ROLLBACK")  # nothing was written

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None:
            self._check_identity()
            return self._connection
        self._check_identity()
        file = one_file(self.path)
        connection = sqlite3.connect(
            file, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.text_factory = text_of
            refuse_newer(connection)  # before anything that writes
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is still empty
            write_ahead(connection, self._busy_seconds)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # on macOS, fsync stops at the drive's cache
            connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
            sql = _SqliteSession(connection)
            migrate(connection, rows.time_text(self._clock()), lambda: self._adopt(sql), self._migrating)
            connection.execute("PRAGMA foreign_keys = ON")  # after the migrations, which may rebuild a table
            connection.execute("PRAGMA temp_store = MEMORY")  # statement journals hold parts of orders
            try:
                self._issued_in, self._witnessed = witness.folder_id(self._busy_seconds), True
            except OSError as error:
                self._miss_witness(error)
            else:
                if self._is_older_copy(sql) or self._outruns_witness(sql):
                    with self._transaction(sql):  # it judges
                        self._appended = self._appended or self._end_of_trail(sql)
        except BaseException:
            connection.close()
            raise
        self._log = file.with_name(f"{file.name}-wal")
        for each in (self.path, self._log):
            with contextlib.suppress(FileNotFoundError):  # no log where the file system can have none
                self._known_files[each] = identity_of(each)
        self._connection = connection
        return connection

    def _check_identity(self) -> None:
        """A file that was deleted or replaced below us would take our writes and lose them."""
        for file, known in self._known_files.items():
            try:
                identity = identity_of(file)
            except FileNotFoundError:
                raise LedgerUnavailableError(
                    f"the ledger's file {file.name} was deleted while the server ran"
                ) from None
            if identity != known:
                raise LedgerUnavailableError(
                    f"the ledger's file {file.name} was replaced while the server ran"
                )

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._known_files.pop(self._log, None)  # SQLite deletes it with the last connection

    # The witness

    def _identify(self, sql: Session) -> str:
        (row,) = sql.execute("SELECT ledger_id FROM identity")
        self._ledger_id = str(row["ledger_id"])
        return self._ledger_id

    def _adopt(self, sql: Session) -> None:
        """The first witness of a ledger that has just got its id."""
        try:
            witness.write(self._identify(sql), self._end_of_trail(sql))
        except OSError as error:
            self._miss_witness(error)

    def _end_of_trail(self, sql: Session) -> Witness:
        last = sql.execute("SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1")
        return Witness(**last[0]) if last else Witness(0, GENESIS)

    def _outruns_witness(self, sql: Session) -> bool:
        """Whether the witness is behind (a process died after its commit), or missing: a folder new to it."""
        with contextlib.suppress(OSError):
            held = witness.read(self._ledger_id)
            return held is None or held.sequence < self._end_of_trail(sql).sequence
        return False

    def _is_older_copy(self, sql: Session, locked: witness.Held | None = None) -> bool:
        """Whether the ledger has lost rows that its witness knows, or has issued tokens here and no witness.

        The witness is read before the trail: a row that it knows was committed by then.
        """
        try:
            held = locked.read() if locked else witness.read(self._identify(sql))
        except OSError as error:
            self._miss_witness(error)
            return False
        if held is None:
            issued = "SELECT 1 FROM issuers WHERE folder IN (?, ?) LIMIT 1"
            return bool(sql.execute(issued, (EARLIER_PROGRAMS, self._issued_in)))
        return self._lacks(sql, held)

    def _lacks(self, sql: Session, row: Witness) -> bool:
        known = "SELECT 1 FROM trail WHERE sequence = ? AND hash = ?"
        return row.sequence > 0 and not sql.execute(known, (row.sequence, row.hash))

    def _judge(self, sql: Session, held: witness.Held | None) -> None:
        """Within a transaction: an older copy voids every token that it was issued with. Where no witness can
        be kept, this process's own last row is one.
        """
        last = self._last_appended
        forgotten = not self._witnessed and last is not None and self._lacks(sql, last)
        if not (self._is_older_copy(sql, held) or forgotten):
            return
        hindrance = witness.cannot_be_kept()
        if hindrance and not forgotten:
            self._miss_witness(hindrance)
            return
        self._append(sql, "restored", "ledger", {})
        if self._appended and held and not hindrance:
            # Before the commit, so that nobody finds the same again: were this row lost, it would be missed.
            held.write(self._appended)
        logger.warning(
            "the ledger %s was copied or restored: previews made before now are void, and orders placed since"
            " the copy was made may be missing in it; look upstream before the same is ordered again",
            self.path,
        )

    def _append(self, sql: Session, event: str, subject: str, body: dict[str, Any]) -> TrailRow:
        row = super()._append(sql, event, subject, body)
        self._appended = Witness(row.sequence, row.hash)
        return row

    def _miss_witness(self, reason: object) -> None:
        """From here on a token orders only in the process that issued it, and none that was issued before."""
        if self._witnessed:
            logger.warning(
                "no witness of the ledger can be kept (%s): previews made before now are void", reason
            )
        self._issued_in, self._witnessed = self._this_process, False

    def _is_void(self, sql: Session, preview: StoredPreview) -> bool:
        """Also where it was issued under another state folder, whose witness alone knows what came of it."""
        elsewhere = "SELECT 1 FROM previews WHERE preview_id = ? AND issued_in NOT IN (?, ?)"
        here = (self._issued_in, EARLIER_PROGRAMS if self._witnessed else self._issued_in)
        return super()._is_void(sql, preview) or bool(sql.execute(elsewhere, (preview.preview_id, *here)))

    def _row(self, record: StoredPreview | OrderRecord) -> dict[str, Any]:
        row = super()._row(record)
        return row | {"issued_in": self._issued_in} if isinstance(record, StoredPreview) else row

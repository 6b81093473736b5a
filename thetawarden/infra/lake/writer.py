"""Brings messages into tables: each exactly once, whatever happens in between.

The message log is the spool. What arrives here is only a faster way to the same rows: before a
commit the log is asked how many messages of each kind there are, and where one is missing (two
threads may deliver in another order than the log's, a full buffer may have been dropped) the table
reads the log from its watermark. The same path serves the first start, a crash, storage that was
away, and a table written anew. For one thread; nothing here waits for anybody but storage. The
clock is the machine's, whatever time the market has.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.errors import ThetawardenError
from thetawarden.infra.lake.columns import Table
from thetawarden.infra.lake.errors import (
    LINE_MAX,
    AheadOfLogError,
    DamagedTableError,
    LakeAwayError,
    LakeError,
    NewerTableError,
    first_line,
)
from thetawarden.infra.lake.frames import Row, frame_of
from thetawarden.infra.lake.projection import FEEDS, PROJECTIONS, project
from thetawarden.infra.lake.spool import Spool
from thetawarden.infra.lake.store import TableStore
from thetawarden.infra.lake.upkeep import data_files, fold_when_many, require_whole
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lake import (
    LakeCommitted,
    LakeFellBehind,
    LakeSkipped,
    LakeTrouble,
    LakeUnavailable,
)
from thetawarden.ports import Clock

FOLD_CHECK_COMMITS = 16
LOG = "message log"
_SEQ = 3
_TROUBLES: Mapping[type[LakeError], LakeTrouble] = {
    DamagedTableError: LakeTrouble.DAMAGED,
    NewerTableError: LakeTrouble.NEWER,
    AheadOfLogError: LakeTrouble.AHEAD,
}


class WriterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much is gathered, how long a table that fails is left alone."""

    flush_rows: int = 5_000
    buffer_rows: int = 50_000
    slice_messages: int = 100_000
    attempts: int = 3
    retry_ns_min: int = 1_000_000_000
    retry_ns_max: int = 300_000_000_000
    turns_at: dt.time = dt.time()
    views_per_kept: int = 1


class Line:
    """What waits for one table, and how far the table is."""

    def __init__(self, store: TableStore) -> None:
        self.store = store
        self.name = store.table.name
        self.kinds = FEEDS.get(self.name, frozenset())
        self.watermark = 0  # nothing up to here is missing; some of it may have become no rows
        self.committed = 0  # what the table itself says
        self.behind = True
        self.passed_seq = 0  # the last message that passed while it was behind
        self.rows: list[Row] = []
        self.retry_at_ns = 0
        self.backoff_ns = 0
        self.commits = 0
        self.files = 0

    def fall_behind(self) -> int:
        """Drop what waits; it will be read from the log. Returns how many rows that were."""
        dropped = len(self.rows)
        self.rows, self.behind = [], True
        return dropped

    def begin_again(self) -> None:
        """Read the log from wherever the table says now, without waiting any longer."""
        self.fall_behind()
        self.watermark = self.committed = self.retry_at_ns = self.backoff_ns = 0


class LakeWriter:
    """All tables that messages feed."""

    def __init__(
        self,
        stores: Iterable[TableStore],
        *,
        spool: Spool,
        clock: Clock,
        log: str,
        settings: WriterSettings | None = None,
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._log = log
        self._settings = settings or WriterSettings()
        self.lines: Mapping[str, Line] = {store.table.name: Line(store) for store in stores}
        self._kinds = tuple(sorted({kind for line in self.lines.values() for kind in line.kinds}))
        self._top: int | None = None
        self._verified = 0
        self._taken: dict[int, str] = {}
        self._said: list[Message] = []

    @property
    def waiting_rows(self) -> int:
        """How many rows wait in all buffers together."""
        return sum(len(line.rows) for line in self.lines.values())

    def take(self, envelope: Envelope[Message]) -> None:
        """Gather what a message becomes; what is there already, or is read anew, is let pass."""
        seq = envelope.seq
        if seq <= self._verified or seq in self._taken or type(envelope.body) not in PROJECTIONS:
            return
        found = self._project(envelope)
        self._taken[seq] = type(envelope.body).__name__
        for table, rows in found:
            line = self.lines[table]
            if line.behind:
                line.passed_seq = max(seq, line.passed_seq)
            elif seq > line.watermark:
                line.rows.extend(rows)
            if len(line.rows) > self._settings.buffer_rows:
                self._said.append(LakeFellBehind(table=table, rows=line.fall_behind()))

    def flush(self) -> tuple[Message, ...]:
        """Commit what has gathered and go on catching up; returns what came of it."""
        try:
            top = self._spool.top()
            if self._top is None:  # what is there at the start is read, not waited for
                self._verified = self._top = top
            # what was there at the flush before has had the time to arrive
            self._verify(max(min(max(self._taken, default=0), top), self._top))
            self._top = top
            for line in self.lines.values():
                if line.rows and not line.behind:
                    self._flush_line(line)
            self._catch_up(top)
        except LakeError:
            raise
        except ThetawardenError as error:  # the log cannot be read: a person must look
            self._said.append(
                LakeUnavailable(
                    table=LOG, trouble=LakeTrouble.LOG_UNREADABLE, error=first_line(error)
                )
            )
        said, self._said = tuple(self._said), []
        return said

    def behind(self) -> bool:
        """Whether any table still has to read the log, and may do so now."""
        now = self._clock.monotonic_ns()
        return any(line.behind and line.retry_at_ns <= now for line in self.lines.values())

    def settle(self) -> None:
        """Let every table that is complete say so in its own log, though nothing came for it."""
        for line in self.lines.values():
            if not line.behind and not line.rows and line.watermark < self._verified:
                try:
                    line.store.advance(self._verified)
                    line.watermark = line.committed = self._verified
                except LakeError as error:
                    self._give_up(line, error)

    def _verify(self, upto: int) -> None:
        """Hold what was taken against the log; a table that misses something falls behind."""
        if upto <= self._verified:
            return
        there = self._spool.count(self._kinds, after_seq=self._verified, until_seq=upto)
        before = self._verified
        have = Counter(kind for seq, kind in self._taken.items() if before < seq <= upto)
        for kind in self._kinds:
            if there.get(kind, 0) != have.get(kind, 0):
                for line in self.lines.values():
                    if kind in line.kinds and not line.behind:
                        line.fall_behind()
        self._taken = {seq: kind for seq, kind in self._taken.items() if seq > upto}
        self._verified = upto

    def _flush_line(self, line: Line) -> None:
        ready = [row for row in line.rows if row[_SEQ] <= self._verified]
        if ready and self._commit(line, ready, self._verified):
            line.rows = [row for row in line.rows if row[_SEQ] > self._verified]

    def _catch_up(self, top: int) -> None:
        """Read the log for all tables that are behind, a slice of it at a time."""
        now = self._clock.monotonic_ns()
        lines = {
            line.name: line
            for line in self.lines.values()
            if line.behind and line.retry_at_ns <= now and self._find_watermark(line, top)
        }
        if not lines:
            return
        start = min(line.watermark for line in lines.values())
        kinds = tuple(sorted({kind for line in lines.values() for kind in line.kinds}))
        reached = top
        gathered: dict[str, list[Row]] = {name: [] for name in lines}
        messages = self._spool.read(kinds, after_seq=start, until_seq=top)
        for number, envelope in enumerate(messages, 1):
            self._spread(envelope, lines, gathered)
            if number >= self._settings.slice_messages:
                reached = envelope.seq
                break
        for name, line in list(lines.items()):
            through = max(reached, line.watermark)
            if gathered[name] and not self._commit(line, gathered[name], through):
                continue
            line.watermark = through
            line.behind = reached < max(top, line.passed_seq)

    def _spread(
        self,
        envelope: Envelope[Message],
        lines: dict[str, Line],
        gathered: dict[str, list[Row]],
    ) -> None:
        """Give each table its rows; one that fails now takes no further part."""
        for table, rows in self._project(envelope):
            line = lines.get(table)
            if line is None or envelope.seq <= line.watermark:
                continue
            gathered[table].extend(rows)
            if len(gathered[table]) >= self._settings.buffer_rows:
                if not self._commit(line, gathered[table], envelope.seq):
                    del lines[table]
                gathered[table] = []

    def _find_watermark(self, line: Line, top: int) -> bool:
        try:
            stored = line.store.watermark()
            if stored > top:
                raise AheadOfLogError(line.name, held=stored, top=top)
            lost = stored < line.committed
            line.watermark = stored if lost else max(stored, line.watermark)
            line.committed = stored
            line.files = require_whole(line.store)
        except LakeError as error:
            self._give_up(line, error)
            return False
        return True

    def _commit(self, line: Line, rows: list[Row], through_seq: int) -> bool:
        """Append, a few times if need be; a table that will not is left alone for a while."""
        frame = frame_of(line.store.table, rows)
        for attempt in range(1, self._settings.attempts + 1):
            try:
                line.store.append(frame, through_seq=through_seq)
                break
            except LakeError as error:
                line.store.let_go()
                if attempt == self._settings.attempts or not isinstance(error, LakeAwayError):
                    self._give_up(line, error)
                    return False
        line.watermark = line.committed = through_seq
        line.backoff_ns = 0
        line.commits += 1
        line.files += frame["day"].n_unique()
        self._keep_few_files(line)
        self._said.append(
            LakeCommitted(
                table=line.name, through_seq=through_seq, rows=len(rows), files=line.files
            )
        )
        return True

    def _keep_few_files(self, line: Line) -> None:
        if line.commits % FOLD_CHECK_COMMITS:
            return
        try:
            fold_when_many(line.store, now_ns=self._clock.now_ns())
            line.files = len(data_files(line.store))
        except LakeError as error:  # the rows are safe; the files are folded another time
            self._said.append(_unavailable(line.name, error))

    def _give_up(self, line: Line, error: LakeError) -> None:
        settings = self._settings
        line.fall_behind()
        line.backoff_ns = min(
            max(settings.retry_ns_min, line.backoff_ns * 2), settings.retry_ns_max
        )
        line.retry_at_ns = self._clock.monotonic_ns() + line.backoff_ns
        self._said.append(_unavailable(line.name, error))

    def _project(self, envelope: Envelope[Message]) -> tuple[tuple[str, list[Row]], ...]:
        """What a message becomes; one that cannot be read so must not stop all that follow it."""
        try:
            rows = project(
                envelope,
                log=self._log,
                turns_at=self._settings.turns_at,
                views_per_kept=self._settings.views_per_kept,
            )
        except Exception as error:  # noqa: BLE001  # a mistake of ours, whatever it is
            words = f"{error!r}"[:LINE_MAX]
            kind = type(envelope.body).__name__
            self._said.append(LakeSkipped(seq=envelope.seq, kind=kind, error=words))
            return ()
        return tuple(each for each in rows if each[0] in self.lines)


def writes(table: Table) -> bool:
    """Whether messages feed this table; the others are filled by housekeeping or by nobody yet."""
    return table.name in FEEDS


def _unavailable(table: str, error: LakeError) -> LakeUnavailable:
    trouble = _TROUBLES.get(type(error), LakeTrouble.AWAY)
    return LakeUnavailable(table=table, trouble=trouble, error=first_line(error))

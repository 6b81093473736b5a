"""Checks every row of the log: structure, checksums, and that no number is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from thetawarden.errors import ThetawardenError
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.reader import MESSAGE_COLUMNS, SNAPSHOT_COLUMNS, DayLog
from thetawarden.infra.journal.store import day_files

FINDINGS_MAX = 20


class Verification(msgspec.Struct, kw_only=True):
    """What `log verify` reports; `damaged` counts rows that are wrong or missing."""

    messages: int = 0
    deliveries: int = 0
    snapshots: int = 0
    damaged: int = 0
    first_seq: int | None = None
    last_seq: int | None = None
    last_n: int | None = None
    findings: list[str] = msgspec.field(default_factory=list)

    def note(self, finding: str, *, count: int = 1) -> None:
        """Count damage, and keep the first few descriptions of it."""
        self.damaged += count
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


def verify_log(folder: Path) -> Iterator[tuple[Path, Verification]]:
    """Verify day by day; the running total after each file, so that progress can be shown."""
    total = Verification()
    for path in day_files(folder):
        day = DayLog(path)
        try:
            _verify_day(day, total)
        except ThetawardenError as error:
            total.note(str(error))
        finally:
            day.close()
        yield path, total


def verify_day(path: Path) -> Verification:
    """Verify one file; raises DamagedLogError when it cannot be read to its end."""
    total = Verification()
    day = DayLog(path)
    try:
        _verify_day(day, total)
    finally:
        day.close()
    return total


def _verify_day(day: DayLog, total: Verification) -> None:
    _note_gap(day, total, "messages", found=day.first_seq, after=total.last_seq)
    _note_gap(day, total, "deliveries", found=day.first_n, after=total.last_n)
    for finding in (day.sound(), day.check_end()):
        if finding is not None:
            total.note(f"{day.path.name}: {finding}")
    total.last_seq, total.last_n = day.first_seq - 1, day.first_n - 1
    _verify_messages(day, total)
    _verify_deliveries(day, total)
    for row in day.raw(f"{SNAPSHOT_COLUMNS} ORDER BY n"):
        total.snapshots += 1
        n, actor, *_ = row
        if not rows.intact(rows.snapshot_crc, row[:-1], row[-1]):
            total.note(f"{day.path.name}: the snapshot of {actor} at {n} is damaged")
        elif n > total.last_n:
            total.note(f"{day.path.name}: the snapshot of {actor} at {n} is newer than the log")


def _verify_messages(day: DayLog, total: Verification) -> None:
    for row in day.raw(f"{MESSAGE_COLUMNS} ORDER BY seq"):
        seq = row[0]
        if not rows.intact(rows.message_crc, row[:-1], row[-1]) or not _decodes(row):
            total.note(f"{day.path.name}: message {seq} is damaged, or is no {row[5]}")
        if seq < day.first_seq:
            continue
        _note_gap(day, total, "messages", found=seq, after=total.last_seq)
        total.messages += 1
        total.first_seq = seq if total.first_seq is None else total.first_seq
        total.last_seq = seq


def _verify_deliveries(day: DayLog, total: Verification) -> None:
    query = (
        "SELECT d.n, d.seq, d.actor, d.incarnation, d.at_ns, d.outcome, d.merged, d.crc,"
        " m.seq IS NULL FROM deliveries d"
        " LEFT JOIN messages m ON m.seq = d.seq ORDER BY d.n"
    )
    for *columns, crc, orphaned in day.raw(query):
        n = columns[0]
        if not rows.intact(rows.delivery_crc, tuple(columns), crc):
            total.note(f"{day.path.name}: delivery {n} is damaged")
        if orphaned:
            total.note(f"{day.path.name}: delivery {n} has lost its message {columns[1]}")
        _note_gap(day, total, "deliveries", found=n, after=total.last_n)
        total.deliveries += 1
        total.last_n = n


def _note_gap(
    day: DayLog, total: Verification, what: str, *, found: int, after: int | None
) -> None:
    if after is None or found == after + 1:
        return
    words = f"{day.path.name}: {what} {after + 1} to {found - 1} are missing"
    if found <= after:
        words = f"{day.path.name}: {what} {found} comes after {after}"
    total.note(words, count=max(1, found - after - 1))


def _decodes(row: tuple[object, ...]) -> bool:
    try:
        body = rows.decode_body(row[6])  # type: ignore[arg-type]  # SQLite's types
    except Exception:  # noqa: BLE001  # any failure to decode is damage
        return False
    return type(body).__name__ == row[5]  # those who read by kind rely on it

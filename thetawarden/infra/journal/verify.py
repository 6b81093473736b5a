"""Checks every row of the log: structure, checksums, and that no number is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from thetawarden.errors import ThetawardenError
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.reader import DayLog, refuse_lost_commits
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
        try:
            refuse_lost_commits(path)
            day = DayLog(path)
        except DamagedLogError as error:
            total.note(str(error))
            yield path, total
            continue
        try:
            _verify_day(day, total)
        except ThetawardenError as error:
            total.note(str(error))
        finally:
            day.close()
        yield path, total


def verify_day(path: Path) -> Verification:
    """Verify one file."""
    total = Verification()
    refuse_lost_commits(path)
    day = DayLog(path)
    try:
        _verify_day(day, total)
    finally:
        day.close()
    return total


def _verify_day(day: DayLog, total: Verification) -> None:
    structure = day.sound()
    if structure is not None:
        total.note(f"{day.path.name}: {structure}")
    expected = day.first_seq
    if total.last_seq is not None and expected != total.last_seq + 1:
        total.note(f"{day.path.name}: begins at message {expected}, not {total.last_seq + 1}")
    for row in day.raw("SELECT * FROM messages ORDER BY seq"):
        seq = row[0]
        if row[-1] != rows.message_crc(*row[:-1]) or not _decodes(row):
            total.note(f"{day.path.name}: message {seq} is damaged")
        if seq < day.first_seq:
            continue
        if seq != expected:
            words = f"{day.path.name}: messages {expected} to {seq - 1} are missing"
            total.note(words, count=max(1, seq - expected))
        expected = seq + 1
        total.messages += 1
        total.first_seq = seq if total.first_seq is None else total.first_seq
        total.last_seq = seq
    _verify_deliveries(day, total)
    for row in day.raw("SELECT * FROM snapshots ORDER BY n"):
        total.snapshots += 1
        if row[-1] != rows.snapshot_crc(*_snapshot_columns(row)):
            total.note(f"{day.path.name}: the snapshot of {row[1]} at {row[0]} is damaged")


def _verify_deliveries(day: DayLog, total: Verification) -> None:
    expected = int(day.meta["first_n"])
    query = (
        "SELECT d.*, m.seq IS NULL FROM deliveries d"
        " LEFT JOIN messages m ON m.seq = d.seq ORDER BY d.n"
    )
    for *columns, crc, orphaned in day.raw(query):
        n = columns[0]
        if crc != rows.delivery_crc(*columns):
            total.note(f"{day.path.name}: delivery {n} is damaged")
        if orphaned:
            total.note(f"{day.path.name}: delivery {n} has lost its message {columns[1]}")
        if n != expected:
            words = f"{day.path.name}: deliveries {expected} to {n - 1} are missing"
            total.note(words, count=max(1, n - expected))
        expected = n + 1
        total.deliveries += 1


def _snapshot_columns(row: tuple[object, ...]) -> tuple[int, str, int, int, bytes]:
    n, actor, incarnation, at_ns, body, _ = row
    return n, actor, incarnation, at_ns, body  # type: ignore[return-value]  # SQLite's types


def _decodes(row: tuple[object, ...]) -> bool:
    try:
        rows.decode_body(row[6])  # type: ignore[arg-type]  # SQLite's types
    except Exception:  # noqa: BLE001  # any failure to decode is damage
        return False
    return True

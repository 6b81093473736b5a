"""Reads a user's path: daily closes of index and VIX from a CSV file, every fault in one line.

The first line names the columns: a date (`date`, ISO), an index close (`close`, `spx` or `index`)
and, if wanted, `vix`. Other columns are ignored. Days must be New York sessions, rising, without
a gap; closes above zero; a VIX between 5 and 150.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path

import msgspec

from thetawarden.domain.market.calendar import is_session, next_session
from thetawarden.domain.market.sessions import Sessions
from thetawarden.errors import EXIT_USAGE, ThetawardenError

ROWS_MIN = 2
VIX_MIN, VIX_MAX = 5.0, 150.0
_CLOSE_NAMES = ("close", "spx", "index")


class BadPathFileError(ThetawardenError):
    """The user's file cannot be a path. The user's to mend: say where and what."""

    exit_code = EXIT_USAGE

    def __init__(self, *, file: str, line: int, what: str) -> None:
        place = f"{file}, line {line}" if line else file
        super().__init__(f"{place}: {what}")
        self.file, self.line, self.what = file, line, what


class DailyClose(msgspec.Struct, frozen=True, kw_only=True):
    """One day of a user's path."""

    day: dt.date
    close: float
    vix: float | None


def read_closes(path: Path, sessions: Sessions) -> tuple[DailyClose, ...]:
    """Return the file's days in order; raises BadPathFileError at the first fault."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPathFileError(file=path.name, line=0, what=f"cannot be read: {error}") from error
    return parse_closes(text, name=path.name, sessions=sessions)


def parse_closes(text: str, *, name: str, sessions: Sessions) -> tuple[DailyClose, ...]:
    """Return the days a text holds; raises BadPathFileError at the first fault."""
    reader = csv.reader(text.splitlines())
    columns = _columns(next(reader, []), name)
    days: list[DailyClose] = []
    for line, cells in enumerate(reader, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            day = _day(cells, columns)
            _check(day, days[-1] if days else None, sessions)
        except ValueError as error:
            raise BadPathFileError(file=name, line=line, what=str(error)) from error
        days.append(day)
    if len(days) < ROWS_MIN:
        raise BadPathFileError(
            file=name, line=0, what=f"{len(days)} days found, at least {ROWS_MIN} needed"
        )
    return tuple(days)


def _columns(cells: list[str], name: str) -> dict[str, int]:
    header = [cell.strip().lower() for cell in cells]
    close = next((one for one in _CLOSE_NAMES if one in header), None)
    if "date" not in header or close is None:
        raise BadPathFileError(
            file=name,
            line=1,
            what=f"columns {', '.join(header) or 'none'} found, date and close needed",
        )
    columns = {"date": header.index("date"), "close": header.index(close)}
    return columns | ({"vix": header.index("vix")} if "vix" in header else {})


def _day(cells: list[str], columns: dict[str, int]) -> DailyClose:
    if len(cells) <= max(columns.values()):
        raise ValueError(f"{len(cells)} cells found, {max(columns.values()) + 1} needed")
    written = cells[columns["date"]].strip()
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        raise ValueError(f"date is {written!r}, YYYY-MM-DD allowed") from None
    vix = None
    if "vix" in columns and cells[columns["vix"]].strip():
        vix = _number(cells[columns["vix"]], "vix")
        if not VIX_MIN <= vix <= VIX_MAX:
            raise ValueError(f"vix is {vix:g}, {VIX_MIN:g} to {VIX_MAX:g} allowed")
    close = _number(cells[columns["close"]], "close")
    if not close > 0.0:
        raise ValueError(f"close is {close:g}, above 0 allowed")
    return DailyClose(day=day, close=close, vix=vix)


def _number(cell: str, name: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{name} is {cell.strip()!r}, a number needed") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} is {cell.strip()}, a finite number needed")
    return value


def _check(day: DailyClose, before: DailyClose | None, sessions: Sessions) -> None:
    if not dt.date(1992, 1, 1) <= day.day <= dt.date(2045, 12, 31):
        raise ValueError(f"date is {day.day}, 1992 to 2045 allowed")
    if not is_session(day.day, sessions):
        raise ValueError(f"{day.day} is no session of New York's exchanges")
    if before is None:
        return
    if day.day <= before.day:
        raise ValueError(f"{day.day} does not come after {before.day}")
    expected = next_session(before.day, sessions)
    if day.day != expected:
        raise ValueError(f"{day.day} follows {before.day}, but {expected} was a session")
    if abs(math.log(day.close / before.close)) > 0.35:
        raise ValueError(f"close jumps from {before.close:g} to {day.close:g}")

"""Reads what a person keeps of underlyings and companies: two CSV files, both optional.

`underlyings`: symbol, beta, iv_beta, sector; an empty cell says nothing. Without an iv_beta of its
own a volatility moves as far as the beta without its sign, and no less than the index's: what falls
when the index rises becomes no calmer in a crash. `companies`: symbol, kind, day, value, where kind
is earnings (value before_open, after_close or empty), dividend (value the amount a share),
earnings_from, earnings_until, dividends_until, the last three once a company at most. A company
whose reports are to count as known needs both ends: a calendar that does not say how far it goes
says nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import enum
import io
import math
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from thetawarden.config.problems import ConfigError, Problem, one_line
from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.terms import Company
from thetawarden.domain.market.events import (
    Earnings,
    EarningsCalendar,
    EarningsTime,
    ExDividend,
)

R = TypeVar("R", bound=msgspec.Struct)
BYTES_MAX = 4_000_000


class KnownConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of yours about underlyings and companies; what nobody knows allows no entry."""

    underlyings: Annotated[
        str,
        Meta(
            max_length=400,
            title="the path of a CSV file, or empty",
            description="symbol, beta, iv_beta, sector: in the place of what is measured.",
        ),
    ] = ""
    companies: Annotated[
        str,
        Meta(
            max_length=400,
            title="the path of a CSV file, or empty",
            description="symbol, kind, day, value: when companies report and pay dividends.",
        ),
    ] = ""


class UnderlyingRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the underlyings."""

    symbol: str
    beta: str = ""
    iv_beta: str = ""
    sector: str = ""


class CompanyKind(enum.StrEnum):
    """What a line of the companies says."""

    EARNINGS = "earnings"
    DIVIDEND = "dividend"
    EARNINGS_FROM = "earnings_from"
    EARNINGS_UNTIL = "earnings_until"
    DIVIDENDS_UNTIL = "dividends_until"


class CompanyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the companies."""

    symbol: str
    kind: CompanyKind
    day: dt.date
    value: str = ""


class Underlyings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of how underlyings follow the index, and where they belong."""

    betas: dict[str, Beta] = {}
    sectors: dict[str, str] = {}


def load_underlyings(path: str) -> Underlyings:
    """Return what the named file says, nothing when none is named, or raise ConfigError."""
    betas: dict[str, Beta] = {}
    sectors: dict[str, str] = {}
    for line, row in _rows(path, UnderlyingRow):
        if row.sector:
            sectors[row.symbol] = row.sector.strip().lower()
        if row.beta or row.iv_beta:
            beta = _number(row.beta, path, line, "beta")
            iv_beta = max(1.0, abs(beta))
            if row.iv_beta:
                iv_beta = _number(row.iv_beta, path, line, "iv_beta")
            betas[row.symbol] = Beta(symbol=row.symbol, beta=beta, iv_beta=iv_beta)
    return Underlyings(betas=betas, sectors=sectors)


def load_companies(path: str) -> dict[str, Company]:
    """Return what the named file says of companies, nothing when none is named."""
    by_symbol: dict[str, list[tuple[int, CompanyRow]]] = {}
    for line, row in _rows(path, CompanyRow):
        by_symbol.setdefault(row.symbol, []).append((line, row))
    return {symbol: _company(rows, path) for symbol, rows in by_symbol.items()}


def _company(rows: list[tuple[int, CompanyRow]], path: str) -> Company:
    def end(kind: CompanyKind) -> dt.date | None:
        """Of two spans nobody would know what lies between them."""
        found = [(line, row.day) for line, row in rows if row.kind is kind]
        if len(found) > 1:
            where = f"{path}:{found[1][0]}"
            raise _refusal(
                where,
                f"a second {kind.value} of {rows[0][1].symbol}, of which there is one",
                CompanyRow,
            )
        return found[0][1] if found else None

    reports = tuple(
        Earnings(day=row.day, time=_time(row.value, path, line))
        for line, row in rows
        if row.kind is CompanyKind.EARNINGS
    )
    dividends = tuple(
        ExDividend(ex_day=row.day, amount_usd=_number(row.value, path, line, "value"))
        for line, row in rows
        if row.kind is CompanyKind.DIVIDEND
    )
    begins, ends = end(CompanyKind.EARNINGS_FROM), end(CompanyKind.EARNINGS_UNTIL)
    # without both ends the reports named still refuse; that there are no others is not known
    calendar = EarningsCalendar(
        known_from=begins if begins and ends else dt.date.max,
        known_until=ends if begins and ends else dt.date.min,
        reports=reports,
    )
    return Company(
        earnings=calendar if (begins and ends) or reports else None,
        dividends=dividends,
        dividends_until=end(CompanyKind.DIVIDENDS_UNTIL),
    )


def _rows(path: str, kind: type[R]) -> list[tuple[int, R]]:
    """Every line of a file, with its number; the first line names the columns."""
    if not path:
        return []
    try:
        content = Path(path).expanduser().read_bytes()[: BYTES_MAX + 1]
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _refusal(path, f"no readable file ({error.strerror})", kind) from None
    except UnicodeDecodeError:
        raise _refusal(path, "a file that is not text in UTF-8", kind) from None
    if len(content) > BYTES_MAX:
        raise _refusal(path, f"a file of more than {BYTES_MAX} bytes", kind)
    found = []
    try:
        for line, row in enumerate(csv.DictReader(io.StringIO(text), strict=True), 2):
            cells = {str(key).strip(): (cell or "").strip() for key, cell in row.items()}
            found.append((line, msgspec.convert(cells, kind, strict=False)))
    except (csv.Error, msgspec.ValidationError) as error:
        raise _refusal(f"{path}:{len(found) + 2}", str(error), kind) from None
    return found


def _number(text: str, path: str, line: int, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        kind: type[msgspec.Struct] = UnderlyingRow if "beta" in name else CompanyRow
        raise _refusal(f"{path}:{line}", f"{name} {text!r}, which is no number", kind)
    return value


def _time(text: str, path: str, line: int) -> EarningsTime:
    try:
        return EarningsTime(text or EarningsTime.UNKNOWN)
    except ValueError:
        raise _refusal(f"{path}:{line}", f"value {text!r}", CompanyRow) from None


def _refusal(where: str, found: str, kind: type[msgspec.Struct]) -> ConfigError:
    columns = ", ".join(kind.__struct_fields__)
    return ConfigError(
        [
            Problem(
                where=where,
                path="",
                found=one_line(found),
                allowed=f"a CSV file whose first line is {columns}",
                remedy="mend the line, or leave the file out",
            )
        ]
    )

"""Reads and writes option symbols: root, date, right and strike in thousandths, as OCC defines.

The written form is padded to 21 characters, which is also the broker's `localSymbol`
(`SPY   261006C00769000`). Reading takes the unpadded form of the exchanges as well. Two digits of
a year mean this century.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from decimal import Decimal

from thetawarden.domain.market.contracts import OptionContract, Right

_PATTERN = re.compile(r"([A-Z0-9]{1,6})(\d{2})(\d{2})(\d{2})([CP])(\d{8})", re.ASCII)
_ROOT = re.compile(r"[A-Z0-9]{1,6}")
_THOUSANDTHS_MAX = 99_999_999


class SymbolFault(enum.StrEnum):
    """Why a text is no option symbol, or a contract has none."""

    NOT_A_SYMBOL = "not_a_symbol"
    NO_SUCH_DATE = "no_such_date"
    YEAR_OUT_OF_RANGE = "year_out_of_range"
    BAD_ROOT = "bad_root"
    BAD_STRIKE = "bad_strike"


def parse_occ(symbol: str) -> OptionContract | SymbolFault:
    """Return the contract a symbol names, or why it names none."""
    root, rest = symbol[:6].rstrip(" "), symbol[6:]
    compact = root + rest if len(symbol) == 21 else symbol
    match = _PATTERN.fullmatch(compact)
    if match is None:
        return SymbolFault.NOT_A_SYMBOL
    root, year, month, day, right, thousandths = match.groups()
    if int(thousandths) == 0:
        return SymbolFault.BAD_STRIKE
    try:
        expiry = dt.date(2000 + int(year), int(month), int(day))
    except ValueError:
        return SymbolFault.NO_SUCH_DATE
    strike = Decimal(int(thousandths)).scaleb(-3)
    return OptionContract(trading_class=root, expiry=expiry, right=Right(right), strike=strike)


def format_occ(contract: OptionContract) -> str | SymbolFault:
    """Return the contract's 21-character symbol, or why it cannot be written."""
    thousandths = contract.strike * 1000
    if not _ROOT.fullmatch(contract.trading_class):
        return SymbolFault.BAD_ROOT
    if not 2000 <= contract.expiry.year <= 2099:
        return SymbolFault.YEAR_OUT_OF_RANGE
    if not thousandths.is_finite() or thousandths != int(thousandths):
        return SymbolFault.BAD_STRIKE
    if not 1 <= thousandths <= _THOUSANDTHS_MAX:
        return SymbolFault.BAD_STRIKE
    return (
        f"{contract.trading_class:<6}{contract.expiry:%y%m%d}"
        f"{contract.right.value}{int(thousandths):08d}"
    )

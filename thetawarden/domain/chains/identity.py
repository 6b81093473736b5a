"""Decides which listed options are what they seem, and names why the others are refused.

Pure: compares what the broker says of classes and contracts with the terms their exchanges
publish. A class is taken only under its own name: SPX and SPXW expire on the same third Friday,
one in the morning and one in the afternoon, and are two series. After a corporate action the
broker lists adjusted classes (`2AAPL`) and odd multipliers beside the standard ones; those are
refused, never guessed at.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.market.contracts import OptionClass, OptionContract, Right
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.market.products import (
    CENT_THEN_NICKEL,
    OPTION_CLASSES,
    stock_option_class,
)

MULTIPLIER = 100
HEADS_KEPT = 1024


class Refusal(enum.StrEnum):
    """Why a class or a contract is not watched."""

    ADJUSTED_CLASS = "adjusted_class"
    UNKNOWN_CLASS = "unknown_class"
    MULTIPLIER = "multiplier"
    NOT_AN_OPTION = "not_an_option"
    INCOMPLETE = "incomplete"
    OTHER_SYMBOL = "other_symbol"
    OTHER_CLASS = "other_class"
    OTHER_EXPIRY = "other_expiry"
    CONTRADICTORY = "contradictory"
    AMBIGUOUS = "ambiguous"


class SeriesKey(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One class on one expiry day: all its options end at the same instant in the same way."""

    expiry: dt.date
    trading_class: str


class Contracts(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one series by rising strike; a conid of 0 is a right that does not exist.

    `day` is when the broker was asked; `refused` counts what it offered besides, by reason.
    """

    key: SeriesKey
    day: dt.date
    exchange: str
    strikes: tuple[Decimal, ...]
    calls: tuple[int, ...]
    puts: tuple[int, ...]
    refused: tuple[tuple[Refusal, int], ...] = ()


def terms_of(
    *, trading_class: str, multiplier: int, underlying: str, is_index: bool
) -> OptionClass | Refusal:
    """Return the terms of a class listed on an underlying, or why it is refused.

    An index's classes must be among the known ones: their settlement cannot be guessed. A share's
    standard class is called as the share is.
    """
    terms = OPTION_CLASSES.get(trading_class)
    if terms is None or terms.underlying != underlying:
        if trading_class[:1].isdigit() or trading_class[-1:].isdigit():
            return Refusal.ADJUSTED_CLASS
        if is_index or trading_class.replace(" ", "") != underlying.replace(" ", ""):
            return Refusal.UNKNOWN_CLASS
        terms = stock_option_class(underlying, ticks=CENT_THEN_NICKEL)
    return terms if multiplier == terms.multiplier else Refusal.MULTIPLIER


def sort_out(
    options: Iterable[Instrument],
    *,
    underlying: str,
    key: SeriesKey,
    exchange: str,
    day: dt.date,
) -> Contracts:
    """Keep the contracts that are what was asked for: at most one of each strike and right.

    Two numbers for one strike and right cannot be told apart, so neither is kept.
    """
    refused: Counter[Refusal] = Counter()
    found: dict[tuple[Decimal, Right], set[int]] = {}
    for option in options:
        why = next(_misfits(option, underlying=underlying, key=key), None)
        if why is not None:
            refused[why] += 1
        elif option.strike is not None and option.right is not None:
            found.setdefault((option.strike, option.right), set()).add(option.conid)
    sole = {one: min(conids) for one, conids in found.items() if len(conids) == 1}
    refused[Refusal.AMBIGUOUS] += sum(len(conids) for conids in found.values() if len(conids) > 1)
    strikes = tuple(sorted({strike for strike, _ in sole}))
    return Contracts(
        key=key,
        day=day,
        exchange=exchange,
        strikes=strikes,
        calls=tuple(sole.get((strike, Right.CALL), 0) for strike in strikes),
        puts=tuple(sole.get((strike, Right.PUT), 0) for strike in strikes),
        refused=tuple(sorted((why, count) for why, count in refused.items() if count)),
    )


def instrument_of(
    *, contracts: Contracts, underlying: str, strike_at: int, right: Right
) -> Instrument:
    """Return one option of a series as the broker is asked for it."""
    conids = contracts.calls if right is Right.CALL else contracts.puts
    return Instrument(
        conid=conids[strike_at],
        kind=InstrumentKind.OPTION,
        symbol=underlying,
        exchange=contracts.exchange,
        multiplier=MULTIPLIER,
        trading_class=contracts.key.trading_class,
        expiry=contracts.key.expiry,
        strike=contracts.strikes[strike_at],
        right=right,
    )


def _misfits(option: Instrument, *, underlying: str, key: SeriesKey) -> Iterator[Refusal]:
    """Whatever speaks against an option, the gravest first."""
    if option.kind is not InstrumentKind.OPTION:
        yield Refusal.NOT_AN_OPTION
    if option.strike is None or option.right is None or option.conid <= 0:
        yield Refusal.INCOMPLETE
    if option.symbol != underlying:
        yield Refusal.OTHER_SYMBOL
    if option.trading_class[:1].isdigit():
        yield Refusal.ADJUSTED_CLASS
    if option.trading_class != key.trading_class:
        yield Refusal.OTHER_CLASS
    if option.expiry != key.expiry:
        yield Refusal.OTHER_EXPIRY
    if option.multiplier != MULTIPLIER:
        yield Refusal.MULTIPLIER
    if _contradicts_itself(option):
        yield Refusal.CONTRADICTORY


def _contradicts_itself(option: Instrument) -> bool:
    """Whether the symbol, when there is one, names another option than the fields do."""
    if _is_named_by(option, option.local_symbol):
        return False  # as it mostly is, and sooner seen than by reading all of it
    named = parse_occ(option.local_symbol)
    if not isinstance(named, OptionContract):
        return False
    fields = (option.trading_class, option.expiry, option.right, option.strike)
    return (named.trading_class, named.expiry, named.right, named.strike) != fields


def _is_named_by(option: Instrument, symbol: str) -> bool:
    """Whether a symbol as it is written in full names this option."""
    if option.expiry is None or option.right is None or option.strike is None:
        return False
    head, right, thousandths = symbol[:-9], symbol[-9:-8], symbol[-8:]
    return (
        head == _head(option.trading_class, option.expiry)
        and right == option.right.value
        and thousandths.isdecimal()
        and int(thousandths) == option.strike * 1000
    )


@functools.lru_cache(maxsize=HEADS_KEPT)
def _head(trading_class: str, expiry: dt.date) -> str:
    """With what the symbols of a series begin."""
    whole = trading_class == trading_class.strip() and 2000 <= expiry.year <= 2099
    return f"{trading_class:<6}{expiry:%y%m%d}" if whole else ""

"""Decides what an account must keep under rules by strategy, as Regulation T has them.

Per underlying: shares cover options, long options cover short ones that expire no later (vertical
and calendar spreads), where that spares most first, two equal spreads of one expiry are a condor,
and uncovered puts pair with uncovered calls (strangles): the greater requirement plus the other's
price.

Published formulas ask for the price of a short option on top, because they leave options out of
equity. Here equity counts options at market, as the broker's previews do, so the options' signed
value is added to the published sum: a short option's price cancels, a long one has no loan value.
The funds left are the same under both conventions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.account import margin_naked as naked
from thetawarden.practice.account.exposures import Exposure, Requirement, total
from thetawarden.practice.model import SecType

if TYPE_CHECKING:
    from collections.abc import Sequence


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """So many short contracts, each covered by a long one."""

    short: Exposure
    long: Exposure
    contracts: int

    @property
    def width_usd(self) -> float:
        """What one spread can lose at expiry before its credit."""
        return spread_width(self.short, self.long) * self.short.multiplier


class _Lots(msgspec.Struct):
    """Contracts of each series that nothing has used yet, by conId, unsigned."""

    free: dict[int, int]

    def take(self, contracts: int, *exposures: Exposure) -> int:
        taken = min(contracts, *(self.free[one.con_id] for one in exposures))
        for one in exposures:
            self.free[one.con_id] -= taken
        return taken


def requirement(exposures: Sequence[Exposure]) -> Requirement:
    """Return what the positions require together."""
    parts = [naked.future(one) for one in exposures if one.sec_type is SecType.FUTURE]
    for symbol in sorted({one.symbol for one in exposures if one.sec_type is not SecType.FUTURE}):
        group = [
            one
            for one in exposures
            if one.symbol == symbol and one.sec_type is not SecType.FUTURE and one.quantity
        ]
        parts.append(_underlying(group))
    return total(parts)


def published_options_usd(exposures: Sequence[Exposure]) -> float:
    """Return the published requirement of the options of one underlying, shares as cover."""
    options = [one for one in exposures if one.sec_type is SecType.OPTION]
    lots = _Lots({one.con_id: abs(one.quantity) for one in options})
    covered = _covered_by_shares(exposures, lots)
    spreads = _spreads(options, lots)
    return covered + _spreads_usd(spreads) + _uncovered_usd(options, lots)


def spread_width(short: Exposure, long: Exposure) -> float:
    """Return by how much per share the long option fails to cover the short one."""
    gap = short.strike - long.strike if short.right == "P" else long.strike - short.strike
    return max(gap, 0.0)


def _underlying(group: list[Exposure]) -> Requirement:
    held = [naked.shares(one) for one in group if one.sec_type is SecType.STOCK]
    options_value = sum(one.value_usd for one in group if one.sec_type is SecType.OPTION)
    options = max(published_options_usd(group) + options_value, 0.0)
    return total([*held, Requirement(initial_usd=options, maintenance_usd=options)])


def _covered_by_shares(exposures: Sequence[Exposure], lots: _Lots) -> float:
    """Options that shares make good: what they are in the money is all they require."""
    held = sum(one.quantity for one in exposures if one.sec_type is SecType.STOCK)
    right = "C" if held > 0 else "P"
    shorts = [one for one in exposures if one.right == right and one.quantity < 0]
    required = 0.0
    free = abs(held)
    for one in sorted(shorts, key=naked.short_option_usd, reverse=True):
        contracts = lots.take(free // one.multiplier, one)
        free -= contracts * one.multiplier
        required += contracts * naked.in_the_money(one) * one.multiplier
    return required


def _spreads(options: list[Exposure], lots: _Lots) -> list[Spread]:
    pairs = sorted(
        (
            (_more_usd(short, long), short.con_id, long.con_id, short, long)
            for short in options
            for long in options
            if _covers(short, long)
        ),
        key=lambda pair: pair[:3],
    )
    spreads = []
    for more, _, _, short, long in pairs:
        if more <= 0.0:
            contracts = lots.take(abs(short.quantity), short, long)
            if contracts:
                spreads.append(Spread(short=short, long=long, contracts=contracts))
    return spreads


def _more_usd(short: Exposure, long: Exposure) -> float:
    """How much more a short option requires with a long one beside it than alone."""
    return spread_width(short, long) * short.multiplier - naked.short_option_usd(short)


def _covers(short: Exposure, long: Exposure) -> bool:
    return (
        short.quantity < 0 < long.quantity
        and short.right == long.right
        and short.multiplier == long.multiplier
        and short.expiry is not None
        and long.expiry is not None
        and long.expiry >= short.expiry
    )


def _spreads_usd(spreads: list[Spread]) -> float:
    """A call spread beside an equally wide put spread of the same expiry costs nothing more."""
    required = sum(one.width_usd * one.contracts for one in spreads)
    free = {id(one): one.contracts for one in spreads}
    for put in (one for one in spreads if one.short.right == "P"):
        for call in (one for one in spreads if one.short.right == "C"):
            if _is_condor(put, call):
                both = min(free[id(put)], free[id(call)])
                free[id(put)] -= both
                free[id(call)] -= both
                required -= both * call.width_usd
    return required


def _is_condor(put: Spread, call: Spread) -> bool:
    expiries = {put.short.expiry, put.long.expiry, call.short.expiry, call.long.expiry}
    return len(expiries) == 1 and abs(put.width_usd - call.width_usd) < 1e-6


def _uncovered_usd(options: list[Exposure], lots: _Lots) -> float:
    puts = _singles(options, lots, "P")
    calls = _singles(options, lots, "C")
    required = 0.0
    while puts and calls:
        put, call = puts.pop(0), calls.pop(0)
        if naked.short_option_usd(put) >= naked.short_option_usd(call):
            required += naked.short_option_usd(put) + call.mark * call.multiplier
        else:
            required += naked.short_option_usd(call) + put.mark * put.multiplier
    return required + sum(naked.short_option_usd(one) for one in (*puts, *calls))


def _singles(options: list[Exposure], lots: _Lots, right: str) -> list[Exposure]:
    """Every uncovered short contract of one right, the dearest first."""
    shorts = [one for one in options if one.right == right and one.quantity < 0]
    shorts.sort(key=naked.short_option_usd, reverse=True)
    return [one for one in shorts for _ in range(lots.free[one.con_id])]

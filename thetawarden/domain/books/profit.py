"""States results to the cent: realised, open, and of the day, by contract and by underlying.

Everything includes commissions. A result that rests on a price nobody knows is None, never zero.
The day's result of a holding is its value now, less its value when the day began, plus all cash
that trading it has moved since; of the whole book it is the sum, so that opening and flows make up
the closing exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, to_cents
from thetawarden.domain.books.holding import Holding
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.remembering import remembered

RESULTS_KEPT = 4096


class DayStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a holding had brought and was worth when the day began; worth None for no price."""

    realised_usd: Decimal = ZERO
    flow_usd: Decimal = ZERO
    value_usd: Decimal | None = ZERO


_NO_START = DayStart()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Results in whole cents; `realised_usd` is since the book began."""

    realised_usd: Decimal
    realised_today_usd: Decimal
    unrealised_usd: Decimal | None
    day_usd: Decimal | None
    fees_usd: Decimal


def day_starts(
    holdings: Mapping[str, Holding], marks_usd: Mapping[int, Decimal]
) -> dict[str, DayStart]:
    """Return where every holding stands as a day begins."""
    return {
        key: DayStart(
            realised_usd=one.realised_usd, flow_usd=one.flow_usd, value_usd=_value(one, marks_usd)
        )
        for key, one in holdings.items()
    }


def result_of(holding: Holding, *, start: DayStart, mark_usd: Decimal | None) -> Result:
    """Return one contract's results."""
    return _rounded(_exact(holding, start, mark_usd))


def results_by_underlying(
    holdings: Mapping[str, Holding],
    *,
    starts: Mapping[str, DayStart],
    marks_usd: Mapping[int, Decimal],
) -> dict[str, Result]:
    """Return the results of each underlying's contracts together; the empty name is for all."""
    sums: dict[str, Result] = {}
    for key, one in holdings.items():
        mark = marks_usd.get(one.instrument.conid)
        exact = _exact(one, starts.get(key, _NO_START), mark)
        for name in ("", one.instrument.symbol):
            sums[name] = _added(sums[name], exact) if name in sums else exact
    return {name: _rounded(one) for name, one in sums.items()}


@remembered(RESULTS_KEPT)
def _exact(holding: Holding, start: DayStart, mark_usd: Decimal | None, /) -> Result:
    value = _value(holding, {} if mark_usd is None else {holding.instrument.conid: mark_usd})
    flow = holding.flow_usd - start.flow_usd
    day = None if value is None or start.value_usd is None else value - start.value_usd + flow
    return Result(
        realised_usd=holding.realised_usd,
        realised_today_usd=holding.realised_usd - start.realised_usd,
        unrealised_usd=None if value is None else value - _basis(holding),
        day_usd=day,
        fees_usd=holding.fees_usd,
    )


def _value(holding: Holding, marks_usd: Mapping[int, Decimal]) -> Decimal | None:
    """What the holding adds to the account: a future only what it gained since it was bought."""
    mark = marks_usd.get(holding.instrument.conid)
    if not holding.quantity:
        return _unpaid(holding)
    if mark is None:
        return None
    worth = holding.value_usd(mark)
    return worth - holding.cost_usd + _unpaid(holding) if _is_future(holding) else worth


def _basis(holding: Holding) -> Decimal:
    return _unpaid(holding) if _is_future(holding) else holding.cost_usd


def _unpaid(holding: Holding) -> Decimal:
    """What a future has brought beyond the commissions, which variation pays and no trade does."""
    return holding.realised_usd - holding.flow_usd if _is_future(holding) else ZERO


def _is_future(holding: Holding) -> bool:
    return holding.instrument.kind is InstrumentKind.FUTURE


def _added(one: Result, other: Result) -> Result:
    return Result(
        realised_usd=one.realised_usd + other.realised_usd,
        realised_today_usd=one.realised_today_usd + other.realised_today_usd,
        unrealised_usd=_sum(one.unrealised_usd, other.unrealised_usd),
        day_usd=_sum(one.day_usd, other.day_usd),
        fees_usd=one.fees_usd + other.fees_usd,
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _rounded(one: Result) -> Result:
    return Result(
        realised_usd=to_cents(one.realised_usd),
        realised_today_usd=to_cents(one.realised_today_usd),
        unrealised_usd=None if one.unrealised_usd is None else to_cents(one.unrealised_usd),
        day_usd=None if one.day_usd is None else to_cents(one.day_usd),
        fees_usd=to_cents(one.fees_usd),
    )

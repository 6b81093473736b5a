"""R12: how many orders there are: rates, repetitions, orders against our own, more than is held.

A cancel is never refused; too many of them stop entries, for a desk that churns is not well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.risk.candidate import Leg, Purpose
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, count, given
from thetawarden.domain.risk.flow import LiveOrder, cancels_within, is_repeat, orders_within
from thetawarden.domain.risk.holdings import left_to_close
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.units import to_float

_ENTRIES = Check(rule=RuleId.R12, name="entry_rate")
_ORDERS = Check(rule=RuleId.R12, name="order_rate", sanity=True)
_CANCELS = Check(rule=RuleId.R12, name="cancel_rate")
_STRATEGY = Check(rule=RuleId.R12, name="repeated_execution")
_REPEAT = Check(rule=RuleId.R12, name="duplicate", sanity=True)
_CROSS = Check(rule=RuleId.R12, name="self_cross", sanity=True)
_OPPOSITE = Check(rule=RuleId.R12, name="opposite_order")
_UNDOING = Check(rule=RuleId.R12, name="undoing", sanity=True)
_HELD = Check(rule=RuleId.R12, name="over_held", sanity=True)


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return what the desk's other orders say about this one."""
    return (
        *_rates(case),
        _strategy(case),
        _repeat(case),
        _cross(case),
        _opposite(case),
        _undoing(case),
        _held(case),
    )


def _rates(case: Case) -> tuple[RuleFinding, ...]:
    flow, now, orders = case.desk.flow, case.now_ns, case.limits.orders
    entries = orders_within(flow, now_ns=now, window_ns=NS_PER_MINUTE, entries_only=True)
    everything = orders_within(flow, now_ns=now, window_ns=NS_PER_MINUTE, entries_only=False)
    cancels = cancels_within(flow, now_ns=now)
    return (
        _rate(_ENTRIES, "entries", entries, orders.entries_per_minute_max),
        _rate(_ORDERS, "orders", everything, orders.orders_per_minute_max),
        _rate(_CANCELS, "cancels", cancels, orders.cancels_per_minute_max),
    )


def _rate(check: Check, what: str, found: int, most: int) -> RuleFinding:
    words = f"{found} {what} in the last minute, at most {most}"
    if found >= most:
        return check.refuses(words, limit=float(most), used=float(found))
    return check.passes(words, limit=float(most), used=float(found))


def _strategy(case: Case) -> RuleFinding:
    flow, strategy = case.desk.flow, case.candidate.strategy
    most = case.limits.orders.entries_per_strategy_max
    entered = flow.entries_by_strategy.get(strategy, 0)
    words = f"{strategy} has entered {entered} times this session, at most {most}"
    if strategy in flow.locked:
        return _STRATEGY.refuses(f"{words}; it is locked until a person unlocks it")
    if entered >= most:
        return _STRATEGY.refuses(words, limit=float(most), used=float(entered))
    return _STRATEGY.passes(words, limit=float(most), used=float(entered))


def _repeat(case: Case) -> RuleFinding:
    window = case.limits.orders.duplicate_ns
    if is_repeat(case.desk.flow, case.candidate, now_ns=case.now_ns, window_ns=window):
        return _REPEAT.refuses(f"the very same order was sent within {window / 1e9:.0f} s")
    return _REPEAT.passes("no such order was sent lately")


def _cross(case: Case) -> RuleFinding:
    """A single-leg order whose price meets an order of our own would trade with it."""
    candidate = case.candidate
    if len(candidate.legs) > 1:
        return _CROSS.passes("a combination trades as one")
    leg = candidate.legs[0]
    met = [one for one in _against(case, leg) if one.single and _meets(case, leg, one)]
    if met:
        return _CROSS.refuses(f"it would trade with our own order on {leg.instrument.con_id}")
    return _CROSS.passes("it meets no order of ours")


def _meets(case: Case, leg: Leg, live: LiveOrder) -> bool:
    mine = case.candidate.limit_usd
    if mine is None or live.limit_usd is None or not mine.is_finite():
        return True
    each = to_float(abs(mine)), to_float(live.limit_usd)
    buy, sell = each if leg.ratio > 0 else each[::-1]
    return buy >= sell


def _opposite(case: Case) -> RuleFinding:
    """An entry waits until nothing of ours is held or working the other way on its contracts.

    Long in one trade and short in another is nothing at the broker: neither could be closed.
    """
    legs = case.candidate.legs
    met = _names(leg for leg in legs if _is_undone(case, leg))
    if met:
        return _OPPOSITE.refuses(f"orders of ours work the other way on {met}")
    opens = case.candidate.purpose is Purpose.OPEN
    met = _names(leg for leg in legs if opens and _is_held_against(case, leg))
    if met:
        return _OPPOSITE.refuses(f"it would undo what is held of {met}")
    return _OPPOSITE.passes("nothing of ours is held or works the other way")


def _undoing(case: Case) -> RuleFinding:
    """What a roll or a hedge opens waits likewise for orders; what it closes is its own."""
    moves = case.candidate.purpose in (Purpose.ROLL, Purpose.HEDGE)
    opened = (leg for leg in case.candidate.legs if moves and not _is_held_against(case, leg))
    met = _names(leg for leg in opened if _is_undone(case, leg))
    if met:
        return _UNDOING.refuses(f"what it opens would undo orders of ours on {met}")
    return _UNDOING.passes("it opens nothing that an order of ours would undo")


def _names(legs: Iterable[Leg]) -> str:
    return ", ".join(str(leg.instrument.con_id) for leg in legs)


def _is_held_against(case: Case, leg: Leg) -> bool:
    return case.book.standing.contracts.get(leg.instrument.con_id, 0.0) * leg.ratio < 0.0


def _is_undone(case: Case, leg: Leg) -> bool:
    """Whether an order works the other way; the exit of a combination only closes its own."""
    return any(one.single or not _closes(case, one) for one in _against(case, leg))


def _closes(case: Case, live: LiveOrder) -> bool:
    held = case.book.standing.contracts.get(live.con_id, 0.0)
    return held * live.contracts < 0.0 and abs(live.contracts) <= abs(held)


def _against(case: Case, leg: Leg) -> list[LiveOrder]:
    return [
        one
        for one in case.desk.live_orders
        if one.con_id == leg.instrument.con_id and one.contracts * leg.ratio < 0
    ]


def _held(case: Case) -> RuleFinding:
    """What closes may not be more than is held, less what is being closed already."""
    candidate = case.candidate
    closing = _closing_legs(case)
    if not closing:
        if candidate.purpose in (Purpose.CLOSE, Purpose.ROLL):
            return _HELD.refuses(f"nothing is held that this {candidate.purpose.value} would close")
        return _HELD.passes("it closes nothing")
    fits = [math.floor(_left(case, leg) / abs(leg.ratio) + 1e-9) for leg in closing]
    usage = Usage(
        what="units being closed of those held are",
        used=0.0,
        per_unit=1.0,
        limit=float(max(min(fits), 0)),
        show=count,
    )
    inputs = given(
        held=", ".join(f"{leg.instrument.con_id}: {_left(case, leg):g}" for leg in closing)
    )
    return _HELD.caps(usage, wanted=candidate.units, inputs=inputs)


def _closing_legs(case: Case) -> list[Leg]:
    """Of a closing order every leg; of a roll those against what is held; of others none."""
    legs, held = case.candidate.legs, case.book.standing.contracts
    if case.candidate.purpose is Purpose.CLOSE:
        return list(legs)
    if case.candidate.purpose is Purpose.ROLL:
        return [leg for leg in legs if held.get(leg.instrument.con_id, 0.0) * leg.ratio < 0.0]
    return []


def _left(case: Case, leg: Leg) -> float:
    """Contracts held that nothing else is closing, on the side that this leg closes."""
    con_id = leg.instrument.con_id
    held = case.book.standing.contracts.get(con_id, 0.0)
    if held * leg.ratio >= 0.0:
        return 0.0
    return abs(left_to_close(held, pending=case.book.pending, con_id=con_id))


RULE = Rule(
    id=RuleId.R12,
    does=(
        "refuses too many orders, repetitions and orders against our own; caps closings "
        "by what is held"
    ),
    reads=("orders sent of late", "live orders", "book and pending closings"),
    limits="orders",
    exits=("order_rate", "duplicate", "self_cross", "undoing", "over_held"),
    judge=judge,
)

"""Keeps what trades hold to what the broker counts: what was delivered, what is gone, what is back.

What a fill of others took of a trade, a liquidation or a hand, comes back where that very fill is
corrected, and only as far as no other trade holds it: what a person holds is not the desk's.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from thetawarden.actors.executing import (
    ExecutorState,
    ForeignFill,
    held_of,
    left_of,
    lives_of,
    unclaimed,
)
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import (
    Execution,
    as_it_counts,
    execution_stem,
    latest_revisions,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.trade import Held, Lost, TradeLife, ever_held, with_shares
from thetawarden.messages.books import PositionExplained

FOREIGN_MAX = 200


def noted(state: ExecutorState, execution: Execution, now: UnixNs) -> None:
    """Remember a fill of an option that no order of ours made, and what its correction moved."""
    if execution.order_ref or execution.instrument.kind is not InstrumentKind.OPTION:
        return
    execution, stem = as_it_counts(execution), execution_stem(execution.execution_id)
    known = state.foreign.get(stem)
    if known is None:
        state.foreign[stem] = ForeignFill(execution=execution, noted_ns=now)
        for oldest in list(state.foreign)[:-FOREIGN_MAX]:
            del state.foreign[oldest]
        return
    (latest,) = latest_revisions((known.execution, execution))
    if latest == known.execution:  # every book tells it again
        return
    moved = int(latest.quantity - known.execution.quantity)
    state.foreign[stem] = msgspec.structs.replace(known, execution=latest, back=known.back + moved)


def delivered(state: ExecutorState, told: PositionExplained) -> None:
    """Shares that an option brought or took belong to the trade that held the option."""
    shares, moved = told.instrument, int(told.after - told.before)
    if not told.because_of or shares is None or shares.kind is not InstrumentKind.STOCK:
        return
    of = [
        trade
        for trade in state.trades.values()
        if told.because_of in ever_held(trade, lives_of(state, trade.name))
    ]
    if of and moved:
        state.trades[of[-1].name] = with_shares(of[-1], shares, moved)


def recount(state: ExecutorState, settings: ExecutorSettings) -> Iterable[str]:
    """Bring trades to what an agreed book counts, and return the names of those that changed.

    What filled a moment ago may not be counted yet.
    """
    since = state.agreed_ns - settings.settle_ns
    recent = [life for life in state.orders.values() if life.since_ns > since]
    unsettled = {leg.instrument.conid for life in recent for leg in life.intent.legs}
    fresh = {life.intent.trade for life in recent}
    for name, left in left_of(state).items():
        held = held_of(state, state.trades[name])
        waits = any(one.instrument.conid in unsettled for one in held)
        if left != held and not waits and name not in fresh:
            state.trades[name] = _cut(state, state.trades[name], held, left)
            yield name
    for stem, fill in list(state.foreign.items()):
        if fill.execution.instrument.conid not in unsettled and (fill.back or not fill.counted):
            counted = fill.counted or fill.noted_ns <= since
            state.foreign[stem] = msgspec.structs.replace(fill, counted=counted, back=0)
            yield from _give_back(state, stem, fill)


def _give_back(state: ExecutorState, stem: str, fill: ForeignFill) -> Iterable[str]:
    conid, moved = fill.execution.instrument.conid, fill.back
    free = unclaimed(state).get(conid, 0)
    for trade in list(reversed(state.trades.values())):
        for one in trade.lost:
            back = _common(one.contracts, _common(moved, free))
            if back and stem in one.fills:
                again = Held(instrument=one.instrument, contracts=back)
                state.trades[trade.name] = _with(_without(trade, one, back), again)
                moved, free = moved - back, free - back
                yield trade.name


def _cut(
    state: ExecutorState, trade: TradeLife, held: tuple[Held, ...], left: tuple[Held, ...]
) -> TradeLife:
    """Return a trade that holds what is left of it, and knows which fills can have taken the rest.

    The latest of others against it, as far as no book had agreed with them before.
    """
    kept = {one.instrument.conid: one.contracts for one in left}
    for one in held:
        gone = one.contracts - kept.get(one.instrument.conid, 0)
        trade = _with(trade, Held(instrument=one.instrument, contracts=-gone))
        fills = tuple(
            stem
            for stem, fill in state.foreign.items()
            if not fill.counted
            and fill.execution.instrument.conid == one.instrument.conid
            and fill.execution.quantity * gone < 0
        )
        if fills:
            lost = Lost(instrument=one.instrument, contracts=gone, fills=fills)
            trade = msgspec.structs.replace(trade, lost=(*trade.lost, lost))
    return trade


def _without(trade: TradeLife, lost: Lost, back: int) -> TradeLife:
    """Return a trade to which so much of what it had lost is lost no longer."""
    rest = msgspec.structs.replace(lost, contracts=lost.contracts - back)
    others = tuple(one for one in trade.lost if one is not lost)
    return msgspec.structs.replace(trade, lost=(*others, rest) if rest.contracts else others)


def _with(trade: TradeLife, more: Held) -> TradeLife:
    """Return a trade that holds so much more, or less."""
    sums: dict[int, int] = {}
    rows = (*trade.carried, more)
    for one in rows:
        sums[one.instrument.conid] = sums.get(one.instrument.conid, 0) + one.contracts
    by_conid = {one.instrument.conid: one.instrument for one in rows}
    carried = tuple(
        Held(instrument=by_conid[conid], contracts=count) for conid, count in sums.items() if count
    )
    return msgspec.structs.replace(trade, carried=carried)


def _common(one: int, other: int) -> int:
    """The smaller of two counts of one sign; 0 of two."""
    return min(one, other, key=abs) if one * other > 0 else 0

"""Keeps what trades hold to what the broker counts: what was delivered, what is gone, what is back.

What is gone of a trade comes back only where the broker corrects the fill that took it, and only
as far as no other trade holds it: what a person buys of the same contract is not the desk's.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from thetawarden.actors.executing import ExecutorState, held_of, left_of, lives_of, unclaimed
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.trade import Held, TradeLife, ever_held, with_shares
from thetawarden.messages.books import PositionExplained


def explained(state: ExecutorState, told: PositionExplained) -> None:
    """Note what an option delivered, and what the correction of a fill moved."""
    moved = int(told.after - told.before)
    if told.because_of:
        _delivered(state, told, moved)
    elif told.cause == Cause.CORRECTION:
        state.returned[told.conid] = state.returned.get(told.conid, 0) + moved


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
            state.trades[name] = _cut(state.trades[name], held, left)
            yield name
    for conid in [one for one in state.returned if one not in unsettled]:
        yield from _give_back(state, conid, state.returned.pop(conid))


def _delivered(state: ExecutorState, told: PositionExplained, moved: int) -> None:
    """Shares that an option brought or took belong to the trade that held the option."""
    shares = told.instrument
    if shares is None or shares.kind is not InstrumentKind.STOCK:
        return
    of = [
        trade
        for trade in state.trades.values()
        if told.because_of in ever_held(trade, lives_of(state, trade.name))
    ]
    if of and moved:
        state.trades[of[-1].name] = with_shares(of[-1], shares, moved)


def _give_back(state: ExecutorState, conid: int, moved: int) -> Iterable[str]:
    free = unclaimed(state).get(conid, 0)
    for trade in list(reversed(state.trades.values())):
        for one in trade.lost:
            back = _common(one.contracts, _common(moved, free))
            if one.instrument.conid == conid and back:
                again = Held(instrument=one.instrument, contracts=back)
                state.trades[trade.name] = _with(trade, again)
                moved, free = moved - back, free - back
                yield trade.name


def _cut(trade: TradeLife, held: tuple[Held, ...], left: tuple[Held, ...]) -> TradeLife:
    """Return a trade that holds what is left of it."""
    kept = {one.instrument.conid: one.contracts for one in left}
    for one in held:
        gone = one.contracts - kept.get(one.instrument.conid, 0)
        trade = _with(trade, Held(instrument=one.instrument, contracts=-gone))
    return trade


def _with(trade: TradeLife, more: Held) -> TradeLife:
    """Return a trade that holds so much more, or less, which is lost to it then."""
    less = Held(instrument=more.instrument, contracts=-more.contracts)
    return msgspec.structs.replace(
        trade, carried=_merged((*trade.carried, more)), lost=_merged((*trade.lost, less))
    )


def _common(one: int, other: int) -> int:
    """The smaller of two counts of one sign; 0 of two."""
    if one * other <= 0:
        return 0
    return min(one, other, key=abs)


def _merged(rows: tuple[Held, ...]) -> tuple[Held, ...]:
    sums: dict[int, int] = {}
    for one in rows:
        sums[one.instrument.conid] = sums.get(one.instrument.conid, 0) + one.contracts
    by_conid = {one.instrument.conid: one.instrument for one in rows}
    return tuple(
        Held(instrument=by_conid[conid], contracts=count) for conid, count in sums.items() if count
    )

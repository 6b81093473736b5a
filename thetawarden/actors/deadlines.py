"""Lists everything the executor waits for and when it becomes due, so that one timer is enough."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from thetawarden.actors.executing import ExecutorState, in_doubt
from thetawarden.actors.following import UNSURE
from thetawarden.actors.submitting import PACED
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.life import OrderLife
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.trade import TradeLife
from thetawarden.domain.orders.walking import wait_ns

_LINKED = frozenset({LinkState.READY, LinkState.SYNCING})


class Matter(enum.StrEnum):
    """What is due."""

    WORD = "word of an order"
    CHANGE = "word of a change"
    CANCEL = "the end of an order"
    STEP = "the next price"
    LEGS = "the other legs"
    ANSWER = "the answer to a proposal"
    USE = "an approval that waits"
    TRADE = "the protection of a trade"
    BOOK = "the broker's whole book"
    FLATTEN = "the next closing orders"
    FORGET = "what ended long ago"


class Due(msgspec.Struct, frozen=True):
    """One matter: when, what, and of which order, trade or approval."""

    at_ns: int
    matter: Matter
    key: str = ""


def dues(state: ExecutorState, settings: ExecutorSettings) -> Iterator[Due]:
    """Return everything that is waited for, whether it is due already or not."""
    for ref, life in state.orders.items():
        yield from _of_order(ref, life, settings)
    for ref, since in state.uneven.items():
        yield Due(since + settings.legs_ns, Matter.LEGS, ref)
    for key, asked in state.asked.items():
        yield Due(asked.due_ns, Matter.ANSWER, key)
    for key, one in state.waiting.items():
        yield Due(min(one.approval.expires_ns, one.proposal.expires_ns), Matter.USE, key)
        if one.why == PACED and state.sent_ns:
            yield Due(state.sent_ns[0] + settings.pace_ns, Matter.USE, key)
    for name, trade in state.trades.items():
        if trade.missing_ns and not trade.alarmed:
            yield Due(trade.missing_ns + settings.protect_ns, Matter.TRADE, name)
        if trade.missing_ns and trade.again_ns:
            yield Due(trade.again_ns, Matter.TRADE, name)
        if state.flattening is not None and trade.again_ns:
            yield Due(trade.again_ns, Matter.FLATTEN, name)
    if state.link in _LINKED and (in_doubt(state) or not state.reconciled):
        yield Due(state.query_ns, Matter.BOOK)


def _of_order(ref: str, life: OrderLife, settings: ExecutorSettings) -> Iterator[Due]:
    if life.is_over:
        yield Due(life.since_ns + settings.kept_ns, Matter.FORGET, ref)
        return
    if life.stage in UNSURE:
        yield Due(life.since_ns + settings.ack_ns, Matter.WORD, ref)
    if life.change is not None:
        yield Due(life.change_due_ns, Matter.CHANGE, ref)
    if life.cancel is not None and life.cancel.due_ns:
        yield Due(life.cancel.due_ns, Matter.CANCEL, ref)
    if life.walk is not None:
        yield Due(life.walk.due_ns, Matter.STEP, ref)


def begin_by(state: ExecutorState, settings: ExecutorSettings, now: UnixNs) -> None:
    """Begin at an hour that may be earlier than the one we ended at: the clock was set back since.

    Nothing has happened later than now, and nothing is waited for longer than its own time.
    """
    for ref, life in state.orders.items():
        by = _life_by(life, settings, now)
        state.orders[ref] = life if by == life else by  # a life that is another one was touched
    for name, trade in state.trades.items():
        state.trades[name] = _trade_by(trade, settings, now)
    for key, asked in state.asked.items():
        state.asked[key] = replace(asked, due_ns=min(asked.due_ns, UnixNs(now + settings.ask_ns)))
    for stem, fill in state.foreign.items():
        state.foreign[stem] = replace(fill, noted_ns=min(fill.noted_ns, now))
    state.uneven = {ref: min(since, now) for ref, since in state.uneven.items()}
    state.sent_ns = tuple(min(at, now) for at in state.sent_ns)
    state.agreed_ns = min(state.agreed_ns, now)
    state.query_ns = state.due_ns = UnixNs(0)


def _life_by(life: OrderLife, settings: ExecutorSettings, now: UnixNs) -> OrderLife:
    walk, cancel, unseen = life.walk, life.cancel, life.unseen
    if cancel is not None:
        cancel = replace(cancel, due_ns=min(cancel.due_ns, UnixNs(now + settings.cancel_ns)))
    if walk is not None:
        rules = settings.urgent if walk.urgent else settings.walk
        latest = UnixNs(now + wait_ns(walk, rules))
        walk = replace(walk, due_ns=min(walk.due_ns, latest))
    return replace(
        life,
        since_ns=min(life.since_ns, now),
        change_due_ns=min(life.change_due_ns, UnixNs(now + settings.ack_ns)),
        walk=walk,
        cancel=cancel,
        unseen=None if unseen is not None and unseen.since_ns > now else unseen,
    )


def _trade_by(trade: TradeLife, settings: ExecutorSettings, now: UnixNs) -> TradeLife:
    return replace(
        trade,
        missing_ns=min(trade.missing_ns, now),
        again_ns=min(trade.again_ns, UnixNs(now + settings.query_ns)),
        mended_ns=min(trade.mended_ns, now),
    )

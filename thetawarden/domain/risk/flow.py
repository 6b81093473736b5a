"""Counts what is sent: rates, repetitions, and how often a strategy has entered (R12).

An order counts the moment it is approved. A strategy that has entered too often in a session is
locked until a person unlocks it; a new day alone does not.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.instrument import ConId


class SentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent lately, as far as repetitions are concerned."""

    fingerprint: tuple[tuple[ConId, int], ...]
    units: int
    limit_usd: Decimal | None
    at_ns: UnixNs
    entry: bool


class OrderFlow(msgspec.Struct, frozen=True, kw_only=True):
    """The orders and cancels that rates and repetitions are judged by."""

    sent: tuple[SentOrder, ...] = ()
    cancels_ns: tuple[int, ...] = ()
    entries_by_strategy: dict[str, int] = {}
    locked: tuple[str, ...] = ()


class LiveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of an order in the market, ours or another's; `single` can trade alone by its limit.

    No limit means any price.
    """

    con_id: ConId
    contracts: int
    limit_usd: Decimal | None
    single: bool


def record_order(
    flow: OrderFlow, candidate: Candidate, *, units: int, entry: bool, at_ns: UnixNs, kept_ns: int
) -> OrderFlow:
    """An order has been approved; what is older than `kept_ns` is forgotten."""
    sent = SentOrder(
        fingerprint=candidate.fingerprint,
        units=units,
        limit_usd=candidate.limit_usd,
        at_ns=at_ns,
        entry=entry,
    )
    kept = tuple(one for one in flow.sent if at_ns - one.at_ns <= max(kept_ns, NS_PER_MINUTE))
    counts = flow.entries_by_strategy
    if entry:
        counts = counts | {candidate.strategy: counts.get(candidate.strategy, 0) + 1}
    return msgspec.structs.replace(flow, sent=(*kept, sent), entries_by_strategy=counts)


def record_cancel(flow: OrderFlow, *, at_ns: UnixNs) -> OrderFlow:
    """A cancel has been sent. It is never refused: it only counts."""
    kept = tuple(one for one in flow.cancels_ns if at_ns - one < NS_PER_MINUTE)
    return msgspec.structs.replace(flow, cancels_ns=(*kept, int(at_ns)))


def lock_strategy(flow: OrderFlow, strategy: str) -> OrderFlow:
    """The strategy enters nothing more until a person unlocks it."""
    if strategy in flow.locked:
        return flow
    return msgspec.structs.replace(flow, locked=(*flow.locked, strategy))


def unlock_strategy(flow: OrderFlow, strategy: str) -> OrderFlow:
    """A person has looked: the count starts afresh."""
    return msgspec.structs.replace(
        flow,
        locked=tuple(one for one in flow.locked if one != strategy),
        entries_by_strategy=flow.entries_by_strategy | {strategy: 0},
    )


def start_session(flow: OrderFlow) -> OrderFlow:
    """Counts of strategies that are not locked start afresh."""
    kept = {name: n for name, n in flow.entries_by_strategy.items() if name in flow.locked}
    return msgspec.structs.replace(flow, entries_by_strategy=kept)


def orders_within(flow: OrderFlow, *, now_ns: int, window_ns: int, entries_only: bool) -> int:
    """How many orders were sent in the window that ends now."""
    return sum(
        now_ns - one.at_ns < window_ns and (one.entry or not entries_only) for one in flow.sent
    )


def cancels_within(flow: OrderFlow, *, now_ns: int) -> int:
    """How many cancels were sent in the last minute."""
    return sum(now_ns - one < NS_PER_MINUTE for one in flow.cancels_ns)


def is_repeat(flow: OrderFlow, candidate: Candidate, *, now_ns: int, window_ns: int) -> bool:
    """Whether the very same order, at the same price, was sent in the window that ends now."""
    return any(
        now_ns - one.at_ns < window_ns
        and one.fingerprint == candidate.fingerprint
        and one.limit_usd == candidate.limit_usd
        for one in flow.sent
    )


def entered_lately(flow: OrderFlow, candidate: Candidate, *, now_ns: int, window_ns: int) -> bool:
    """Whether the same thing was entered, at whatever price, in the window that ends now."""
    return any(
        one.entry and now_ns - one.at_ns < window_ns and one.fingerprint == candidate.fingerprint
        for one in flow.sent
    )

"""Decides when two fetched books are the same, and when the broker's and ours agree.

A book counts when it was whole, was fetched twice a while apart without a change, and the keeper
found nothing unexplained in the later one. Prices and values are no part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.orders import BrokerOrder, Execution
from thetawarden.domain.instants import UnixNs

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the fetches of one link.

    `seen` is the fingerprint of the last whole book, `since_ns` when it was first seen like that;
    `confirmed` is the last round that found it unchanged long enough, `judged` the last round the
    keeper agreed with. Fetches in vain are counted.
    """

    asked: int = 0
    open: bool = False
    seen: str = ""
    since_ns: UnixNs = UnixNs(0)
    confirmed: int = 0
    judged: int = 0
    in_vain: int = 0

    @property
    def agreed(self) -> bool:
        """Whether a confirmed book is also the keeper's."""
        return self.confirmed > 0 and self.judged >= self.confirmed

    @property
    def latest_is_ours(self) -> bool:
        """Whether the keeper agreed with the last book that came, however new that one is."""
        return 0 < self.judged >= self.asked - int(self.open)


def fingerprint(
    *,
    orders: Iterable[BrokerOrder],
    executions: Iterable[Execution],
    positions: Iterable[BrokerPosition],
) -> str:
    """Return a text that is equal for equal books, in whatever order they were told."""
    parts = (
        sorted(_encode((one.perm_id, one.state, one.quantity, one.filled)) for one in orders),
        sorted(one.execution_id.encode() for one in executions),
        sorted(_encode((one.account, one.instrument.conid, one.quantity)) for one in positions),
    )
    return hashlib.blake2b(_encode(parts), digest_size=16).hexdigest()


def asked(rounds: Rounds) -> Rounds:
    """Return the rounds with one more fetch under way."""
    return msgspec.structs.replace(rounds, asked=rounds.asked + 1, open=True)


def failed(rounds: Rounds) -> Rounds:
    """Return the rounds after a fetch that was not whole, or never came: it proves nothing."""
    return msgspec.structs.replace(
        rounds, open=False, seen="", confirmed=0, in_vain=rounds.in_vain + 1
    )


def fetched(rounds: Rounds, *, book: str, now: UnixNs, apart_ns: int) -> Rounds:
    """Return the rounds after a whole book; it is confirmed when unchanged for long enough."""
    if book != rounds.seen:
        return msgspec.structs.replace(
            rounds, open=False, seen=book, since_ns=now, confirmed=0, in_vain=0
        )
    confirmed = rounds.asked if now - rounds.since_ns >= apart_ns else rounds.confirmed
    return msgspec.structs.replace(rounds, open=False, confirmed=confirmed, in_vain=0)


def judged(rounds: Rounds, *, number: int) -> Rounds:
    """Return the rounds after the keeper agreed with one of them."""
    return msgspec.structs.replace(rounds, judged=max(rounds.judged, number))


def doubted(rounds: Rounds) -> Rounds:
    """Return the rounds when something may have been missed: what was seen proves nothing now."""
    return msgspec.structs.replace(rounds, seen="", confirmed=0)

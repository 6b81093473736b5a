"""Decides, at the very last moment before an order leaves, whether it still may.

Pure: whoever stands at the socket says what it sees there, and gets a reason to withhold or none.
Nothing here can make an order better; whatever is in doubt keeps it back. An order that only takes
from what is held leaves while trading is halted too, unless a person froze the exits as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.orders.intent import Gate, Withheld

SIGN_OF_LIFE_NS_MAX = NS_PER_SECOND
"""How long ago the broker must have been heard, by the machine's clock."""


class GateSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is true at the socket now.

    `now_ns` is market time, `idle_ns` the machine's. `link_epoch` is None without a link.
    `halt_epoch` is the last one told to this process, None before the first. `let_out` and `placed`
    count orders and changes of orders: those this gate allowed, and those that really left.
    `not_live` are the contracts among its legs whose data was last said to be delayed or frozen.
    """

    now_ns: UnixNs
    link_epoch: int | None
    idle_ns: int
    halt: HaltRecord | None
    halt_epoch: int | None
    exits_frozen: bool
    taken_back: bool
    sent_before: bool
    let_out: int
    placed: int
    not_live: tuple[int, ...]


NotLive = Callable[[Iterable[int]], tuple[int, ...]]
"""Says which of some contracts are known to have no live data now."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order does not leave: what, found, allowed."""

    why: Withheld
    words: str


def refusal(*, gate: Gate, epoch: int, reducing: bool, seen: GateSeen) -> Refusal | None:
    """Return why an order of this link epoch must not leave now, None when it may."""
    return (
        _of_the_order(seen)
        or _of_the_link(epoch, seen)
        or _of_the_brakes(gate, reducing=reducing, seen=seen)
        or _of_its_age(gate, seen)
        or _of_its_data(gate, seen)
        or _of_the_peer(seen)
    )


def _of_the_order(seen: GateSeen) -> Refusal | None:
    if seen.taken_back:
        return _withhold(Withheld.TAKEN_BACK, "it was cancelled before it left")
    if seen.sent_before:
        return _withhold(
            Withheld.SENT_ALREADY, "an order of this reference has left before, allowed once"
        )
    if seen.placed != seen.let_out:
        return _withhold(
            Withheld.MORE_THAN_INTENDED,
            f"{seen.placed} orders and changes have left, {seen.let_out} were let out",
        )
    return None


def _of_the_link(epoch: int, seen: GateSeen) -> Refusal | None:
    if seen.link_epoch is None:
        return _withhold(Withheld.NO_LINK, f"there is no link, wanted was that of epoch {epoch}")
    if seen.link_epoch != epoch:
        words = f"the link is of epoch {seen.link_epoch}, wanted was that of epoch {epoch}"
        return _withhold(Withheld.NO_LINK, words)
    return None


def _of_the_brakes(gate: Gate, *, reducing: bool, seen: GateSeen) -> Refusal | None:
    halt = seen.halt
    if reducing and (halt is None or not seen.exits_frozen):
        return None
    if halt is not None:
        also = ", exits frozen" if reducing else ""
        words = f"trading is halted since epoch {halt.epoch}{also}: {halt.reason}"
        return _withhold(Withheld.HALTED, words)
    if seen.halt_epoch is not None and seen.halt_epoch != gate.halt_epoch:
        words = f"approved in halt epoch {gate.halt_epoch}, it is now {seen.halt_epoch}"
        return _withhold(Withheld.OTHER_EPOCH, words)
    return None


def _of_its_age(gate: Gate, seen: GateSeen) -> Refusal | None:
    late_ns = seen.now_ns - gate.expires_ns
    if late_ns >= 0:
        return _withhold(Withheld.EXPIRED, f"its approval ended {_seconds(late_ns)} ago")
    age_ns = abs(seen.now_ns - gate.quoted_ns) if gate.quoted_ns else 0
    if age_ns > gate.quote_age_ns_max:
        allowed = _seconds(gate.quote_age_ns_max)
        words = f"its oldest quote is {_seconds(age_ns)} away, allowed are {allowed}"
        return _withhold(Withheld.QUOTES_TOO_OLD, words)
    return None


def _of_its_data(gate: Gate, seen: GateSeen) -> Refusal | None:
    """What an order rests on was live when it was read; it may be known by now that it is not."""
    if not (gate.quoted_ns and seen.not_live):
        return None
    contracts = ", ".join(map(str, seen.not_live))
    words = f"the market data of {contracts} is not live, and it rests on quotes"
    return _withhold(Withheld.NOT_LIVE, words)


def _of_the_peer(seen: GateSeen) -> Refusal | None:
    if seen.idle_ns <= SIGN_OF_LIFE_NS_MAX:
        return None
    allowed = _seconds(SIGN_OF_LIFE_NS_MAX)
    words = f"not a byte from the broker for {_seconds(seen.idle_ns)}, allowed are {allowed}"
    return _withhold(Withheld.LINK_MUTE, words)


def _withhold(why: Withheld, words: str) -> Refusal:
    return Refusal(why=why, words=words)


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_SECOND:.3f} s"

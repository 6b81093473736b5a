"""Decides what to order now, so that the lines serve the wishes: the ledger's one step.

Cancels come before subscriptions, and a subscription is ordered only into a place that is free at
the broker, so that the broker never sees more lines than there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from thetawarden.domain.remembering import OneOfEquals, remembered
from thetawarden.domain.slots.choosing import (
    choose,
    lines_max,
    room_for,
    rotation_is_due,
)
from thetawarden.domain.slots.holding import first_after, holding
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.snapshots import next_snapshot_ns, pick_snapshots
from thetawarden.domain.slots.state import (
    Batch,
    Ledger,
    Move,
    Phase,
    Redirect,
    Refusal,
    Slot,
    Subscribe,
    TakeSnapshots,
    Unsubscribe,
    Wish,
)
from thetawarden.domain.slots.wishes import LEDGERS_KEPT, gather, streams_of

_ENDLESS_NS = 1 << 62
_one_of_equals = OneOfEquals[frozenset[int]](LEDGERS_KEPT)


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger after its orders, the orders, and when to settle again, None for never."""

    ledger: Ledger
    wishes: Mapping[int, Wish]
    moves: tuple[Move, ...]
    next_ns: int | None


def settle(ledger: Ledger, *, limits: LineLimits, now_ns: int) -> Settled:
    """Order what the wishes need; said twice at one instant, the second orders nothing."""
    wishes = gather(ledger.wants)
    if not ledger.open:
        return Settled(ledger=ledger, wishes=wishes, moves=(), next_ns=None)
    moves: tuple[Move, ...] = ()
    if not ledger.is_quiet(now_ns):
        ledger, moves = _settle_lines(ledger, wishes, limits=limits, now_ns=now_ns)
    streaming = _streaming(ledger.slots, ledger.coming)
    batches = pick_snapshots(
        ledger=ledger, wishes=wishes, streaming=streaming, limits=limits, now_ns=now_ns
    )
    ledger = _with_batches(ledger, wishes, batches, limits=limits, now_ns=now_ns)
    due = [ledger.quiet_until_ns] if ledger.quiet_until_ns < _ENDLESS_NS else []
    snapshot_ns = next_snapshot_ns(ledger=ledger, wishes=wishes, streaming=streaming, limits=limits)
    due += [] if snapshot_ns is None else [snapshot_ns]
    next_ns = min([at_ns for at_ns in due if at_ns > now_ns], default=None)
    return Settled(ledger=ledger, wishes=wishes, moves=(*moves, *batches), next_ns=next_ns)


def _settle_lines(
    ledger: Ledger, wishes: Mapping[int, Wish], *, limits: LineLimits, now_ns: int
) -> tuple[Ledger, tuple[Move, ...]]:
    """The ledger with the lines that the wishes need now, and the orders for that."""
    chosen = choose(ledger=ledger, wishes=wishes, limits=limits, now_ns=now_ns)
    slots = _marked(ledger, wishes, now_ns)
    going = _going(slots, chosen, _needed(ledger, chosen, wishes, limits, now_ns), limits, now_ns)
    if going:
        slots = slots | {
            conid: msgspec.structs.replace(slots[conid], phase=Phase.LEAVING) for conid in going
        }
    arrivals = _arrivals(ledger, slots, chosen, wishes, limits=limits, now_ns=now_ns)
    redirected = _redirected(slots, wishes)
    if redirected or arrivals:
        slots = slots | _ordered(slots, redirected, arrivals, now_ns)
    coming = tuple(conid for conid in chosen if conid not in slots)
    after = _after(
        ledger, wishes, slots=slots, coming=coming, going=going, limits=limits, now_ns=now_ns
    )
    quiet_until_ns = _next_ns(after, wishes, limits=limits, now_ns=now_ns)
    moves: tuple[Move, ...] = (
        *(Unsubscribe(conid=conid) for conid in going),
        *redirected,
        *arrivals,
    )
    after = msgspec.structs.replace(after, quiet_until_ns=quiet_until_ns, looked_ns=now_ns)
    return after, moves


@remembered(LEDGERS_KEPT)
def _streaming(slots: Mapping[int, Slot], coming: tuple[int, ...]) -> frozenset[int]:
    """What streams, or is about to."""
    return _one_of_equals(frozenset((*slots, *coming)))


def _marked(ledger: Ledger, wishes: Mapping[int, Wish], now_ns: int) -> dict[int, Slot]:
    """The places, each with since when nobody has wanted its stream; the same if none is news."""
    slots = ledger.slots
    news = {
        conid: msgspec.structs.replace(slots[conid], unwanted_ns=now_ns if is_unwanted else None)
        for conid, is_unwanted in _turned(slots, wishes).items()
    }
    return slots | news if news else slots


@remembered(LEDGERS_KEPT)
def _turned(slots: Mapping[int, Slot], wishes: Mapping[int, Wish]) -> dict[int, bool]:
    """The places that somebody began or ceased to want, and whether nobody wants them now."""
    wanted = streams_of(wishes)
    return {
        conid: conid not in wanted
        for conid, slot in slots.items()
        if (slot.unwanted_ns is None) is not (conid in wanted)
    }


def _ordered(
    slots: Mapping[int, Slot],
    redirected: Sequence[Redirect],
    arrivals: Sequence[Subscribe],
    now_ns: int,
) -> dict[int, Slot]:
    """The places whose lines are opened, or turned to others, now."""
    turned = {
        order.conid: msgspec.structs.replace(slots[order.conid], listeners=order.listeners)
        for order in redirected
    }
    opened = {
        order.instrument.conid: Slot(
            conid=order.instrument.conid, listeners=order.listeners, since_ns=now_ns
        )
        for order in arrivals
    }
    return turned | opened


def _needed(
    ledger: Ledger,
    chosen: Sequence[int],
    wishes: Mapping[int, Wish],
    limits: LineLimits,
    now_ns: int,
) -> int:
    """How many places the chosen ones lack even when all that are leaving have left."""
    total, held = lines_max(ledger, limits, now_ns), holding(ledger.slots).conids
    taken = len(held)
    lacking = taken - total
    for conid in [one for one in chosen if one not in held]:
        priority = wishes[conid].stream
        if priority is not None:
            taken += 1
            lacking = max(lacking, taken - room_for(priority, total=total, limits=limits))
    return lacking


def _going(
    slots: Mapping[int, Slot],
    chosen: Sequence[int],
    needed: int,
    limits: LineLimits,
    now_ns: int,
) -> list[int]:
    """The lines to cancel: who lost its place, who was unwanted long enough, who is in the way."""
    keeps, held = set(chosen), holding(slots)
    going = [slot.conid for slot in held.wanted if slot.conid not in keeps]
    for since_ns, conid in held.unwanted:
        if now_ns - since_ns >= limits.linger_ns or len(going) < needed:
            going.append(conid)
    return going


def _arrivals(
    ledger: Ledger,
    slots: Mapping[int, Slot],
    chosen: Sequence[int],
    wishes: Mapping[int, Wish],
    *,
    limits: LineLimits,
    now_ns: int,
) -> list[Subscribe]:
    """The lines to open now; the rest of the chosen waits until places are free at the broker."""
    total = lines_max(ledger, limits, now_ns)
    used, arrivals = len(slots), []
    for conid in chosen:
        wish = wishes[conid]
        if conid in slots or wish.stream is None:
            continue
        if used >= room_for(wish.stream, total=total, limits=limits):
            break
        arrivals.append(Subscribe(instrument=wish.instrument, listeners=wish.listeners))
        used += 1
    return arrivals


@remembered(LEDGERS_KEPT)
def _redirected(slots: Mapping[int, Slot], wishes: Mapping[int, Wish]) -> list[Redirect]:
    """The lines that stream on, to other listeners."""
    return [
        Redirect(conid=slot.conid, listeners=wishes[slot.conid].listeners)
        for slot in holding(slots).wanted
        if slot.listeners != wishes[slot.conid].listeners
    ]


def _after(
    ledger: Ledger,
    wishes: Mapping[int, Wish],
    *,
    slots: dict[int, Slot],
    coming: tuple[int, ...],
    going: Sequence[int],
    limits: LineLimits,
    now_ns: int,
) -> Ledger:
    """The ledger with these lines, and without what no longer matters to anybody."""
    turned = rotation_is_due(ledger, limits, now_ns) and any(
        slots[conid].unwanted_ns is None for conid in going
    )
    streamed_ns, heard_ns = ledger.streamed_ns, ledger.snapshot_ns
    if going:
        streamed_ns = streamed_ns | dict.fromkeys(going, now_ns)
        heard_ns = heard_ns | _heard_until_now(heard_ns, [slots[one] for one in going], now_ns)
    return msgspec.structs.replace(
        ledger,
        snapshot_ns=heard_ns,
        slots=slots,
        coming=coming if coming != ledger.coming else ledger.coming,
        streamed_ns=_wanted(streamed_ns, wishes),
        refused=_still_refused(ledger.refused, wishes, now_ns),
        rotated_ns=now_ns if turned else ledger.rotated_ns,
    )


def _heard_until_now(
    heard_ns: Mapping[str, dict[int, int]], going: Sequence[Slot], now_ns: int
) -> dict[str, dict[int, int]]:
    """When those were last told of each instrument who listened to these lines."""
    by_listener: dict[str, list[int]] = {}
    for slot in going:
        for listener in slot.listeners:
            by_listener.setdefault(listener, []).append(slot.conid)
    return {
        listener: heard_ns.get(listener, {}) | dict.fromkeys(conids, now_ns)
        for listener, conids in by_listener.items()
    }


def _with_batches(
    ledger: Ledger,
    wishes: Mapping[int, Wish],
    batches: Sequence[TakeSnapshots],
    *,
    limits: LineLimits,
    now_ns: int,
) -> Ledger:
    """The ledger with these batches out, and without those whose report is not waited for."""
    asked = sum(len(batch.instruments) for batch in batches)
    until_ns = now_ns + limits.snapshot_patience_ns
    out = {
        batch.listener: Batch(
            conids=tuple(one.conid for one in batch.instruments), until_ns=until_ns
        )
        for batch in batches
    }
    waiting = {name: batch for name, batch in ledger.batches.items() if now_ns < batch.until_ns}
    return msgspec.structs.replace(
        ledger,
        batches=waiting | out,
        snapshot_ns=_still_wanted(ledger.snapshot_ns, wishes),
        snapshots_from_ns=now_ns + asked * limits.snapshot_gap_ns
        if asked
        else ledger.snapshots_from_ns,
    )


def _still_refused(
    refused: dict[int, Refusal], wishes: Mapping[int, Wish], now_ns: int
) -> dict[int, Refusal]:
    kept = {
        conid: refusal
        for conid, refusal in refused.items()
        if conid in wishes or now_ns < refusal.again_ns
    }
    return kept if len(kept) < len(refused) else refused


@remembered(LEDGERS_KEPT)
def _still_wanted(
    heard_ns: dict[str, dict[int, int]], wishes: Mapping[int, Wish]
) -> dict[str, dict[int, int]]:
    kept = {listener: _wanted(each, wishes) for listener, each in heard_ns.items()}
    if all(each and each is heard_ns[listener] for listener, each in kept.items()):
        return heard_ns  # what was made of it is known still
    return {listener: each for listener, each in kept.items() if each}


@remembered(8 * LEDGERS_KEPT)
def _wanted(instants_ns: dict[int, int], wishes: Mapping[int, Wish]) -> dict[int, int]:
    if instants_ns.keys() <= wishes.keys():
        return instants_ns
    return {conid: at_ns for conid, at_ns in instants_ns.items() if conid in wishes}


def _next_ns(ledger: Ledger, wishes: Mapping[int, Wish], *, limits: LineLimits, now_ns: int) -> int:
    """The first instant at which the lines may be others though nothing is heard."""
    held, turn_ns, linger_ns = holding(ledger.slots), limits.rotation_ns, limits.linger_ns
    due = [since_ns + linger_ns for since_ns, _ in held.unwanted]
    due += [refusal.again_ns for refusal in ledger.refused.values()]
    if not streams_of(wishes) <= held.conids:
        due += [at + limits.hold_ns for at in first_after(held.since_ns, now_ns - limits.hold_ns)]
        turns = first_after(held.since_ns, now_ns - turn_ns)
        if now_ns < ledger.rotated_ns + turn_ns:  # all of them wait for the next turn
            turns = [max(at, ledger.rotated_ns) for at in held.since_ns[:1]]
        due += [at + turn_ns for at in turns]
    if ledger.learned is not None:
        due.append(ledger.learned.at_ns + limits.learned_for_ns)
    return min([at_ns for at_ns in due if at_ns > now_ns], default=_ENDLESS_NS)

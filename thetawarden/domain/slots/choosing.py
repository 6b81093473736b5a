"""Decides which instruments should hold a line now: class by class, fairly within each.

Positions and orders may use every line; the others leave the reserve alone. Within a class a line
that was given recently stays where it is, so that lines do not flap. Scans take turns: at every
rotation a batch of those that streamed longest gives way to those that have waited longest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.remembering import remembered
from thetawarden.domain.slots.holding import holding
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.sharing import share
from thetawarden.domain.slots.state import HELD, Ledger, Slot, Wish
from thetawarden.domain.slots.wishes import LEDGERS_KEPT

Queues = dict[LinePriority, dict[str, list[int]]]
LISTS_KEPT = 8 * LEDGERS_KEPT
_ENDLESS_NS = 1 << 62
_NEVER_NS = -_ENDLESS_NS


def lines_max(ledger: Ledger, limits: LineLimits, now_ns: int) -> int:
    """How many lines there are: as configured, or as many as the broker lately would give."""
    learned = ledger.learned
    if learned is None or now_ns - learned.at_ns >= limits.learned_for_ns:
        return limits.lines_max
    return min(limits.lines_max, learned.lines_max)


def room_for(priority: LinePriority, *, total: int, limits: LineLimits) -> int:
    """How many lines may be in use after one of this class is given."""
    return total if priority <= LinePriority.ORDER else max(0, total - limits.reserve)


def choose(
    *, ledger: Ledger, wishes: Mapping[int, Wish], limits: LineLimits, now_ns: int
) -> Sequence[int]:
    """The conids that should stream, most important first."""
    last_ns = max(ledger.streamed_ns.values(), default=-1)
    return _chosen(
        ledger.slots,
        _queues(ledger, wishes, now_ns),
        ledger.streamed_ns,
        young=_young(ledger, limits.hold_ns, now_ns),
        ripe_ns=_ripe_ns(ledger, limits, now_ns),
        held_ns=now_ns if last_ns >= now_ns else _ENDLESS_NS,  # only then is it a matter of which
        total=lines_max(ledger, limits, now_ns),
        limits=limits,
    )


@remembered(LEDGERS_KEPT)
def _chosen(
    slots: Mapping[int, Slot],
    queues: Queues,
    streamed_ns: Mapping[int, int],
    *,
    young: tuple[int, ...],
    ripe_ns: int,
    held_ns: int,
    total: int,
    limits: LineLimits,
) -> Sequence[int]:
    chosen: list[int] = []
    for priority in LinePriority:
        places = room_for(priority, total=total, limits=limits) - len(chosen)
        turns = queues.get(priority)
        if not turns:
            continue
        wanted = _in_any(turns)
        if priority is LinePriority.SCAN:
            streaming = _by_age(slots, wanted)
            batch = streaming[: limits.rotation_batch] if len(wanted) > places else ()
            leaving = {slot.conid for slot in batch if slot.since_ns <= ripe_ns}
            kept = [slot.conid for slot in reversed(streaming) if slot.conid not in leaving]
            held = frozenset([slot.conid for slot in streaming])
            turns = _longest_waiting(turns, streamed_ns, held=held, held_ns=held_ns)
        else:
            kept = [conid for conid in young if conid in wanted]
        chosen += _shared(turns, kept=tuple(kept), places=places)
    return tuple(chosen)


def rotation_is_due(ledger: Ledger, limits: LineLimits, now_ns: int) -> bool:
    """Whether the scans take turns now."""
    return now_ns - ledger.rotated_ns >= limits.rotation_ns


def barred_now(ledger: Ledger, now_ns: int) -> frozenset[int]:
    """What the broker has just refused."""
    return frozenset([conid for conid, no in ledger.refused.items() if now_ns < no.again_ns])


def _queues(ledger: Ledger, wishes: Mapping[int, Wish], now_ns: int) -> Queues:
    """Each class's owners with what they want in it and may ask for, in their own order."""
    queues = _wanted(ledger.wants, wishes)
    barred = barred_now(ledger, now_ns)
    return _without(queues, barred=barred) if barred else queues


@remembered(LEDGERS_KEPT)
def _without(queues: Queues, *, barred: frozenset[int]) -> Queues:
    return {
        priority: {
            owner: [conid for conid in queue if conid not in barred]
            for owner, queue in owners.items()
        }
        for priority, owners in queues.items()
    }


@remembered(LEDGERS_KEPT)
def _wanted(wants: Mapping[str, tuple[LineWant, ...]], wishes: Mapping[int, Wish]) -> Queues:
    queues: Queues = {}
    for owner in sorted(wants):
        for want in wants[owner]:
            conid = want.instrument.conid
            if want.manner is LineManner.STREAM and wishes[conid].stream is want.priority:
                queues.setdefault(want.priority, {}).setdefault(owner, []).append(conid)
    return queues


@remembered(LISTS_KEPT)
def _shared(queues: Mapping[str, list[int]], *, kept: tuple[int, ...], places: int) -> list[int]:
    return share(queues=queues, kept=kept, places=places)


@remembered(LISTS_KEPT)
def _in_any(queues: Mapping[str, list[int]]) -> frozenset[int]:
    return frozenset(conid for queue in queues.values() for conid in queue)


def _young(ledger: Ledger, hold_ns: int, now_ns: int) -> tuple[int, ...]:
    """Those whose lines are too young to be taken away, the youngest last."""
    since_ns, held = now_ns - hold_ns, holding(ledger.slots)
    if held.youngest_ns <= since_ns:
        return ()
    return tuple(slot.conid for slot in held.wanted if slot.since_ns > since_ns)


def _ripe_ns(ledger: Ledger, limits: LineLimits, now_ns: int) -> int:
    """Since when scan lines may be held to be given up now; since never while no turn is due.

    It is the instant of a line, so that it stays the same while the lines do.
    """
    if not rotation_is_due(ledger, limits, now_ns):
        return _NEVER_NS
    since_ns = holding(ledger.slots).since_ns
    ripe = bisect_right(since_ns, now_ns - limits.rotation_ns)
    return since_ns[ripe - 1] if ripe else _NEVER_NS


@remembered(LEDGERS_KEPT)
def _by_age(slots: Mapping[int, Slot], wanted: frozenset[int]) -> tuple[Slot, ...]:
    """The places held of what is wanted, the oldest first."""
    held = (slot for slot in slots.values() if slot.conid in wanted and slot.phase is HELD)
    return tuple(sorted(held, key=lambda slot: (slot.since_ns, slot.conid)))


@remembered(LISTS_KEPT)
def _longest_waiting(
    queues: Mapping[str, list[int]],
    streamed_ns: Mapping[int, int],
    *,
    held: frozenset[int],
    held_ns: int,
) -> dict[str, list[int]]:
    """Everybody's queue with those first who gave up a line longest ago, and who holds one last."""

    def served_ns(conid: int) -> int:
        return held_ns if conid in held else streamed_ns.get(conid, -1)

    return {owner: sorted(queue, key=served_ns) for owner, queue in queues.items()}

"""I19: legs that filled without the others are repaired, trading is halted, or a person was told.

How a combination filled is said by the exchange, and counts from when the desk was told of it. It
is repaired where the account, or all orders of its trade together, hold its legs evenly or not at
all; that takes `legs_s` and `REPAIRED_NS` at most. A closing order of the trade that works, or left
meanwhile, is the repair under way, and so is an order of it that may still fill. Nothing is
demanded while no link or no executor is there, or the options are not traded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import Intent
from thetawarden.domain.orders.lasting import is_traded
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.orders import SubmitOrder
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.overdue import HEARS, Key, Overdue
from thetawarden.sim.invariants.protection import EXITS
from thetawarden.sim.invariants.scene import Check, Scene, Words

REPAIRED_NS = 10 * NS_PER_SECOND
"""Of the machine: in which a closing order is asked for, approved and sent."""
SESSIONS = load_sessions(Exchange.NYSE)
Contracts = Mapping[int, int]


class _Even:
    def __init__(self) -> None:
        self._overdue = Overdue()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note what the desk was told, and what it began to repair; look at every heartbeat."""
        if not isinstance(entry, Envelope):
            return
        match entry.body:
            case VitalsTaken():
                yield from self._meanwhile(scene)
            case SubmitOrder(intent=intent):
                self._overdue.begin_again(intent.trade)
            case _:
                self._overdue.take(entry, scene)

    def end(self, scene: Scene) -> Words:
        """Nothing may be left uneven that nobody knows of."""
        if scene.halt is None and scene.world.flag.read() is None:
            for intent, brought in self._uneven(scene):
                yield f"{intent.order_ref} has brought {dict(brought)} for good, untold"

    def _meanwhile(self, scene: Scene) -> Words:
        legs_s = scene.world.settings.config.execution.legs_s / scene.world.clock.speed
        allowed_ns = round(legs_s * NS_PER_SECOND) + REPAIRED_NS
        for (intent, brought), uneven_ns in self._overdue.timed(scene, lambda: self._found(scene)):
            if uneven_ns > allowed_ns:
                words = f"untold and unrepaired for {uneven_ns / NS_PER_SECOND:.0f} s"
                yield f"{intent.order_ref} has brought {dict(brought)}, {words}"

    def _found(self, scene: Scene) -> Iterator[tuple[Key, tuple[Intent, Contracts]]]:
        for one in self._uneven(scene):
            yield (one[0].trade, one[0].order_ref), one

    def _uneven(self, scene: Scene) -> Iterator[tuple[Intent, Contracts]]:
        """Combinations that filled unevenly, as the desk knows, untold and not being repaired."""
        told = self._overdue.told
        positions = scene.world.gateway.exchange.positions()
        there = {one.contract.con_id: int(one.quantity) for one in positions}
        for ref, known in scene.submitted.items():
            intent = known.intent
            brought = scene.dealt.by_order(ref)
            if not brought or len(intent.legs) < 2 or _is_even(intent, brought):
                continue
            if ref in told or intent.trade in told:
                continue
            if _is_even(intent, self._overdue.heard.brought(ref)) or not _is_traded(intent, scene):
                continue
            held = _held_by(intent.trade, scene)
            left = {conid: _nearer(count, there.get(conid, 0)) for conid, count in held.items()}
            if not _is_even(intent, left) and not _is_at_work(intent.trade, scene):
                yield intent, brought


def make() -> Check:
    """The check, with a memory of its own."""
    even = _Even()
    return Check(
        id="I19",
        says="legs that filled without the others are repaired, or a person knows",
        hears=(VitalsTaken, SubmitOrder, *HEARS),
        entry=even.entry,
        end=even.end,
    )


def _is_even(intent: Intent, contracts: Contracts) -> bool:
    """Whether all legs are there for the same number of units, broken ones included."""
    return len({contracts.get(one.instrument.conid, 0) / one.ratio for one in intent.legs}) == 1


def _nearer(count: int, there: int) -> int:
    """What is left of a trade's contracts in the account, which others may have closed."""
    if count * there <= 0:
        return 0
    return count if abs(count) <= abs(there) else there


def _held_by(trade: str, scene: Scene) -> dict[int, int]:
    held: dict[int, int] = {}
    for ref, known in scene.submitted.items():
        if known.intent.trade == trade:
            for conid, count in scene.dealt.by_order(ref).items():
                held[conid] = held.get(conid, 0) + count
    return held


def _is_at_work(trade: str, scene: Scene) -> bool:
    """Whether an order of the trade, other than its exits, works at the exchange."""
    working = (one.request.order_ref for one in scene.world.gateway.exchange.open_orders())
    known = (scene.submitted[ref].intent for ref in working if ref in scene.submitted)
    return any(one.trade == trade and one.role not in EXITS for one in known)


def _is_traded(intent: Intent, scene: Scene) -> bool:
    options = [one.instrument for one in intent.legs]
    return is_traded(options, now=scene.world.clock.now_ns(), sessions=SESSIONS)

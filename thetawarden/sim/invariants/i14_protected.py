"""I14: what was sold has exits at the broker for just as many contracts, or a person was told.

Which exits a trade is to have is said by what was approved, what it has sold by the exchange's
fills, and what its exits would buy back by the orders that work there. A trade whose entry still
works, or that is being closed or rolled, is in between and not looked at.

A healed world must have exits of the right size. While it goes on they may be missing for a while:
as long as nobody told the desk, no link or no executor is there, or trading is halted, and then for
the time after which a person must be told, and `REPAIRED_NS`. An approval to close or roll the
trade, or to place its exits anew, begins that time again; where its closing order left and the
broker never spoke of it, the time after which an order is in doubt comes in addition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from thetawarden.config.executing import ANSWERED_S
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.lasting import is_traded
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.orders import OrderApproved, ProtectionChanged
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.overdue import HEARS as TIMES
from thetawarden.sim.invariants.overdue import Key, Overdue
from thetawarden.sim.invariants.protection import (
    Roles,
    Trade,
    exits_of,
    lacking,
    trades_at_exchange,
    trades_of,
)
from thetawarden.sim.invariants.scene import Check, Scene, Words

REPAIRED_NS = 10 * NS_PER_SECOND
"""Of the machine: in which what is missing is asked for, approved, sent and acknowledged."""

CLOSING = frozenset({OrderRole.EXIT, OrderRole.ROLL})
HEARS = (VitalsTaken, OrderApproved, ProtectionChanged, *TIMES)
SESSIONS = load_sessions(Exchange.NYSE)


class _Protected:
    def __init__(self) -> None:
        self._wanted: dict[str, Roles] = {}
        self._overdue = Overdue()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note which exits were approved, and of which trades a person was told; look for both."""
        if not isinstance(entry, Envelope):
            return
        match entry.body:
            case VitalsTaken():
                yield from self._meanwhile(scene)
            case OrderApproved(proposal=proposal, approval=approval):
                self._wanted[approval.key] = exits_of(proposal)
                self._overdue.begin_again(proposal.trade)
            case ProtectionChanged(trade=trade, complete=complete):
                if complete:
                    self._overdue.forget_told(trade)
            case _:
                self._overdue.take(entry, scene)

    def _meanwhile(self, scene: Scene) -> Words:
        """Time what the exchange says is missing, and the desk was told of."""
        for missing, missing_ns in self._overdue.timed(scene, lambda: self._found(scene)):
            trade, conid, sold = missing
            if missing_ns > _allowed_ns(scene) + self._doubted_ns(trade, scene):
                yield (
                    f"{trade.name} sold {sold} of {conid} with exits for "
                    f"{trade.least_covered(conid)}, untold for {missing_ns / NS_PER_SECOND:.0f} s"
                )

    def _found(self, scene: Scene) -> Iterator[tuple[Key, tuple[Trade, int, int]]]:
        for one in self._missing(scene):
            yield (one[0].name, one[1]), one

    def _missing(self, scene: Scene) -> Iterator[tuple[Trade, int, int]]:
        """What is sold at the exchange without exits, as the desk was told, and can be traded."""
        trades = trades_at_exchange(scene, self._wanted)
        judged = [
            one for one in trades if not one.is_in_between and one.name not in self._overdue.told
        ]
        found = tuple(lacking(scene, trades, judged))
        if not found:
            return
        heard = trades_of(
            scene.submitted,
            self._wanted,
            brought=self._overdue.heard.brought,
            working=self._overdue.heard.working(),
        )
        names, now_ns = {one.name: one for one in heard}, scene.world.clock.now_ns()
        for trade, conid, sold in found:
            options = trade.options.values()
            traded = is_traded(options, now=now_ns, sessions=SESSIONS)
            if traded and names[trade.name].lacks(conid):
                yield trade, conid, sold

    def _doubted_ns(self, trade: Trade, scene: Scene) -> int:
        """So much more while nobody knows of an order that closes it."""
        closing = (
            ref
            for ref, known in scene.submitted.items()
            if known.intent.trade == trade.name and known.intent.role in CLOSING
        )
        if all(map(self._overdue.heard.knows, closing)):
            return 0
        return round(scene.world.settings.config.execution.ack_s * NS_PER_SECOND)

    def end(self, scene: Scene) -> Words:
        """Compare contract by contract what is open with what works to end it."""
        if scene.halt is not None or scene.world.flag.read() is not None:
            return
        trades = trades_at_exchange(scene, self._wanted)
        judged = [
            one for one in trades if not one.is_in_between and one.name not in self._overdue.told
        ]
        strange = _sold_by_others(scene, trades)
        for one in judged:
            for role, conid, count in _too_many(one, strange):
                sold = one.short.get(conid, 0)
                yield f"{one.name} sold {sold} of {conid}, and a {role} buys back {count}"
        for conid, there, count in _left_over(scene, trades, judged):
            yield f"{there} of {conid} are sold, and exits buy back {count}"
        for one, conid, sold in lacking(scene, trades, judged):
            covered = one.least_covered(conid)
            yield f"{one.name} sold {sold} of {conid} with exits for {covered}, untold"


def make() -> Check:
    """The check, with a memory of its own."""
    protected = _Protected()
    return Check(
        id="I14",
        says="what is sold has exits of its size, or a person knows",
        hears=HEARS,
        entry=protected.entry,
        end=protected.end,
    )


def _allowed_ns(scene: Scene) -> int:
    """So much machine time what is missing may be so untold."""
    world = scene.world
    protect_s = world.settings.config.execution.protect_s / world.clock.speed
    return round(max(protect_s, ANSWERED_S) * NS_PER_SECOND) + REPAIRED_NS


def _too_many(trade: Trade, strange: Mapping[int, int]) -> Iterator[tuple[OrderRole, int, int]]:
    """Where exits of a kind would buy back more than was sold, by the trade or in its place."""
    for role, covered in sorted(trade.covered.items()):
        for conid, count in sorted(covered.items()):
            sold = trade.short.get(conid, 0) + max(0, strange.get(conid, 0))
            if count > max(0, sold):
                yield role, conid, count


def _sold_by_others(scene: Scene, trades: tuple[Trade, ...]) -> Mapping[int, int]:
    """What is sold of each contract that no order of a trade has sold.

    What the broker liquidates of a trade whose exit fills in the same moment is sold twice.
    """
    held = scene.world.gateway.exchange.positions()
    sold = {one.contract.con_id: int(-one.quantity) for one in held}
    for one in trades:
        for conid, short in one.short.items():
            sold[conid] = sold.get(conid, 0) - short
    return sold


def _left_over(
    scene: Scene, trades: tuple[Trade, ...], judged: list[Trade]
) -> Iterator[tuple[int, int, int]]:
    """Where exits together would buy back more than is sold: exits are left of what is gone.

    The account nets what one trade has sold with what another has bought of the same contract.
    """
    held = scene.world.gateway.exchange.positions()
    sold = {one.contract.con_id: -one.quantity for one in held}
    counts: dict[int, int] = {}
    for one in judged:
        for conid in dict.fromkeys(conid for each in one.covered.values() for conid in each):
            most = max(each.get(conid, 0) for each in one.covered.values())
            counts[conid] = counts.get(conid, 0) + max(0, most)
    for conid, count in sorted(counts.items()):
        bought = sum(max(0, -one.short.get(conid, 0)) for one in trades)
        there = max(0, sold.get(conid, 0) + bought)
        if count > there:
            yield conid, there, count

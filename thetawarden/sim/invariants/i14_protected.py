"""I14: what was sold has exits at the broker for just as many contracts, or a person was told.

Which exits a trade is to have is said by what was approved, what it has sold by the exchange's
fills, and what its exits would buy back by the orders that work there. A trade whose entry still
works, or that is being closed or rolled, is in between and not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.orders.building import is_short
from thetawarden.domain.orders.intent import Intent, OrderRole
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import OrderApproved, ProtectionChanged
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

EXITS = frozenset({OrderRole.TAKE_PROFIT, OrderRole.STOP})
TOPIC = "orders:"


class _Trade(msgspec.Struct, kw_only=True):
    """What a trade has sold and not bought back, and what its working orders would buy back."""

    name: str
    wanted: frozenset[OrderRole] = frozenset()
    short: dict[int, int] = msgspec.field(default_factory=dict)
    covered: dict[OrderRole, dict[int, int]] = msgspec.field(default_factory=dict)

    @property
    def is_in_between(self) -> bool:
        """Whether something else than its exits works."""
        return not self.covered.keys() <= EXITS

    def least_covered(self, conid: int) -> int:
        """For how many contracts every exit that is wanted works."""
        each = (self.covered.get(role, {}).get(conid, 0) for role in self.wanted)
        return min(each, default=0)


class _Protected:
    def __init__(self) -> None:
        self._wanted: dict[str, frozenset[OrderRole]] = {}
        self._told: dict[str, int] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note which exits were approved, and of which trades a person was told."""
        if not isinstance(entry, Envelope):
            return ()
        match entry.body:
            case OrderApproved(proposal=proposal, approval=approval):
                self._wanted[approval.key] = _exits_of(proposal)
            case NotifyPerson(topic=topic) if topic.startswith(TOPIC):
                self._told[topic.removeprefix(TOPIC)] = entry.seq
            case ProtectionChanged(trade=trade, complete=True):
                self._told.pop(trade, None)
            case DeskStarted():  # what a process did not get written was told to nobody
                durable_seq = scene.world.durable_seq
                self._told = {one: seq for one, seq in self._told.items() if seq <= durable_seq}
            case _:
                pass
        return ()

    def end(self, scene: Scene) -> Words:
        """Compare contract by contract what is open with what works to end it."""
        if scene.halt is not None or scene.world.flag.read() is not None:
            return
        trades = self._trades(scene)
        judged = [one for one in trades if not one.is_in_between and one.name not in self._told]
        for one in judged:
            for role, conid, count in _too_many(one):
                sold = one.short.get(conid, 0)
                yield f"{one.name} sold {sold} of {conid}, and a {role} buys back {count}"
        for conid, there, count in _left_over(scene, trades, judged):
            yield f"{there} of {conid} are sold, and exits buy back {count}"
        left = _short_of_others(scene, trades, judged)
        for one in judged:
            for conid, sold in sorted(one.short.items()):
                covered = one.least_covered(conid)
                if one.wanted and covered < sold and left.get(conid, 0) > 0:
                    yield f"{one.name} sold {sold} of {conid} with exits for {covered}, untold"

    def _trades(self, scene: Scene) -> tuple[_Trade, ...]:
        trades: dict[str, _Trade] = {}
        for ref, known in scene.submitted.items():
            intent = known.intent
            trade = trades.setdefault(intent.trade, _Trade(name=intent.trade))
            brought = scene.dealt.by_order(ref)
            for conid in _options(intent):
                trade.short[conid] = trade.short.get(conid, 0) - brought.get(conid, 0)
            approved = self._wanted.get(known.asked.gate.approval_key, frozenset())
            if approved and any(brought.values()) and intent.role not in EXITS:
                trade.wanted = approved
        for view in scene.world.gateway.exchange.open_orders():
            at_work = scene.submitted.get(view.request.order_ref)
            if at_work is not None:
                trade = trades[at_work.intent.trade]
                covered = trade.covered.setdefault(at_work.intent.role, {})
                for conid, count in _buys(at_work.intent, view.remaining):
                    covered[conid] = covered.get(conid, 0) + count
        return tuple(trades.values())


def make() -> Check:
    """The check, with a memory of its own."""
    protected = _Protected()
    return Check(
        id="I14",
        says="what is sold has exits of its size, or a person knows",
        hears=(OrderApproved, NotifyPerson, ProtectionChanged, DeskStarted),
        entry=protected.entry,
        end=protected.end,
    )


def _exits_of(proposal: Proposal) -> frozenset[OrderRole]:
    """The exits that what is proposed is to have; what is sold for a credit has one at least."""
    exits = proposal.exits
    if proposal.purpose not in (Purpose.OPEN, Purpose.ROLL):
        return frozenset()
    if exits is None:
        sells = proposal.limit_usd < 0 and is_short(proposal.legs)
        opens = proposal.purpose is Purpose.OPEN
        return frozenset({OrderRole.TAKE_PROFIT} if sells and opens else ())
    prices = {OrderRole.TAKE_PROFIT: exits.take_profit_usd, OrderRole.STOP: exits.stop_usd}
    return frozenset(role for role, price in prices.items() if price is not None)


def _options(intent: Intent) -> Iterator[int]:
    for leg in intent.legs:
        if leg.instrument.kind is InstrumentKind.OPTION:
            yield leg.instrument.conid


def _buys(intent: Intent, remaining: int) -> Iterator[tuple[int, int]]:
    """What the rest of an order buys (above zero) or sells of each contract."""
    single = len(intent.legs) == 1
    for leg in intent.legs:
        ratio = leg.ratio if not single else (1 if leg.ratio > 0 else -1)
        yield leg.instrument.conid, remaining * ratio


def _too_many(trade: _Trade) -> Iterator[tuple[OrderRole, int, int]]:
    """Where exits of a kind would buy back more than was sold."""
    for role, covered in sorted(trade.covered.items()):
        for conid, count in sorted(covered.items()):
            if count > max(0, trade.short.get(conid, 0)):
                yield role, conid, count


def _left_over(
    scene: Scene, trades: tuple[_Trade, ...], judged: list[_Trade]
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


def _short_of_others(
    scene: Scene, trades: tuple[_Trade, ...], judged: list[_Trade]
) -> Mapping[int, int]:
    """What the account is short of each contract beyond what exits would buy back.

    Nor does it count what trades have sold that want no exits, or are not judged. Where somebody
    else bought back what a trade had sold, nothing is left of it here.
    """
    held = scene.world.gateway.exchange.positions()
    short = {one.contract.con_id: max(0, -one.quantity) for one in held}
    names = {one.name for one in judged if one.wanted}
    for one in trades:
        for conid, sold in one.short.items():
            fine = min(sold, one.least_covered(conid)) if one.name in names else sold
            short[conid] = short.get(conid, 0) - max(0, fine)
    return short

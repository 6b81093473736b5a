"""I06: filled, working and on the way together stay within the limits at every step.

Judged by hand and apart from the rules, whenever an order leaves that adds risk; which do is not
for them to say. What is sold is counted by its strikes. Margin is what the broker answered before
each order was approved, times what of it is held or may yet fill; of what is held never more than
the account's own figure. An index that falls or rises by a fifth costs what the legs pay out where
it stands `FAR` beyond the outermost strike, times the chance that it stays beyond it until the end
at a volatility of `WILD`, less what they are worth today: no model says less. What was bought gains
as much as it can. Shares move with the index, whoever bought or sold them, but what happened just
before the approval or since need not be known. Of legs that filled unevenly only whole units count.
An order that was given up as absent does not count while the broker has never spoken of it.

Each figure that the order makes larger is held against its limit of the configuration. Limits of
delta, vega and gamma are held by tests/domain/risk, as they rest on a model; of one trade's margin
by tests/actors.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from statistics import NormalDist

from thetawarden.domain.instants import new_york_date
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import Intent, OrderRole
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.orders import MarginPreviewed, OrderApproved, OrderStageChanged
from thetawarden.practice.model import OrderRequest, SecType
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.adding import HEARD_NS, adds_risk
from thetawarden.sim.invariants.heard import TELLS, Heard
from thetawarden.sim.invariants.scene import Check, Scene, Submitted, Words

Counted = tuple[tuple[Intent, int], ...]
"""Orders, and how many units of each count."""

NEAR = 1.03
"""The account's worth moves between the decision and the look; strikes do not."""
MOVES = (-0.2, 0.2)
OTHER_PRICE = 0.1
"""Shares are worth this part more or less than was paid for them."""
FAR, WILD = 0.15, 0.8
TODAY = 0.1
"""Of what they may pay at most, legs that are sold as far out of the money are worth less today."""


class _Limits:
    def __init__(self) -> None:
        self._answers: dict[str, float] = {}
        self._margins: dict[str, float] = {}
        self._seen: list[tuple[int, float]] = []
        self._shares: dict[str, tuple[float, ...]] = {}
        self._absent: set[str] = set()
        self._heard = Heard()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note the margin the broker said of what was approved, and which shares there were."""
        match entry.body if isinstance(entry, Envelope) else None:
            case MarginPreviewed(key=key, answer=answer) if answer is not None:
                change = max(answer.initial_change_usd, answer.maintenance_change_usd, 0.0)
                self._answers[key] = change / answer.units
            case OrderApproved(proposal=proposal, approval=approval):
                self._margins[approval.key] = self._answers.get(proposal.key, 0.0)
                self._look(scene)
                self._shares[approval.key] = tuple(usd for _, usd in self._seen)
            case VitalsTaken():
                self._look(scene)
            case OrderStageChanged(order_ref=ref, stage=Stage.ABSENT):
                self._absent.add(ref)
            case None:
                pass
            case body:
                self._heard.take(body)
        return ()

    def sent(self, ticket: OrderRequest, scene: Scene) -> Words:
        """Add up what an order that adds risk comes to."""
        known = scene.submitted.get(ticket.order_ref)
        if known is None or not adds_risk(known.intent, scene):
            return
        world = scene.world
        rows = world.gateway.exchange.account_rows(world.gateway.account)
        told = {one.key: float(one.value) for one in rows if one.key in _FIGURES}
        worth, limits = told.get("NetLiquidation", 0.0), world.settings.config.risk
        working = tuple(
            (one, units)
            for one, units in _working(known.intent, scene)
            if one.order_ref not in self._absent or self._heard.knows(one.order_ref)
        )
        held = tuple(_held(scene))
        sold = _held_short(scene) + sum(units * _sold(one) for one, units in working)
        held_margin = min(
            sum(units * self._margin(one, scene) for one, units in held),
            told.get("InitMarginReq", 0.0),
        )
        margin = held_margin + sum(units * self._margin(one, scene) for one, units in working)
        for adds, usd, limit, words in (
            (_sold(known.intent), sold, limits.greeks.notional_max_nlv, "are sold"),
            (
                self._margin(known.intent, scene),
                margin,
                limits.margin.utilisation_max_fraction,
                "of margin are needed",
            ),
            (
                max(_loss(known.intent, move, _today(scene)) for move in MOVES),
                max(self._loss((*held, *working), move, known, scene) for move in MOVES),
                limits.stress.entry_loss_fraction,
                "would be lost if all moved by a fifth",
            ),
        ):
            if adds > 0 and worth > 0 and usd > limit * NEAR * worth:
                yield f"with {ticket.order_ref} {usd:.0f} USD {words}, {usd / worth:.4f} x NLV"

    def _look(self, scene: Scene) -> None:
        """Note what shares are worth, and forget what was known everywhere long ago."""
        now_ns = scene.world.clock.monotonic_ns()
        older = [one for one in self._seen if one[0] < now_ns - HEARD_NS]
        lately = self._seen[max(len(older) - 1, 0) :]
        self._seen = [*lately, (now_ns, _shares_usd(scene))]

    def _loss(self, counted: Counted, move: float, leaving: Submitted, scene: Scene) -> float:
        """What all of it loses in a move, with whichever shares it is least."""
        known = self._shares.get(leaving.asked.gate.approval_key, ())
        gained = max(move * usd for usd in (*known, _shares_usd(scene)))
        gained *= 1.0 + OTHER_PRICE if gained > 0 else 1.0 - OTHER_PRICE
        return sum(units * _loss(one, move, _today(scene)) for one, units in counted) - gained

    def _margin(self, intent: Intent, scene: Scene) -> float:
        asked = scene.submitted[intent.order_ref].asked
        return self._margins.get(asked.gate.approval_key, 0.0)


_FIGURES = frozenset({"NetLiquidation", "InitMarginReq"})


def make() -> Check:
    """The check, with a memory of its own."""
    limits = _Limits()
    return Check(
        id="I06",
        says="filled + working + on the way stay within limits",
        hears=(MarginPreviewed, OrderApproved, OrderStageChanged, VitalsTaken, *TELLS),
        entry=limits.entry,
        sent=limits.sent,
    )


def _working(leaving: Intent, scene: Scene) -> tuple[tuple[Intent, int], ...]:
    """What works or leaves now and adds risk, and how many units may yet fill."""
    there = scene.world.gateway.exchange.open_orders()
    units = {one.request.order_ref: one.remaining for one in there}
    units.setdefault(leaving.order_ref, leaving.units)
    known = ((scene.submitted.get(ref), count) for ref, count in units.items())
    return tuple(
        (one.intent, count)
        for one, count in known
        if one is not None and adds_risk(one.intent, scene)
    )


def _held(scene: Scene) -> Iterator[tuple[Intent, int]]:
    """What each entry has brought that its trade still holds, in whole units, and is there."""
    positions = scene.world.gateway.exchange.positions()
    there = {one.contract.con_id: one.quantity for one in positions}
    trades: dict[str, dict[int, int]] = {}
    for ref, known in scene.submitted.items():
        brought = trades.setdefault(known.intent.trade, {})
        for conid, count in scene.dealt.by_order(ref).items():
            brought[conid] = brought.get(conid, 0) + count
    for ref, known in scene.submitted.items():
        intent = known.intent
        ends = intent.parent_ref or (intent.reducing and intent.role is not OrderRole.HEDGE)
        if ends or not scene.dealt.by_order(ref):
            continue
        brought = trades[intent.trade]
        units = min(min(_units(leg, brought), _units(leg, there)) for leg in intent.legs)
        for leg in intent.legs:
            taken = units * leg.ratio
            brought[leg.instrument.conid] = brought.get(leg.instrument.conid, 0) - taken
            there[leg.instrument.conid] = there.get(leg.instrument.conid, 0) - taken
        if units:
            yield intent, units


def _units(leg: OrderLeg, contracts: dict[int, int]) -> int:
    """How many times a leg is in so many contracts."""
    return max(0, contracts.get(leg.instrument.conid, 0) // leg.ratio)


def _held_short(scene: Scene) -> float:
    held = scene.world.gateway.exchange.positions()
    return sum(
        (one.contract.strike or 0.0) * one.contract.multiplier * -one.quantity
        for one in held
        if one.quantity < 0 and one.contract.strike
    )


def _sold(intent: Intent) -> float:
    """What a unit of an order that opens sells."""
    return sum(
        float(leg.instrument.strike or 0) * leg.instrument.multiplier * -leg.ratio
        for leg in intent.legs
        if leg.ratio < 0
    )


def _loss(intent: Intent, move: float, today: dt.date) -> float:
    """What a unit costs at least where the price is that way far beyond its outermost strike.

    Below zero it is what a unit gains at most.
    """
    strikes = [float(leg.instrument.strike or 0) for leg in intent.legs]
    far = max(strikes) * (1.0 - FAR) if move < 0 else min(strikes) * (1.0 + FAR)
    costs = -_pays(intent, far)
    if costs <= 0:
        return -_pays(intent, 0.0 if move < 0 else 2.0 * max(strikes))
    ends = max(leg.instrument.expiry or today for leg in intent.legs)
    spread = WILD * math.sqrt(max((ends - today).days, 1) / 365.0)
    stays = NormalDist().cdf(-math.log(1.0 - FAR) / spread - spread / 2.0)
    return max(0.0, stays - TODAY) * costs


def _shares_usd(scene: Scene) -> float:
    """What was paid for all shares of the account, below zero where they are sold."""
    return sum(
        one.quantity * float(one.average_cost_usd)
        for one in scene.world.gateway.exchange.positions()
        if one.contract.sec_type is SecType.STOCK
    )


def _today(scene: Scene) -> dt.date:
    return new_york_date(scene.world.clock.now_ns())


def _pays(intent: Intent, price: float) -> float:
    total = 0.0
    for leg in intent.legs:
        over = price - float(leg.instrument.strike or 0)
        each = max(over if leg.instrument.right is Right.CALL else -over, 0.0)
        total += leg.ratio * leg.instrument.multiplier * each
    return total

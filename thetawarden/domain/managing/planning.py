"""Finds the order for a decision, or another decision where there is none.

A roll that is not to be had, and a rearrangement that is none, become a close. A close whose legs
have no usable quote waits. What is asked for never takes more than is held.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.managing.decision import Action, Decision, Rule
from thetawarden.domain.managing.limits import ManagingLimits
from thetawarden.domain.managing.ordering import (
    Leg,
    Request,
    closing_legs,
    order_of,
)
from thetawarden.domain.managing.rebalancing import find_rearrangement
from thetawarden.domain.managing.rolling import find_roll, roll_worst_usd
from thetawarden.domain.managing.sight import TradeSight
from thetawarden.domain.managing.stressing import stand_of
from thetawarden.domain.managing.targets import target_of
from thetawarden.domain.managing.wheeling import find_call
from thetawarden.domain.orders.building import ticks_for
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.strategy.targets import exits_of

WHEEL = "wheel"
_URGENT = frozenset({Rule.DEMANDED, Rule.LAST_DAY, Rule.DELTA, Rule.LOSS, Rule.STOP})


class Ground(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What an order is made on: the chain, what the order is called, and what it would replace."""

    view: ChainView
    rows: ChainRows
    key: str
    now_ns: UnixNs
    vix_points: float
    regime: DerivedRegime | None
    attempts: int
    replaces: str
    limits: ManagingLimits


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and its order; without an order `words` say why there is none."""

    decision: Decision
    proposal: Proposal | None
    words: str = ""


def plan(decision: Decision, sight: TradeSight, ground: Ground) -> Plan:
    """Return the order of a decision."""
    match decision.action:
        case Action.CLOSE | Action.REDUCE:
            return _close(decision, sight, ground)
        case Action.ROLL:
            return _roll(decision, sight, ground)
        case Action.REBALANCE:
            return _rebalance(decision, sight, ground)
        case Action.COVER:
            return _cover(decision, sight, ground)
        case Action.HOLD | Action.HEDGE:
            return Plan(decision=decision, proposal=None)


def _close(decision: Decision, sight: TradeSight, ground: Ground) -> Plan:
    units = min(decision.units, sight.units)
    wanted = _request(decision, sight, ground, purpose=Purpose.CLOSE, units=units)
    return _planned(decision, order_of(closing_legs(sight), wanted, ladder=ground.limits.ladder))


def _roll(decision: Decision, sight: TradeSight, ground: Ground) -> Plan:
    rolls = ground.limits.rolls
    found = find_roll(sight, view=ground.view, rows=ground.rows, limits=rolls, now_ns=ground.now_ns)
    if isinstance(found, str):
        return _instead(decision, sight, ground, why=found)
    wanted = msgspec.structs.replace(
        _request(decision, sight, ground, purpose=Purpose.ROLL, units=sight.units),
        worst_usd=roll_worst_usd(rolls),
        reasons=(found.words, *decision.reasons),
    )
    order = order_of(found.legs, wanted, ladder=ground.limits.ladder)
    if isinstance(order, str):
        return _instead(decision, sight, ground, why=order)
    return _planned(decision, order)


def _rebalance(decision: Decision, sight: TradeSight, ground: Ground) -> Plan:
    found = find_rearrangement(
        sight,
        view=ground.view,
        rows=ground.rows,
        stand=stand_of(ground.view, vix_points=ground.vix_points),
        limits=ground.limits.band,
        may_move=len(sight.trade.rolled) < ground.limits.rolls.rolls_max,
    )
    if isinstance(found, str):
        return _instead(decision, sight, ground, why=found)
    wanted = msgspec.structs.replace(
        _request(
            decision, sight, ground, purpose=_purpose_of(found.legs, sight), units=sight.units
        ),
        reasons=(found.words, *decision.reasons),
    )
    order = order_of(found.legs, wanted, ladder=ground.limits.ladder)
    if isinstance(order, str):
        return _instead(decision, sight, ground, why=order)
    return _planned(decision, order)


def _cover(decision: Decision, sight: TradeSight, ground: Ground) -> Plan:
    limits = ground.limits
    found = find_call(
        sight.trade, view=ground.view, rows=ground.rows, limits=limits.wheel, now_ns=ground.now_ns
    )
    if isinstance(found, str):
        return Plan(decision=decision, proposal=None, words=found)
    premium = -found.leg.middle
    wanted = msgspec.structs.replace(
        _request(decision, sight, ground, purpose=Purpose.OPEN, units=found.units),
        strategy=WHEEL,
        reasons=(found.words, *decision.reasons),
        exits=exits_of(
            premium,
            target_fraction=target_of(WHEEL, ground.regime, limits.targets),
            stop_multiple=limits.exits.stop_multiple,
            ticks=ticks_for((found.leg.instrument,)),
        ),
    )
    return _planned(decision, order_of((found.leg,), wanted, ladder=limits.ladder))


def _instead(decision: Decision, sight: TradeSight, ground: Ground, *, why: str) -> Plan:
    """Close what cannot be mended."""
    closing = msgspec.structs.replace(
        decision, action=Action.CLOSE, reasons=(*decision.reasons, why), units=sight.units
    )
    return _close(closing, sight, ground)


def _planned(decision: Decision, order: Proposal | str) -> Plan:
    if isinstance(order, str):
        return Plan(decision=decision, proposal=None, words=order)
    return Plan(decision=decision, proposal=order)


def _request(
    decision: Decision, sight: TradeSight, ground: Ground, *, purpose: Purpose, units: int
) -> Request:
    return Request(
        key=ground.key,
        trade=sight.trade.name,
        strategy=sight.trade.strategy,
        purpose=purpose,
        units=units,
        reasons=decision.reasons,
        now_ns=ground.now_ns,
        view_number=ground.view.number,
        attempts=ground.attempts,
        urgent=decision.rule in _URGENT,
        gives_up=decision.rule is Rule.HEDGE_UNNEEDED,
        scores=decision.numbers,
        replaces=ground.replaces,
    )


def _purpose_of(legs: tuple[Leg, ...], sight: TradeSight) -> Purpose:
    """What a rearrangement is: taking away, moving a leg, or protection beyond it.

    A leg that is moved counts among the rolls of its trade: the broker sees no difference.
    """
    held = {one.instrument.conid: one.ratio for one in sight.legs}
    if all(held.get(one.instrument.conid, 0) * one.ratio < 0 for one in legs):
        return Purpose.CLOSE
    return Purpose.ROLL if len(legs) > 1 else Purpose.HEDGE

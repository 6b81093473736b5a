"""Hedges the book where a scenario is beyond its limit, with part of the premium it earned."""

from __future__ import annotations

from thetawarden.actors.stewarding import (
    TOLD_AGAIN_NS,
    StewardSettings,
    StewardState,
    ask,
    untaken,
    vix_points,
)
from thetawarden.domain.chains.view import ChainRows
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.managing.decision import Action, Decision, Rule
from thetawarden.domain.managing.hedging import (
    Excess,
    Hedge,
    budget_usd,
    find_hedge,
    is_unneeded,
)
from thetawarden.domain.managing.ordering import Request, order_of
from thetawarden.domain.managing.sight import TradeSight
from thetawarden.domain.managing.stressing import stand_of
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.trades.changes import premium_by_day, protection_by_day, summed
from thetawarden.domain.trades.trade import HEDGE
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import ProposeOrder
from thetawarden.messages.steward import PositionDecided

Said = ProposeOrder | PositionDecided | NotifyPerson


def hedged(
    state: StewardState,
    settings: StewardSettings,
    rows: dict[str, ChainRows],
    excesses: tuple[Excess, ...],
    now: UnixNs,
) -> list[Said]:
    """Buy protection where a scenario is beyond its limit; one hedge at a time.

    And where it still is a look later: what a spread's own long leg is about to cover needs none.
    """
    limits = settings.limits.hedges
    over = _stays_over(state, excesses, every_ns=settings.limits.every_ns, now=now)
    idle = not any(one.action is Action.HEDGE for one in state.pending.values())
    waiting = now < state.waits.get(HEDGE, 0)
    if not (limits.enabled and over and idle) or waiting or state.quiet or state.halted:
        return []
    today = new_york_date(now)
    trades = tuple(state.ledger.trades.values())
    budget = budget_usd(
        summed(state.premium, premium_by_day(trades)),
        summed(state.protection, protection_by_day(trades)),
        today=today,
        limits=limits,
    )
    words = "no chain to hedge on is in sight"
    for name in limits.underlyings:
        view = state.views.get(name)
        if view is None:
            continue
        found = find_hedge(
            excesses,
            view=view,
            rows=untaken(state, rows[name]),
            stand=stand_of(view, vix_points=vix_points(state)),
            budget=budget,
            limits=limits,
            today=today,
        )
        if isinstance(found, Hedge):
            return _bought(state, settings, found, view_number=view.number, now=now)
        words = found
    state.waits[HEDGE] = now + settings.limits.ladder.again_after_ns
    return _unhedged(state, words, now)


def _stays_over(
    state: StewardState, excesses: tuple[Excess, ...], *, every_ns: int, now: UnixNs
) -> bool:
    if not any(one.over_usd > 0.0 for one in excesses):
        state.over_ns = UnixNs(0)
        return False
    state.over_ns = state.over_ns or now
    return now - state.over_ns >= every_ns


def _bought(
    state: StewardState, settings: StewardSettings, found: Hedge, *, view_number: int, now: UnixNs
) -> list[Said]:
    name = f"{HEDGE}-{new_york_date(now):%m%d}-{state.number + 1}"
    wanted = Request(
        key=f"{name}/{Action.HEDGE}/{state.number + 1}",
        trade=name,
        strategy=HEDGE,
        purpose=Purpose.HEDGE,
        units=found.units,
        reasons=(found.words,),
        now_ns=now,
        view_number=view_number,
        worst_usd=found.worst_usd,
    )
    order = order_of(found.legs, wanted, ladder=settings.limits.ladder)
    if isinstance(order, str):
        return _unhedged(state, order, now)
    decision = Decision(
        trade=name, action=Action.HEDGE, rule=Rule.HEDGE_NEEDED, reasons=(found.words,)
    )
    said = PositionDecided(
        decision=decision,
        strategy=HEDGE,
        underlying=order.underlying,
        proposal_key=order.key,
        words="",
    )
    return [said, ask(state, order, action=Action.HEDGE, rule=Rule.HEDGE_NEEDED)]


def _unhedged(state: StewardState, words: str, now: UnixNs) -> list[Said]:
    """Say once in a while why a book beyond its limits is not hedged."""
    if now - state.told.get(HEDGE, -TOLD_AGAIN_NS) < TOLD_AGAIN_NS:
        return []
    state.told[HEDGE] = now
    text = f"A scenario is beyond its limit and no hedge is bought: {words}"
    return [NotifyPerson(urgency=Urgency.NORMAL, topic="hedge", text=text)]


def is_needless(
    state: StewardState,
    settings: StewardSettings,
    sight: TradeSight,
    excesses: tuple[Excess, ...],
) -> bool:
    """Whether a trade is a hedge that nothing needs any more."""
    view = state.views.get(sight.trade.underlying)
    if sight.trade.strategy != HEDGE or view is None:
        return False
    stand = stand_of(view, vix_points=vix_points(state))
    return is_unneeded(sight, excesses, stand=stand, limits=settings.limits.hedges)

"""One look of the steward at what it holds: decisions, orders they ask for, and what to tell."""

from __future__ import annotations

import msgspec

from thetawarden.actors.hedging import hedged, is_needless
from thetawarden.actors.stewarding import (
    TOLD_AGAIN_NS,
    Standing,
    StewardSettings,
    StewardState,
    ask,
    busy_with,
    derived,
    may_try,
    nlv_usd,
    open_trades,
    rows_by_underlying,
    sight_of,
    take_profit_ref,
    untaken,
    vix_points,
)
from thetawarden.domain.alerts.matters import TABLE, Matter
from thetawarden.domain.chains.view import ChainRows
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.managing.case import World
from thetawarden.domain.managing.decision import Action, Alarm, Decision, Rule
from thetawarden.domain.managing.engine import decide
from thetawarden.domain.managing.hedging import (
    Excess,
    excesses_of,
)
from thetawarden.domain.managing.planning import Ground, Plan, plan
from thetawarden.domain.managing.sight import NAN, TradeSight
from thetawarden.domain.managing.targets import revised_exits, target_of
from thetawarden.domain.managing.weakest import demanded_of, part_of
from thetawarden.domain.market.contracts import Delivery
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.orders.building import scaled_stop, ticks_for
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.strategy.targets import exits_of
from thetawarden.domain.trades.ledger import with_trade
from thetawarden.domain.trades.trade import HEDGE
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import ProposeOrder, ReviseExits
from thetawarden.messages.steward import PositionDecided

_OPENING = frozenset({Action.COVER, Action.HEDGE})
Said = ProposeOrder | ReviseExits | PositionDecided | NotifyPerson


def look(
    state: StewardState,
    settings: StewardSettings,
    now: UnixNs,
    *,
    underlyings: tuple[str, ...] | None = None,
) -> tuple[Said, ...]:
    """Decide about every trade, or those on some underlyings, and ask for what is needed.

    Whose turn it is to go when less risk is demanded is decided among all, and all of them go.
    """
    seen = None if state.demands else underlyings
    rows = rows_by_underlying(state, seen)
    trades = (one for one in open_trades(state) if seen is None or one.underlying in seen)
    sights = [sight_of(state, one, rows) for one in trades]
    excesses = excesses_of(state.uses, nlv_usd=nlv_usd(state))
    leaving = {Action.CLOSE, Action.REDUCE}
    closing = any(
        one.action in leaving and one.rule is not Rule.HEDGE_UNNEEDED  # which lessens no risk
        for one in state.pending.values()
    )
    demanded = demanded_of(
        state.demands,
        sights,
        closing=closing,
        now_ns=now,
        view_age_ns_max=settings.limits.view_age_ns_max,
    )
    said: list[Said] = []
    for sight in sights:
        name, on = sight.trade.name, sight.trade.underlying
        if underlyings is None or on in underlyings or name in demanded:
            world = _world(
                state,
                settings,
                sight,
                now,
                demand=demanded.get(name, ""),
                demand_part=part_of(state.demands, sight),
                excesses=excesses,
            )
            said += _decided(state, settings, sight, world, rows)
    if underlyings is None:
        said += hedged(state, settings, rows, excesses, now)
    return tuple(said)


def _world(
    state: StewardState,
    settings: StewardSettings,
    sight: TradeSight,
    now: UnixNs,
    *,
    demand: str,
    demand_part: float,
    excesses: tuple[Excess, ...],
) -> World:
    trade, limits = sight.trade, settings.limits
    best = sight.profit_fraction
    if best > trade.best_fraction:
        trade = msgspec.structs.replace(trade, best_fraction=best)
        state.ledger = with_trade(state.ledger, trade)
    working = trade.exits if take_profit_ref(state, trade.name) else None
    target = target_of(trade.strategy, derived(state), limits.targets)
    waits_until = state.waits.get(trade.name, 0)
    busy = busy_with(state, trade.name)
    if not busy and now < waits_until:
        busy = f"its last order came to nothing: again in {(waits_until - now) / 1e9:.0f} s"
    return World(
        now_ns=now,
        regime=derived(state),
        vix_points=vix_points(state),
        nlv_usd=nlv_usd(state),
        busy=busy,
        demand=demand,
        demand_part=demand_part,
        can_roll=not state.halted and may_try(state, trade.name, Action.ROLL),  # it sells anew
        can_rearrange=may_try(state, trade.name, Action.REBALANCE),
        exits=working,
        new_exits=_new_exits(sight, working, target, settings),
        day_spot_usd=state.spots_usd.get(trade.underlying, NAN),
        physical=_is_physical(sight),
        hedge_unneeded=is_needless(state, settings, sight, excesses),
    )


def _new_exits(
    sight: TradeSight, working: Exits | None, target: float, settings: StewardSettings
) -> Exits | None:
    if not sight.options or sight.trade.strategy == HEDGE:
        return None
    limits = settings.limits
    return revised_exits(
        working,
        sight.premium_usd,
        target_fraction=target,
        targets=limits.targets,
        exits=limits.exits,
        ticks=ticks_for(tuple(one.instrument for one in sight.options)),
    )


def _is_physical(sight: TradeSight) -> bool:
    classes = {one.instrument.trading_class for one in sight.options}
    terms = [OPTION_CLASSES.get(name) for name in sorted(classes)]
    return all(one is None or one.delivery is Delivery.PHYSICAL for one in terms)


def _decided(
    state: StewardState,
    settings: StewardSettings,
    sight: TradeSight,
    world: World,
    rows: dict[str, ChainRows],
) -> list[Said]:
    trade = sight.trade
    planned = Plan(decision=decide(sight, world=world, limits=settings.limits), proposal=None)
    said: list[Said] = [*_alarms(state, settings, planned.decision, world)]
    view = state.views.get(trade.underlying)
    if planned.decision.action is not Action.HOLD and view is not None:
        if state.quiet or (state.halted and planned.decision.action in _OPENING):
            planned = msgspec.structs.replace(planned, words="nothing new while trading is halted")
        else:
            ground = Ground(
                view=view,
                rows=untaken(state, rows[trade.underlying], by=trade.name),
                key=f"{trade.name}/{planned.decision.action}/{state.number + 1}",
                now_ns=world.now_ns,
                vix_points=world.vix_points,
                regime=world.regime,
                attempts=state.attempts.get(trade.name, 0),
                replaces=take_profit_ref(state, trade.name),
                limits=settings.limits,
            )
            planned = plan(planned.decision, sight, ground)
    said += _exits(state, settings, sight, planned.decision, world)
    return [*said, *_spoken(state, planned, sight, world.now_ns)]


def _exits(
    state: StewardState,
    settings: StewardSettings,
    sight: TradeSight,
    decision: Decision,
    world: World,
) -> list[Said]:
    """Move exits to a new target, and give those that were rolled or rearranged theirs."""
    trade, exits = sight.trade, world.new_exits if decision.rule is Rule.NEW_TARGET else None
    if exits is None and trade.name in state.bare and decision.action is Action.HOLD:
        settled = decision.rule not in {Rule.BUSY, Rule.BLIND, Rule.MANUAL}
        if settled and sight.options:
            state.bare = tuple(one for one in state.bare if one != trade.name)
            limits = settings.limits
            exits = exits_of(
                sight.premium_usd,
                target_fraction=target_of(trade.strategy, world.regime, limits.targets),
                stop_multiple=limits.exits.stop_multiple,
                ticks=ticks_for(tuple(one.instrument for one in sight.options)),
            )
    if exits is None or state.quiet:
        return []
    current = state.ledger.trades[trade.name]
    stop = exits.stop_usd
    if stop is None and current.exits is not None:
        moved = decision.rule is not Rule.NEW_TARGET  # to another unit: what it cost is no matter
        profit = exits.take_profit_usd
        scaled = scaled_stop(current.exits, take_profit_usd=profit)
        stop = scaled if moved else current.exits.stop_usd
    kept = Exits(take_profit_usd=exits.take_profit_usd, stop_usd=stop)
    state.ledger = with_trade(state.ledger, msgspec.structs.replace(current, exits=kept))
    told = kept if decision.rule is not Rule.NEW_TARGET else exits
    return [ReviseExits(trade=trade.name, exits=told, reasons=decision.reasons)]


def _spoken(
    state: StewardState, planned: Plan, sight: TradeSight, now: UnixNs
) -> list[ProposeOrder | PositionDecided]:
    """Ask for the order, and say the decision where it is another than was said before."""
    decision, order = planned.decision, planned.proposal
    before = state.decisions.get(decision.trade)
    state.decisions[decision.trade] = Standing(decision=decision, words=planned.words, at_ns=now)
    same = before is not None and _gist(before.decision) == _gist(decision)
    if order is None and same and before is not None and before.words == planned.words:
        return []
    said = PositionDecided(
        decision=decision,
        strategy=sight.trade.strategy,
        underlying=sight.trade.underlying,
        proposal_key="" if order is None else order.key,
        words=planned.words,
    )
    if order is None:
        return [said]
    return [said, ask(state, order, action=decision.action, rule=decision.rule)]


def _gist(decision: Decision) -> tuple[object, ...]:
    return (decision.action, decision.rule, decision.units)


def _alarms(
    state: StewardState, settings: StewardSettings, decision: Decision, world: World
) -> list[NotifyPerson]:
    """Tell a person of what has newly become alarming, and of the blind only after a while."""
    now, trade = world.now_ns, decision.trade
    if Alarm.BLIND not in decision.alarms:
        state.blind.pop(trade, None)
    said = []
    for alarm in decision.alarms:
        key = f"{trade}/{alarm}"
        if alarm is Alarm.BLIND:
            since = state.blind.setdefault(trade, now)
            if now - since < settings.limits.blind_alert_ns:
                continue
        if now - state.told.get(key, -TOLD_AGAIN_NS) < TOLD_AGAIN_NS:
            continue
        state.told[key] = now
        numbers = ", ".join(f"{name} {value:.2f}" for name, value in decision.numbers)
        text = (
            f"{trade}: {alarm.value.replace('_', ' ')} alarm; {decision.action.value}:"
            f" {decision.reasons[0]} ({numbers})"
        )
        urgency = TABLE[Matter.NEAR_STOP].urgency if alarm is Alarm.NEAR_STOP else Urgency.HIGH
        said.append(NotifyPerson(urgency=urgency, topic=f"trade {trade}", text=text))
    return said

"""What the steward writes down of a trade: its results by what moved them, its world, its end."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from thetawarden.actors.stewarding import (
    StewardSettings,
    StewardState,
    Tally,
    busy_with,
    nlv_usd,
    open_trades,
    rows_by_underlying,
    sight_of,
)
from thetawarden.domain.context.readings import BENCHMARK
from thetawarden.domain.instants import NS_PER_DAY, UnixNs, new_york_date
from thetawarden.domain.managing.marking import mark_of
from thetawarden.domain.managing.sight import NAN, TradeSight
from thetawarden.domain.managing.snapshots import (
    Scene,
    portfolio_greeks,
    snapshot_of,
)
from thetawarden.domain.strategy.prediction import Prediction
from thetawarden.domain.trades.attributing import DaySums, between, with_interval, with_trading
from thetawarden.domain.trades.changes import (
    premium_by_day,
    protection_by_day,
    recent,
    summed,
)
from thetawarden.domain.trades.judging import outcomes_of
from thetawarden.domain.trades.ledger import closed_before, with_trade, without_trade
from thetawarden.domain.trades.results import wheel_cycle
from thetawarden.domain.trades.snapshot import SnapshotEvent
from thetawarden.domain.trades.trade import Trade, TradeState
from thetawarden.domain.units import to_float
from thetawarden.messages.steward import (
    PredictionJudged,
    ProfitAttributed,
    TradeSnapshotTaken,
)

KEPT_NS = 10 * NS_PER_DAY
NOTHING_CAME_NS = NS_PER_DAY
"""So long after its approval no order of a trade can still be about to be sent."""


def tally(state: StewardState, trade: Trade, sight: TradeSight, now: UnixNs) -> None:
    """Mark a trade and add what moved it since its latest mark."""
    if trade.manual:
        return
    known = state.tallies.get(trade.name)
    mark = mark_of(trade, sight, before=None if known is None else known.mark, now=now)
    if known is None:
        fresh = DaySums(day=new_york_date(now))
        state.tallies[trade.name] = Tally(mark=mark, today=fresh, ever=fresh)
        return
    moved = between(known.mark, mark)
    state.tallies[trade.name] = msgspec.structs.replace(
        known,
        mark=mark,
        today=with_interval(known.today, moved),
        ever=with_interval(known.ever, moved),
    )


def tally_fill(
    state: StewardState,
    before: Trade | None,
    after: Trade,
    *,
    sights: tuple[TradeSight, TradeSight],
    now: UnixNs,
) -> None:
    """End the interval before a fill, and begin the next behind it, at the same instant."""
    if after.manual:
        return
    tally(state, before or msgspec.structs.replace(after, parts=()), sights[0], now)
    known = state.tallies[after.name]
    mark = mark_of(after, sights[1], before=known.mark, now=now)
    state.tallies[after.name] = msgspec.structs.replace(
        known,
        mark=mark,
        today=with_trading(known.today, known.mark, mark),
        ever=with_trading(known.ever, known.mark, mark),
    )


def turn_day(state: StewardState, today: dt.date) -> tuple[ProfitAttributed, ...]:
    """Say what moved every trade on the day that is over, and begin the next."""
    said = []
    for name, known in list(state.tallies.items()):
        if known.today.day == today:
            continue
        trade = state.ledger.trades.get(name)
        if trade is not None:
            said.append(_attributed(trade, known.today))
        state.tallies[name] = msgspec.structs.replace(known, today=DaySums(day=today))
        if trade is None or not trade.held:
            del state.tallies[name]
    return tuple(said)


def _attributed(trade: Trade, sums: DaySums) -> ProfitAttributed:
    return ProfitAttributed(
        trade=trade.name,
        strategy=trade.strategy,
        underlying=trade.underlying,
        day=sums.day,
        profit_cents=sums.profit_cents,
        delta_cents=sums.delta_cents,
        gamma_cents=sums.gamma_cents,
        theta_cents=sums.theta_cents,
        vega_cents=sums.vega_cents,
        trading_cents=sums.trading_cents,
        residual_cents=sums.residual_cents,
        complete=sums.complete,
    )


def scene_of(state: StewardState, settings: StewardSettings, now: UnixNs) -> Scene:
    """Return what surrounds every trade now."""
    rows = rows_by_underlying(state)
    sights = [sight_of(state, one, rows) for one in open_trades(state)]
    values, benchmark = state.values, state.views.get(BENCHMARK)
    spot = NAN if benchmark is None or benchmark.spot_usd is None else benchmark.spot_usd
    net = nlv_usd(state)
    return Scene(
        now_ns=now,
        regime=state.regime,
        curve=state.curve,
        correlation=state.correlation,
        nlv_usd=None if values is None else net,
        cash_usd=_amount(None if values is None else values.cash_usd),
        positions=len(sights),
        greeks=portfolio_greeks(sights, benchmark_usd=spot),
        config_fingerprint=settings.fingerprint,
        software=settings.software,
    )


def write_down(
    state: StewardState,
    sight: TradeSight,
    *,
    event: SnapshotEvent,
    reason: str | None,
    scene: Scene,
) -> TradeSnapshotTaken:
    """Write down the world around a trade."""
    trade = sight.trade
    known = state.tallies.get(trade.name)
    result = None if known is None else known.mark.worth_cents / 100.0
    snapshot = snapshot_of(
        sight,
        event=event,
        reason=reason,
        view=state.views.get(trade.underlying),
        figures=state.figures.get(trade.underlying),
        scene=scene,
        result_usd=result,
        attribution=None if known is None else _as_json(known.ever),
    )
    return TradeSnapshotTaken(snapshot=snapshot)


def _as_json(sums: DaySums) -> str:
    names = [name for name in sums.__struct_fields__ if name.endswith("_cents")]
    parts = {name.removesuffix("_cents"): getattr(sums, name) / 100.0 for name in names}
    return msgspec.json.encode(parts | {"complete": sums.complete}).decode()


def judged(trade: Trade, predictions: tuple[Prediction, ...]) -> tuple[PredictionJudged, ...]:
    """Hold what was predicted at a trade's entry against what came of it."""
    return tuple(
        PredictionJudged(
            underlying=trade.underlying,
            prediction=one.prediction.name,
            strategy=trade.strategy,
            model=one.prediction.model,
            expected=one.expected,
            actual=one.actual,
            happened=one.happened,
            in_range=one.in_range,
            result_usd=trade.cash_usd,
        )
        for one in outcomes_of(trade, predictions)
    )


def end_words(trade: Trade) -> str:
    """Return how a trade ended, in words."""
    cycle = wheel_cycle(trade)
    result = f"result {trade.cash_usd:+,.2f} USD"
    if cycle is None:
        return f"{trade.ended_by}: {result}"
    return (
        f"wheel cycle over: puts {cycle.puts_usd:+,.2f}, {cycle.calls_sold} calls"
        f" {cycle.calls_usd:+,.2f}, shares {cycle.shares_usd:+,.2f}, dividends"
        f" {cycle.dividends_usd:+,.2f}, costs {cycle.commission_usd:+,.2f}: {result}"
    )


def forget_closed(state: StewardState, now: UnixNs) -> None:
    """Let go of trades nothing more will come of; what they earned and cost stays for a while."""
    today = new_york_date(now)
    for trade in tuple(state.ledger.trades.values()):
        nothing = trade.state is TradeState.OPENING and not trade.parts
        if nothing and now - trade.opened_ns > NOTHING_CAME_NS and not busy_with(state, trade.name):
            state.ledger = with_trade(state.ledger, abandoned(trade, now))
    for name in closed_before(state.ledger, now - KEPT_NS):
        trade = state.ledger.trades[name]
        state.premium = summed(state.premium, premium_by_day((trade,)))
        state.protection = summed(state.protection, protection_by_day((trade,)))
        state.ledger = without_trade(state.ledger, name)
        for memory in (state.decisions, state.attempts, state.waits, state.blind):
            memory.pop(name, None)
        state.told = {key: at for key, at in state.told.items() if not key.startswith(f"{name}/")}
        state.predictions.pop(name, None)
        state.refused = tuple(one for one in state.refused if not one.startswith(f"{name}/"))
    state.premium = recent(state.premium, today=today, days=120)
    state.protection = recent(state.protection, today=today, days=120)


def abandoned(trade: Trade, now: UnixNs) -> Trade:
    """Return a trade that nothing came of."""
    return msgspec.structs.replace(trade, state=TradeState.ABANDONED, closed_ns=now)


def _amount(amount: Decimal | None) -> float | None:
    return None if amount is None else to_float(amount)

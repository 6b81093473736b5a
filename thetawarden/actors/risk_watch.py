"""Watches losses and limits: what the account is worth, how brakes stand, what is demanded."""

from __future__ import annotations

import math

import msgspec

from thetawarden.actors.governing import GovernorSettings, GovernorState, desk_of, posture_of
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.governing.braking import Trips, cautions_of, trips_of
from thetawarden.domain.governing.orders import still_ahead
from thetawarden.domain.governing.stock import Stock
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.risk.brakes import Brake, BrakeName, read_brakes
from thetawarden.domain.risk.case import Desk
from thetawarden.domain.risk.demands import Demand, demands_of
from thetawarden.domain.risk.equity import losses_of, observe_nlv, review_drawdown
from thetawarden.domain.risk.finding import percent
from thetawarden.domain.risk.flow import start_session
from thetawarden.domain.risk.headroom import Overfull, overfull
from thetawarden.domain.risk.recovery import advance_recovery, begin_recovery
from thetawarden.domain.risk.rules.concentration import positions_allowed
from thetawarden.domain.risk.stress import StressJob, StressResult, stress_grid, stress_result
from thetawarden.domain.risk.usage import LimitUse, limits_in_use
from thetawarden.domain.units import to_float
from thetawarden.messages.risk import ComputeStress, RiskTaken, StressTaken


class Watched(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One look at the limits."""

    desk: Desk
    brakes: tuple[Brake, ...]
    uses: tuple[LimitUse, ...]
    trips: Trips
    demands_changed: bool


def account(
    state: GovernorState, settings: GovernorSettings, values: AccountValues, now: UnixNs
) -> None:
    """Take in the account's figures, unless they are older than those at hand or unfinished.

    Figures from the future are of before the clock was set back, and older than any.
    """
    net, known = values.net_liquidation_usd, state.values
    if not values.ready or net is None:
        return
    if known is not None and values.at_ns < known.at_ns <= now:
        return
    state.values = values
    state.ahead = still_ahead(state.ahead, account_ns=values.at_ns, now=now)
    day, nlv = new_york_date(now), to_float(net)
    if state.equity.day is not None and day > state.equity.day:
        state.flow = start_session(state.flow)
    state.equity = observe_nlv(state.equity, nlv_usd=nlv, day=day, at_ns=values.at_ns)
    state.recovery = advance_recovery(
        state.recovery, day=day, nlv_usd=nlv, limits=settings.limits.recovery
    )


def review(state: GovernorState) -> None:
    """A person has reviewed the drawdown: its brake measures from here."""
    state.equity = review_drawdown(state.equity)
    state.tripped = tuple(one for one in state.tripped if one is not BrakeName.DRAWDOWN)


def look(
    state: GovernorState, settings: GovernorSettings, stock: Stock | None, now: UnixNs
) -> Watched:
    """Read every brake and limit, keep what they demand, and return what is new."""
    desk = desk_of(state, settings)
    brakes = _brakes(state, settings, stock, desk)
    trips = trips_of(brakes, state.tripped)
    state.tripped = trips.tripped
    for one in trips.new:
        _tripped(state, one, now)
    state.cautions = cautions_of(brakes, state.cautions, at_ns=now)
    uses = _uses(settings, stock, desk)
    demands = _demands(state, settings, stock, desk=desk, brakes=brakes, uses=uses)
    changed = _gist(demands) != _gist(state.demands)
    state.demands = demands
    return Watched(
        desk=desk,
        brakes=brakes,
        uses=uses,
        trips=trips,
        demands_changed=changed,
    )


def taken(state: GovernorState, found: Watched, now: UnixNs) -> RiskTaken:
    """State how much of every limit is used, and where every brake stands."""
    posture = posture_of(state)
    whys = [posture.why] if posture.why else []
    return RiskTaken(
        at_ns=now,
        trading=posture.state,
        uses=found.uses,
        brakes=found.brakes,
        recovery=state.recovery.phase,
        why=(*whys, *(f"interlock: {gap.value}" for gap in found.desk.interlock)),
    )


def is_news(before: RiskTaken | None, now: RiskTaken, *, say_ns: int) -> bool:
    """Whether anything but numbers has changed, or it was long not said."""
    if before is None or now.at_ns - before.at_ns >= say_ns:
        return True
    return _standing(before) != _standing(now)


def reason_of(brake: Brake) -> str:
    """What a halt by a brake is called."""
    name = brake.name.value.replace("_", " ")
    return f"{name} is {percent(brake.value_fraction)}, its limit {percent(brake.limit_fraction)}"


def stress_of(state: GovernorState, settings: GovernorSettings, stock: Stock) -> StressResult:
    """What every scenario would cost, all that may fill included."""
    values = state.values
    net = None if values is None else values.net_liquidation_usd
    nlv = math.nan if net is None else to_float(net)
    return stress_result(stock.book, nlv_usd=nlv, limits=settings.limits.stress)


def stress_asked(
    state: GovernorState, settings: GovernorSettings, stock: Stock, *, run: str
) -> StressTaken | ComputeStress:
    """The stress of a small book, or the job that takes it of a large one elsewhere."""
    book, limits = stock.book, settings.limits
    result = stress_of(state, settings, stock)
    if len(book.rows) <= settings.inline_rows_max:
        grid = stress_grid(book, stock.ruler, limits=limits.stress)
        return StressTaken(run=run, result=result, grid=grid)
    job = StressJob(
        market=stock.market,
        held=book.held,
        pending=book.pending,
        nlv_usd=result.nlv_usd,
        limits=limits,
    )
    return ComputeStress(run=run, job=job)


def _brakes(
    state: GovernorState, settings: GovernorSettings, stock: Stock | None, desk: Desk
) -> tuple[Brake, ...]:
    limits, figures = settings.limits, desk.account
    utilisation = math.nan
    if figures is not None and figures.nlv_usd > 0.0:
        waiting = 0.0 if stock is None else sum(one.margin_usd for one in stock.book.pending)
        utilisation = (figures.initial_margin_usd + waiting) / figures.nlv_usd
    return read_brakes(
        losses=losses_of(state.equity),
        utilisation_fraction=utilisation,
        margin_max_fraction=limits.margin.utilisation_max_fraction,
        limits=limits.brakes,
    )


def _uses(settings: GovernorSettings, stock: Stock | None, desk: Desk) -> tuple[LimitUse, ...]:
    if stock is None or desk.account is None:
        return ()
    most = positions_allowed(desk, settings.limits)
    return limits_in_use(
        stock.book,
        account=desk.account,
        limits=settings.limits,
        positions_max=0 if most is None else most,
    )


def _demands(
    state: GovernorState,
    settings: GovernorSettings,
    stock: Stock | None,
    *,
    desk: Desk,
    brakes: tuple[Brake, ...],
    uses: tuple[LimitUse, ...],
) -> tuple[Demand, ...]:
    if stock is None:
        return ()
    return demands_of(
        brakes=brakes,
        stress=stress_of(state, settings, stock),
        regime=None if state.regime is None else state.regime.regime,
        held=stock.book.held,
        use=uses,
        pending=stock.book.pending,
        overfull=_overfull(settings, stock, desk),
    )


def _overfull(settings: GovernorSettings, stock: Stock, desk: Desk) -> Overfull | None:
    if desk.account is None:
        return None
    nlv, market = desk.account.nlv_usd, stock.market
    return overfull(stock.book, nlv_usd=nlv, market=market, limits=settings.limits)


def _tripped(state: GovernorState, brake: Brake, now: UnixNs) -> None:
    """A drawdown at its limit begins the way back, which is long."""
    nlv = state.equity.nlv_usd
    if brake.name is BrakeName.DRAWDOWN and nlv is not None:
        state.recovery = begin_recovery(
            state.recovery, day=new_york_date(now), nlv_usd=nlv, peak_usd=state.equity.peak_usd
        )


def _gist(demands: tuple[Demand, ...]) -> list[tuple[object, ...]]:
    return [(one.kind.value, one.positions, one.parts, one.together) for one in demands]


def _standing(one: RiskTaken) -> tuple[object, ...]:
    return (one.trading, one.recovery, tuple(each.level for each in one.brakes))

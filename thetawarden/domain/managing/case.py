"""Puts a trade beside its world, for the rules to judge: what is known, in numbers and alarms."""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property

import msgspec

from thetawarden.domain.alerts.matters import TABLE, Matter
from thetawarden.domain.instants import UnixNs, new_york_clock
from thetawarden.domain.managing.decision import Action, Alarm, Decision, Rule
from thetawarden.domain.managing.limits import ManagingLimits
from thetawarden.domain.managing.sight import NAN, TradeSight, first_expiry
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.trades.trade import TradeStage
from thetawarden.domain.units import to_float

WORTHLESS_USD = 0.10
NEAR_STOP_FRACTION = TABLE[Matter.NEAR_STOP].threshold or 1.0
_WORTHLESS_DELTA = 0.05
_SESSIONS_A_YEAR = 252.0


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the trade itself, for this trade, at this instant.

    `busy` says what is under way for it, `demand` why the governor wants it smaller, `demand_part`
    which part of it is to go. `can_roll` and `can_rearrange` are false once that was refused.
    `exits` are those that work at the broker. `day_spot_usd` is where its underlying began the day,
    `physical` whether its options are delivered in shares.
    """

    now_ns: UnixNs
    regime: DerivedRegime | None = None
    vix_points: float = NAN
    nlv_usd: float = NAN
    busy: str = ""
    demand: str = ""
    demand_part: float = 1.0
    can_roll: bool = True
    can_rearrange: bool = True
    exits: Exits | None = None
    new_exits: Exits | None = None
    day_spot_usd: float = NAN
    physical: bool = False
    hedge_unneeded: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A trade in its world, to be judged by limits."""

    sight: TradeSight
    world: World
    limits: ManagingLimits

    def decides(self, action: Action, rule: Rule, *reasons: str, units: int = 0) -> Decision:
        """Return a decision with the numbers it rests on."""
        return Decision(
            trade=self.sight.trade.name,
            action=action,
            rule=rule,
            reasons=reasons,
            numbers=numbers_of(self.sight, self.world),
            units=units or self.sight.units,
            alarms=alarms_of(self),
        )

    @cached_property
    def is_short_premium(self) -> bool:
        """Whether it is options sold, and nothing that was delivered."""
        return self.sight.trade.stage is TradeStage.OPTIONS and bool(self.sight.shorts)


def numbers_of(sight: TradeSight, world: World) -> tuple[tuple[str, float], ...]:
    """Return what is known of a trade, by name; what is not known is left out."""
    expiry = first_expiry(sight)
    left = NAN if expiry is None else float((expiry - day_of(world)).days)
    found = {
        "premium_usd": sight.premium_usd,
        "cost_usd": sight.cost_usd,
        "profit_fraction": sight.profit_fraction,
        "best_fraction": sight.trade.best_fraction,
        "short_delta": sight.short_delta,
        "delta_per_share": sight.delta_per_share,
        "spot_usd": sight.spot_usd,
        "vix_points": world.vix_points,
        "days_left": left,
    }
    return tuple((name, value) for name, value in found.items() if math.isfinite(value))


def alarms_of(case: Case) -> tuple[Alarm, ...]:
    """Return what a person should know of, whatever is decided."""
    sight, exits = case.sight, case.limits.exits
    found = []
    if case.is_short_premium and sight.profit_fraction <= -exits.loss_alert_fraction:
        found.append(Alarm.LOSS)
    if case.is_short_premium and sight.known_short_delta > exits.alert_delta:
        found.append(Alarm.DELTA)
    if case.is_short_premium and _moved(case) > exits.move_alert_multiple:
        found.append(Alarm.MOVE)
    if case.is_short_premium and _is_near_stop(case):
        found.append(Alarm.NEAR_STOP)
    if sight.doubts and not _worthless(sight):
        found.append(Alarm.BLIND)
    return tuple(found)


def _is_near_stop(case: Case) -> bool:
    """Whether so much of the way from its premium to the nearest of its stops is lost."""
    sight, exits = case.sight, case.sight.trade.exits
    premium = sight.premium_usd
    stops = [premium * case.limits.exits.stop_multiple]
    stops += [] if exits is None or exits.stop_usd is None else [to_float(exits.stop_usd)]
    ways = [stop - premium for stop in stops if stop > premium > 0.0]
    return bool(ways) and sight.cost_usd - premium >= NEAR_STOP_FRACTION * min(ways)


def _moved(case: Case) -> float:
    """How many implied moves of a day its underlying has gone today; NaN when unknown."""
    start, now, iv = case.world.day_spot_usd, case.sight.spot_usd, case.sight.atm_iv_annual
    if not all(0.0 < one < math.inf for one in (start, now, iv)):
        return NAN
    return abs(math.log(now / start)) / (iv / math.sqrt(_SESSIONS_A_YEAR))


def _worthless(sight: TradeSight) -> bool:
    """Whether what cannot be priced is next to nothing anyway, by the model."""
    return bool(sight.shorts) and sight.short_delta < _WORTHLESS_DELTA


def ends_today(case: Case) -> bool:
    """Whether the first of its options ends today."""
    return first_expiry(case.sight) == day_of(case.world)


def day_of(world: World) -> dt.date:
    """The date in New York."""
    return new_york_clock(world.now_ns).date()

"""Reads the soft brakes (R5): how near each loss is to its limit, and what that demands.

A level is reached at its threshold, not beyond it. A loss that is not known is at no level: it
allows no entry and demands nothing.
"""

from __future__ import annotations

import enum
import math

import msgspec

from thetawarden.domain.risk.equity import Losses
from thetawarden.domain.risk.finding import reaches
from thetawarden.domain.risk.limits import AtMarginLimit, BrakeLimits


class BrakeName(enum.StrEnum):
    """What is watched."""

    DAY_LOSS = "day_loss"
    WEEK_LOSS = "week_loss"
    MONTH_LOSS = "month_loss"
    DRAWDOWN = "drawdown"
    MARGIN = "margin"


class BrakeLevel(enum.StrEnum):
    """How hard a brake is pressed."""

    OFF = "off"
    WARN = "warn"
    SLOW = "slow"
    STOP = "stop"
    UNKNOWN = "unknown"


class BrakeDemand(enum.StrEnum):
    """What a brake asks of the desk as a whole, from nothing to the most."""

    NOTHING = "nothing"
    TELL = "tell"
    BE_CAUTIOUS = "be_cautious"
    HALT = "halt"
    HALT_FOR_REVIEW = "halt_for_review"


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """One brake: what is lost or in use, its limit, how much of the limit that is, what follows."""

    name: BrakeName
    value_fraction: float
    limit_fraction: float
    used_fraction: float
    level: BrakeLevel
    demand: BrakeDemand


def read_brakes(
    *, losses: Losses, utilisation_fraction: float, margin_max_fraction: float, limits: BrakeLimits
) -> tuple[Brake, ...]:
    """Every brake, in the order of their names."""
    watched = {
        BrakeName.DAY_LOSS: (losses.day, limits.day_loss_fraction),
        BrakeName.WEEK_LOSS: (losses.week, limits.week_loss_fraction),
        BrakeName.MONTH_LOSS: (losses.month, limits.month_loss_fraction),
        BrakeName.DRAWDOWN: (losses.drawdown, limits.drawdown_fraction),
        BrakeName.MARGIN: (utilisation_fraction, margin_max_fraction),
    }
    return tuple(
        _brake(name, value=value, limit=limit, limits=limits)
        for name, (value, limit) in watched.items()
    )


def _brake(name: BrakeName, *, value: float, limit: float, limits: BrakeLimits) -> Brake:
    used = value / limit if limit > 0.0 else (math.inf if value > 0.0 else 0.0)
    level = _level(name, used, limits)
    return Brake(
        name=name,
        value_fraction=value,
        limit_fraction=limit,
        used_fraction=used,
        level=level,
        demand=_demand(name, level, limits),
    )


def _level(name: BrakeName, used: float, limits: BrakeLimits) -> BrakeLevel:
    is_margin = name is BrakeName.MARGIN
    warn_from = limits.margin_warn_from_fraction if is_margin else limits.warn_from_fraction
    if math.isnan(used):
        return BrakeLevel.UNKNOWN
    if reaches(used, 1.0):
        return BrakeLevel.STOP
    if reaches(used, limits.slow_from_fraction):
        return BrakeLevel.SLOW
    return BrakeLevel.WARN if reaches(used, warn_from) else BrakeLevel.OFF


def _demand(name: BrakeName, level: BrakeLevel, limits: BrakeLimits) -> BrakeDemand:
    if level in (BrakeLevel.OFF, BrakeLevel.UNKNOWN):
        return BrakeDemand.NOTHING
    if level is not BrakeLevel.STOP:
        return BrakeDemand.TELL
    if name is BrakeName.DRAWDOWN:
        return BrakeDemand.HALT_FOR_REVIEW
    if name is BrakeName.MARGIN and limits.at_margin_limit is AtMarginLimit.CAUTIOUS:
        return BrakeDemand.BE_CAUTIOUS
    return BrakeDemand.HALT

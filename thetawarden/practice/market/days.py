"""Simulates the market day by day: what each night and each session brought, factor by factor.

One pass forward over rows; a row needs only the one before it and the numbers at its own address.
Returns are log returns, cumulative from the first row; volatilities are annual. The volatility
factors move against the market (leverage), a large move either way raises them, and they fade with
their own half-lives. What is not the market's (indices, sectors, companies) is drawn with fatter
tails and moves less than proportionally when the market's volatility rises, so that correlation
rises in a sell-off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.surface import DECAY_PER_YEAR, floored
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline

Floats: TypeAlias = NDArray[np.float64]

DECAY_PER_SESSION: Floats = DECAY_PER_YEAR / SESSIONS_PER_YEAR
SPOT_VOL_ANNUAL = 0.119
_SHOCKS: Floats = np.array([0.072, 0.058, 0.0175])
_LEVERAGE: Floats = np.array([-0.74, -0.74, -0.66])
_BY_SIZE: Floats = np.array([0.020, 0.014, 0.003])
_X_MAX: Floats = np.array([1.3, 1.4, 0.8])
_MONTH_SESSIONS = 21
_OWN_BY_MARKET = 0.40
_OWN_HALF_LIFE_SESSIONS = 25.0
_OWN_VOL_OF_VOL = 0.20
_OWN_DEGREES = 5.0
_DAYS_SALT, _OWN_SALT = 1, 2


class Climate(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of times they are; the default is the long run."""

    drift_annual: float = 0.080
    vol_shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Where the factors are drawn to."""
    shock_scale: float = 1.0
    jumps_per_year: float = 2.4
    jump_mean: float = -0.020
    jump_sd: float = 0.028
    pull_per_session: float = 0.0
    """How much of the distance to the past month's mean is taken back each session."""


class Imposed(msgspec.Struct, frozen=True, kw_only=True):
    """What a script or a user's file says about one day: log return and VIX, if known."""

    log_return: float | None
    vix: float | None


class Day(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row: cumulative log levels at its open and close, and how it got there."""

    row: int
    sigma_annual: float
    market_before: float
    market_open: float
    market_close: float
    jump: float
    jump_at_fraction: float
    x_before: Floats
    x_open: Floats
    x_close: Floats
    own_before: Floats
    own_open: Floats
    own_close: Floats
    own_sigma_annual: Floats
    own_y: Floats


ClimateOf: TypeAlias = Callable[[int], Climate]
ImposedOn: TypeAlias = Callable[[int], Imposed | None]
LevelVix: TypeAlias = Callable[[Floats, float, int], Floats]


class Days:
    """All days from the first row on, simulated as far as anybody has asked."""

    def __init__(
        self,
        *,
        seed: int,
        draw: int,
        timeline: Timeline,
        first_row: int,
        own_vols_annual: Floats,
        climate_of: ClimateOf,
        imposed_on: ImposedOn,
        level_vix: LevelVix,
    ) -> None:
        self.first_row = first_row
        self._seed, self._draw = seed, draw
        self._timeline, self._own_vols = timeline, own_vols_annual
        self._climate_of, self._imposed_on, self._level_vix = climate_of, imposed_on, level_vix
        self._days: list[Day] = []

    def day(self, row: int) -> Day:
        """Return one row, simulating up to it first; rows before the first are refused."""
        if row < self.first_row:
            raise IndexError(f"row {row} lies before the market's history, {self.first_row}")
        while row >= self.first_row + len(self._days):
            self._days.append(self._next())
        return self._days[row - self.first_row]

    def _next(self) -> Day:
        if not self._days:
            return self._first()
        before = self._days[-1]
        row = before.row + 1
        climate, imposed = self._climate_of(row), self._imposed_on(row)
        draw = generator(self._seed, _DAYS_SALT, row, self._draw)
        z_night, z_day, u_jump, size, at_fraction = (
            *draw.standard_normal(2),
            draw.random(),
            draw.standard_normal(),
            draw.random(),
        )
        own_noise = draw.standard_normal((2, 3))
        night_share = float(self._timeline.night_share[row])
        day_share = float(self._timeline.day_share[row])
        sigma = _spot_vol(before.x_close)
        drift = climate.drift_annual / SESSIONS_PER_YEAR
        busy = climate.jumps_per_year / SESSIONS_PER_YEAR * min(sigma / SPOT_VOL_ANNUAL, 3.0)
        jump = climate.jump_mean + climate.jump_sd * size if u_jump < busy else 0.0
        drift -= busy * climate.jump_mean + climate.pull_per_session * self._stretch()
        night = drift * night_share + _per_session(sigma, night_share) * z_night
        day = drift * day_share + _per_session(sigma, day_share) * z_day + jump
        if imposed is not None and imposed.log_return is not None:
            night, day, jump = _obey(
                imposed.log_return, night, day, night_share / (night_share + day_share)
            )
        move = partial(_step, climate=climate, sigma=sigma)
        x_open = move(before.x_close, noise=own_noise[0], share=night_share, log_return=night)
        x_close = move(x_open, noise=own_noise[1], share=day_share, log_return=day)
        if imposed is not None and imposed.vix is not None:
            x_close = self._level_vix(x_close, imposed.vix, row)
        own = self._own(before, row, sigma, night_share, day_share)
        return Day(
            row=row,
            sigma_annual=sigma,
            market_before=before.market_close,
            market_open=before.market_close + night,
            market_close=before.market_close + night + day,
            jump=jump,
            jump_at_fraction=0.02 + 0.96 * at_fraction,
            x_before=before.x_close,
            x_open=x_open,
            x_close=x_close,
            own_before=before.own_close,
            own_open=own[0],
            own_close=own[1],
            own_sigma_annual=own[2],
            own_y=own[3],
        )

    def _stretch(self) -> float:
        """How far the market has gone from its mean of the past month."""
        recent = [day.market_close for day in self._days[-_MONTH_SESSIONS:]]
        return recent[-1] - sum(recent) / len(recent)

    def _own(
        self, before: Day, row: int, sigma: float, night_share: float, day_share: float
    ) -> tuple[Floats, Floats, Floats, Floats]:
        count = len(self._own_vols)
        if not count:
            return before.own_close, before.own_close, self._own_vols, before.own_y
        draw = generator(self._seed, _OWN_SALT, row)
        tails = math.sqrt((_OWN_DEGREES - 2.0) / _OWN_DEGREES)
        z = draw.standard_t(_OWN_DEGREES, size=(2, count)) * tails
        keep = 0.5 ** (1.0 / _OWN_HALF_LIFE_SESSIONS)
        y = before.own_y * keep + _OWN_VOL_OF_VOL * math.sqrt(
            1.0 - keep * keep
        ) * draw.standard_normal(count)
        vols = self._own_vols * np.exp(y) * (sigma / SPOT_VOL_ANNUAL) ** _OWN_BY_MARKET
        daily = vols / math.sqrt(SESSIONS_PER_YEAR)
        opened = before.own_close + daily * math.sqrt(night_share) * z[0]
        return opened, opened + daily * math.sqrt(day_share) * z[1], vols, y

    def _first(self) -> Day:
        count = len(self._own_vols)
        draw = generator(self._seed, _DAYS_SALT, self.first_row, self._draw)
        lasting = _SHOCKS / np.sqrt(2.0 * DECAY_PER_SESSION)
        x = 0.6 * lasting * draw.standard_normal(3)
        zero = np.zeros(count)
        return Day(
            row=self.first_row,
            sigma_annual=_spot_vol(x),
            market_before=0.0,
            market_open=0.0,
            market_close=0.0,
            jump=0.0,
            jump_at_fraction=0.5,
            x_before=x,
            x_open=x,
            x_close=x,
            own_before=zero,
            own_open=zero,
            own_close=zero,
            own_sigma_annual=self._own_vols,
            own_y=zero,
        )


def leverage_slopes(sigma_annual: float) -> Floats:
    """Return how much each volatility factor moves per unit of the market's log return."""
    return _SHOCKS * _LEVERAGE / (sigma_annual / math.sqrt(SESSIONS_PER_YEAR))


def _spot_vol(x: Floats) -> float:
    return SPOT_VOL_ANNUAL * math.sqrt(float(floored(x.sum())))


def _per_session(sigma_annual: float, share: float) -> float:
    return sigma_annual * math.sqrt(share / SESSIONS_PER_YEAR)


def _obey(
    log_return: float, night: float, day: float, night_part: float
) -> tuple[float, float, float]:
    """Keep the day's shape, shift it so that night and day add up to what is imposed."""
    missing = log_return - night - day
    return night + missing * night_part, day + missing * (1.0 - night_part), 0.0


def _step(
    x: Floats, *, climate: Climate, noise: Floats, share: float, log_return: float, sigma: float
) -> Floats:
    """Move the volatility factors through one part of a day."""
    usual = climate.drift_annual / SESSIONS_PER_YEAR * share
    surprise = max(-6.0, min(4.5, (log_return - usual) / _per_session(sigma, share)))
    by_size = min(surprise * surprise, 25.0) - 1.0
    own = np.sqrt(1.0 - _LEVERAGE**2) * noise
    shock = _SHOCKS * (_LEVERAGE * surprise + own) * math.sqrt(share) + _BY_SIZE * by_size * share
    centre = np.array(climate.vol_shift)
    moved = centre + (x - centre) * np.exp(-DECAY_PER_SESSION * share) + climate.shock_scale * shock
    result: Floats = np.clip(moved, -_X_MAX, _X_MAX)
    return result

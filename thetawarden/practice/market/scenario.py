"""Names the kinds of times a market can be told to have, and the shocks some of them contain.

A climate holds from some months before the start, so that the past fits; a script imposes closes
and VIX on the first sessions, along a line through its nodes with noise around it, and leaves the
market to itself afterwards. Scripts follow the shape of what happened in the months they are named
after, as anybody can read off the indices.
"""

from __future__ import annotations

import enum
import math
from typing import TypeAlias

import msgspec
import numpy as np

from thetawarden.practice.market.days import Climate, Imposed
from thetawarden.practice.market.noise import generator

Node: TypeAlias = tuple[int, float, float]
"""Sessions after the start, log return since the start, VIX at the close."""

LEAD_SESSIONS = 90
_SCRIPT_SALT = 61
_NOISE_FRACTION = 0.35
_VIX_NOISE = 0.025


class ScenarioName(enum.StrEnum):
    """What a user may ask for."""

    CALM = "calm"
    NORMAL = "normal"
    CHOPPY = "choppy"
    SELLOFF = "selloff"
    CRASH_2020_LIKE = "crash-2020-like"
    VOL_SPIKE_2018_LIKE = "vol-spike-2018-like"
    GRIND_DOWN = "grind-down"
    MELT_UP = "melt-up"


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of times; `vix_at_start` is where the history is made to end."""

    says: str
    vix_at_start: tuple[float, float]
    climate: Climate = Climate()
    script: tuple[Node, ...] = ()


SCENARIOS: dict[ScenarioName, Scenario] = {
    ScenarioName.CALM: Scenario(
        says="quiet months: VIX around 12, small days, hardly a jump",
        vix_at_start=(10.5, 13.5),
        climate=Climate(
            drift_annual=0.12,
            vol_shift=(-0.20, -0.48, -0.38),
            shock_scale=0.55,
            jumps_per_year=0.4,
            jump_mean=-0.010,
            jump_sd=0.010,
        ),
    ),
    ScenarioName.NORMAL: Scenario(
        says="the long run: whatever thirty-five years have held, from an ordinary day",
        vix_at_start=(14.0, 19.5),
    ),
    ScenarioName.CHOPPY: Scenario(
        says="no direction and restless: VIX in the low twenties, rallies and drops that cancel",
        vix_at_start=(18.0, 24.0),
        climate=Climate(
            drift_annual=0.0, vol_shift=(0.05, 0.22, 0.15), shock_scale=0.8, pull_per_session=0.10
        ),
    ),
    ScenarioName.SELLOFF: Scenario(
        says="a correction: 13 % down in six weeks, VIX to the middle thirties, half of it back",
        vix_at_start=(13.0, 18.0),
        script=(
            (1, 0.004, 15.5),
            (6, -0.025, 20.0),
            (11, -0.050, 22.5),
            (13, -0.035, 20.5),
            (19, -0.085, 29.0),
            (22, -0.070, 26.0),
            (28, -0.138, 36.5),
            (34, -0.105, 29.0),
            (48, -0.065, 22.0),
        ),
    ),
    ScenarioName.CRASH_2020_LIKE: Scenario(
        says="a crash: 34 % in five weeks from a high, VIX above 80, then a steep recovery",
        vix_at_start=(12.5, 17.0),
        script=(
            (1, 0.002, 14.4),
            (3, -0.014, 17.1),
            (4, -0.048, 25.0),
            (8, -0.137, 40.1),
            (10, -0.078, 33.4),
            (12, -0.130, 42.0),
            (13, -0.210, 54.5),
            (15, -0.213, 53.9),
            (16, -0.313, 75.5),
            (17, -0.224, 57.8),
            (18, -0.352, 82.7),
            (20, -0.345, 76.5),
            (23, -0.414, 61.6),
            (26, -0.255, 61.0),
            (32, -0.310, 50.9),
            (40, -0.190, 41.2),
            (50, -0.165, 35.9),
            (65, -0.110, 28.2),
        ),
    ),
    ScenarioName.VOL_SPIKE_2018_LIKE: Scenario(
        says="a volatility accident: from VIX 11 to 37 in two sessions on a fall of 6 %",
        vix_at_start=(9.5, 12.5),
        climate=Climate(vol_shift=(-0.05, -0.15, -0.15), shock_scale=0.7, jumps_per_year=1.0),
        script=(
            (1, 0.006, 11.1),
            (4, 0.010, 13.5),
            (5, -0.011, 17.3),
            (6, -0.053, 37.3),
            (7, -0.036, 30.0),
            (8, -0.041, 27.7),
            (9, -0.079, 33.5),
            (10, -0.064, 29.1),
            (14, -0.030, 19.3),
            (20, -0.018, 16.5),
            (30, -0.055, 24.9),
            (45, -0.035, 17.0),
        ),
    ),
    ScenarioName.GRIND_DOWN: Scenario(
        says="a slow bear: a third lost over a year and a half, VIX in the twenties, no panic",
        vix_at_start=(18.0, 24.0),
        climate=Climate(
            drift_annual=-0.27, vol_shift=(0.0, 0.22, 0.20), shock_scale=0.55, jumps_per_year=1.0
        ),
    ),
    ScenarioName.MELT_UP: Scenario(
        says="everything rises: a third gained in a year, VIX low, dips bought",
        vix_at_start=(11.0, 14.5),
        climate=Climate(
            drift_annual=0.32,
            vol_shift=(-0.05, -0.18, -0.18),
            shock_scale=0.65,
            jumps_per_year=0.8,
            jump_mean=-0.012,
            jump_sd=0.012,
        ),
    ),
}


class Script:
    """Imposes a scenario's nodes on the sessions after the start."""

    def __init__(self, *, seed: int, start_row: int, nodes: tuple[Node, ...]) -> None:
        self._seed, self._start_row = seed, start_row
        sessions, logs, vix = ([node[n] for node in nodes] for n in range(3))
        self._sessions = np.array([-1, *sessions])
        self._logs = np.array([0.0, *logs])
        self._vix = np.array([vix[0] if vix else 0.0, *vix])
        self._last = sessions[-1] if sessions else -1

    def imposed_on(self, row: int) -> Imposed | None:
        """Return what the script says about a row, or None before its start and after its end."""
        session = row - self._start_row
        if not 0 <= session <= self._last:
            return None
        before, now = self._level(session - 1), self._level(session)
        vix = math.exp(float(np.interp(session, self._sessions, np.log(self._vix))))
        noise = float(generator(self._seed, _SCRIPT_SALT, row, 1).standard_normal())
        return Imposed(log_return=now - before, vix=vix * math.exp(_VIX_NOISE * noise))

    def _level(self, session: int) -> float:
        """The line through the nodes, noisy between them, exact at the start and at nodes."""
        smooth = float(np.interp(session, self._sessions, self._logs))
        if session in self._sessions:
            return smooth
        vix = float(np.interp(session, self._sessions, self._vix))
        draw = generator(self._seed, _SCRIPT_SALT, self._start_row + session)
        noise = float(draw.standard_normal())
        return smooth + noise * _NOISE_FRACTION * vix / 100.0 / math.sqrt(252.0)

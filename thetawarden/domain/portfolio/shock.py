"""One scenario of the market; loaded with every configuration, so without numpy."""

from __future__ import annotations

from typing import Final

import msgspec


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the world: VIX becomes vix * `vix_factor` + `vix_points`."""

    name: str
    index_return: float = 0.0
    vix_points: float = 0.0
    vix_factor: float = 1.0
    sector_returns: dict[int, float] = {}
    rate_shift_annual: float = 0.0
    yield_shift_annual: float = 0.0
    days_forward: float = 0.0


STANDARD_SCENARIOS: Final = (
    Scenario(name="index -3 %, VIX +5", index_return=-0.03, vix_points=5.0),
    Scenario(name="index -5 %, VIX +10", index_return=-0.05, vix_points=10.0),
    Scenario(name="index -10 %, VIX +20", index_return=-0.10, vix_points=20.0),
    Scenario(name="index -20 %, VIX +40", index_return=-0.20, vix_points=40.0),
    Scenario(name="index flat, VIX doubles", vix_factor=2.0),
)


MARGIN_STRESS: Final = Scenario(name="index -10 %, VIX doubles", index_return=-0.10, vix_factor=2.0)

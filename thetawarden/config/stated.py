"""States every limit of the risk section so that two configurations can be compared for safety.

Decides only which way each key must change to allow more; a key is missing from no list.
"""

from __future__ import annotations

from typing import Final

import msgspec

from thetawarden.config.risk import RiskConfig, Section
from thetawarden.domain.risk.loosening import Looser, StatedLimit

SMALLER_ALLOWS_MORE: Final = frozenset(
    {
        "sizing.marginal_premium_fraction",
        "greeks.theta_per_index_delta_min_usd",
        "margin.excess_liquidity_min_fraction",
        "recovery.pause_weeks",
        "recovery.half_until_weeks",
        "recovery.most_until_weeks",
        "recovery.recovered_fraction",
        "concentration.same_entry_s",
        "orders.duplicate_s",
        "live.readiness_min_points",
    }
)
NO_LIMITS: Final = frozenset(
    {"greeks.theta_min_fraction", "stress.map_spot_fraction", "stress.map_vix_points"}
)
"""What is aimed at, and how a picture is drawn."""
FACTS: Final = frozenset({"known"})
"""Sections that say what is known of underlyings, and limit nothing."""


def stated_limits(config: RiskConfig) -> tuple[StatedLimit, ...]:
    """Return every limit, by the name it has in the configuration file."""
    found = []
    for group in config.__struct_fields__:
        section = getattr(config, group)
        if group in FACTS or not isinstance(section, Section):
            continue
        for key in section.__struct_fields__:
            path = f"{group}.{key}"
            if path not in NO_LIMITS:
                found.append(_stated(path, getattr(section, key)))
    return tuple(found)


def _stated(path: str, value: object) -> StatedLimit:
    words = msgspec.json.encode(value).decode()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return StatedLimit(name=f"risk.{path}", words=words, looser=Looser.ANY)
    looser = Looser.LESS if path in SMALLER_ALLOWS_MORE else Looser.MORE
    return StatedLimit(name=f"risk.{path}", words=words, looser=looser, amount=float(value))

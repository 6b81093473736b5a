"""How old prices, link and clock may become; loaded with every configuration, so without numpy."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND


class FreshnessLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How old what may become, in market time; `first_ns_max` until there is a first price.

    Nothing is entered on what was never priced, so that the first may take its time.
    """

    price_ns_max: int = 120 * NS_PER_SECOND
    first_ns_max: int = 120 * NS_PER_SECOND
    held_ns_max: int = 120 * NS_PER_SECOND
    link_down_ns_max: int = 60 * NS_PER_SECOND
    clock_skew_ns_max: int = 5 * NS_PER_SECOND
    skews_in_a_row: int = 2
    leap_ns_max: int = 30 * NS_PER_SECOND

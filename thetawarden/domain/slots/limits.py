"""What the ledger of lines keeps to; loaded with every configuration, so without numpy."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND


class LineLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps to.

    Of `lines_max` places, `reserve` are left for positions and orders. A line is not taken from
    its owner for another of its class before `hold_ns`, nor given back before nobody has wanted it
    for `linger_ns`, unless its place is needed. A snapshot not reported within
    `snapshot_patience_ns` is forgotten. What was refused is asked for again after `retry_ns`,
    doubling up to `retry_ns_max`; what the broker does not sell, only after the latter.
    """

    lines_max: int = 100
    reserve: int = 5
    hold_ns: int = 15 * NS_PER_SECOND
    linger_ns: int = 5 * NS_PER_SECOND
    rotation_ns: int = 10 * NS_PER_SECOND
    rotation_batch: int = 20
    snapshots_max: int = 20
    snapshot_gap_ns: int = round(NS_PER_SECOND / 15)
    snapshot_refresh_ns_min: int = 2 * NS_PER_SECOND
    snapshot_patience_ns: int = 72 * NS_PER_SECOND
    retry_ns: int = 30 * NS_PER_SECOND
    retry_ns_max: int = 30 * NS_PER_MINUTE
    learned_for_ns: int = 4 * NS_PER_HOUR

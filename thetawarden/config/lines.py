"""Every number of the market data lines a person may set, and the limits that follow from them.

Durations are seconds of the machine; a practice market that runs faster is asked no more often.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.slots.limits import LineLimits


class LinesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Market data lines: who may stream at once, and how often the others are asked for."""

    limit: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Lines the broker gives this login; 100 unless bought."),
    ] = 100
    reserve: Annotated[
        int,
        Meta(ge=0, le=1000, description="Lines left free for positions and orders, of the limit."),
    ] = 5
    flush_ms: Annotated[
        float,
        Meta(ge=1, le=5000, description="Ticks of an underlying within this time are one message."),
    ] = 50.0
    hold_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="A line stays this long before an equal may take it."),
    ] = 15.0
    linger_s: Annotated[
        float, Meta(ge=0, le=600, description="A line nobody wants is kept open this long.")
    ] = 5.0
    rotation_s: Annotated[
        float, Meta(ge=1, le=3600, description="Scanned instruments take turns this often.")
    ] = 10.0
    rotated_max: Annotated[
        int, Meta(ge=1, le=1000, description="Lines that change hands at one turn, at most.")
    ] = 20
    snapshots_max: Annotated[
        int, Meta(ge=1, le=1000, description="Snapshots that may be out at the same time.")
    ] = 20
    snapshots_per_s: Annotated[
        float, Meta(ge=0.1, le=40, description="Snapshots asked for in a second, on average.")
    ] = 15.0
    snapshot_timeout_s: Annotated[
        float,
        Meta(ge=11, le=120, description="Wait for a snapshot; the broker may take 11 seconds."),
    ] = 12.0
    delayed: Annotated[
        bool,
        Meta(description="Take delayed quotes where no live ones are to be had; never traded on."),
    ] = True


SENDING_S = 60.0
"""How long a batch of snapshots may wait for its turns to be sent, at the slowest pace."""


def line_limits(config: LinesConfig, *, speed: float = 1.0) -> LineLimits:
    """Return what the ledger keeps to on a market that runs `speed` times as fast as we do."""

    def ns(seconds: float) -> int:
        return round(seconds * speed * NS_PER_SECOND)

    usual = LineLimits()
    return LineLimits(
        lines_max=config.limit,
        reserve=config.reserve,
        hold_ns=ns(config.hold_s),
        linger_ns=ns(config.linger_s),
        rotation_ns=ns(config.rotation_s),
        rotation_batch=config.rotated_max,
        snapshots_max=config.snapshots_max,
        snapshot_gap_ns=ns(1.0 / config.snapshots_per_s),
        snapshot_refresh_ns_min=round(usual.snapshot_refresh_ns_min * speed),
        snapshot_patience_ns=ns(config.snapshot_timeout_s + SENDING_S),
        retry_ns=round(usual.retry_ns * speed),
        retry_ns_max=round(usual.retry_ns_max * speed),
        learned_for_ns=round(usual.learned_for_ns * speed),
    )

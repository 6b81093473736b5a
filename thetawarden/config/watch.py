"""What a person may set about watching: how old a price may be, and when the guardian steps in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.vitals import VitalLimits

if TYPE_CHECKING:
    from thetawarden.config.schema import DeskConfig

MACHINE_S_MIN, FIRST_MACHINE_S_MIN = 20.0, 90.0
"""However fast the market runs, a price has at least this long of our own time to arrive; the
first one of all, for which chains must be found, has longer."""

LEAP_S = 30.0  # between two looks, of market time: more of it passed than anybody could watch
DEAF_S = 10.0  # an actor that takes nothing of what waits for it
DOWN_S = 40.0  # an actor that does not run: longer than the longest wait before a restart


class WatchConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the watchdog halts for. Ages count while the session is open only."""

    price_age_s: Annotated[
        float,
        Meta(ge=5, le=3600, description="Without a price of an underlying or the VIX: halt."),
    ] = 120.0
    held_age_s: Annotated[
        float, Meta(ge=5, le=3600, description="Without a quote of an option that is held: halt.")
    ] = 120.0
    link_down_s: Annotated[
        float, Meta(ge=5, le=3600, description="Without a link while the market is open: halt.")
    ] = 60.0
    clock_skew_s: Annotated[
        float, Meta(ge=1, le=600, description="Our clock and the broker's further apart: halt.")
    ] = 5.0
    log_lag_s: Annotated[
        float, Meta(ge=0.1, le=600, description="The message log further behind than this: halt.")
    ] = 5.0
    disk_mb_min: Annotated[
        int, Meta(ge=0, le=1_048_576, description="Less free disk than this: halt.")
    ] = 512
    files_left_min: Annotated[
        int, Meta(ge=0, le=100_000, description="Fewer files and sockets left to open: halt.")
    ] = 64
    memory_mb_max: Annotated[
        int, Meta(ge=0, le=1_048_576, description="More memory in use: halt; 0 for no limit.")
    ] = 0
    link_loop_s: Annotated[
        float,
        Meta(ge=1, le=600, description="The thread that owns the link hung for longer: halt."),
    ] = 5.0
    erring_s: Annotated[
        float,
        Meta(ge=1, le=86400, description="A failure the desk lives with is shown this long."),
    ] = 600.0


class GuardianConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process beside the desk that acts when the desk itself is silent."""

    enabled: Annotated[bool, Meta(description="Start it with the desk.")] = True
    silence_s: Annotated[
        float,
        Meta(ge=2, le=600, description="Not a sign of life of the desk for longer: it acts."),
    ] = 15.0
    client_id: Annotated[
        int, Meta(ge=1, le=999, description="Its own number at the gateway, for looking.")
    ] = 917
    may_kill: Annotated[
        bool,
        Meta(
            description="It may end a silent desk, whose number alone can cancel single orders;"
            " without, it cancels only where nothing but entries works."
        ),
    ] = True
    act_within_s: Annotated[
        float, Meta(ge=5, le=600, description="It tries to reach the gateway for this long.")
    ] = 60.0


def freshness_limits(watch: WatchConfig, *, speed: float) -> FreshnessLimits:
    """The watchdog's limits in market time, on a market of this speed."""

    def market(seconds: float, *, least: float = MACHINE_S_MIN) -> int:
        return round(max(seconds, least * speed if speed > 1 else 0.0) * NS_PER_SECOND)

    return FreshnessLimits(
        price_ns_max=market(watch.price_age_s),
        first_ns_max=market(watch.price_age_s, least=FIRST_MACHINE_S_MIN),
        held_ns_max=market(watch.held_age_s),
        link_down_ns_max=market(watch.link_down_s),
        leap_ns_max=market(LEAP_S),
        clock_skew_ns_max=market(watch.clock_skew_s),
    )


def vital_limits(watch: WatchConfig, desk: DeskConfig) -> VitalLimits:
    """The watchdog's limits on the desk itself, in machine time."""
    return VitalLimits(
        busy_ns_max=_ns(desk.handler_budget_s),
        log_lag_ns_max=_ns(watch.log_lag_s),
        disk_free_bytes_min=watch.disk_mb_min * 2**20,
        link_loop_silent_ns_max=_ns(watch.link_loop_s),
        files_left_min=watch.files_left_min,
        memory_bytes_max=watch.memory_mb_max * 2**20,
        deaf_looks_max=max(3, round(DEAF_S / desk.heartbeat_s)),
        down_looks_max=max(3, round(DOWN_S / desk.heartbeat_s)),
    )


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

"""Decides from the desk's own vital signs whether it is still fit to trade.

Pure. Ages are nanoseconds of machine time; a missing or impossible reading is never read as health.
What is grave halts; what is minor shows that the desk lives but errs.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec


class ActorVitals(msgspec.Struct, frozen=True, kw_only=True):
    """One actor as its host sees it: idle (`busy_ns` 0), at work, stuck or flooded.

    A paused one takes control messages only, so what waits for it proves nothing.
    """

    actor: str
    incarnation: int
    handled: int
    busy_ns: int
    queued: int
    paused: bool = False


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the whole desk.

    `down` are the actors that do not run. `late_ns` is by how much this look came after its time,
    `link_loop_silent_ns` how long the thread that owns the broker's socket has not turned.
    `files_left` is how many files and sockets may still be opened; None was not looked at.
    """

    actors: tuple[ActorVitals, ...]
    log_lag_ns: int
    disk_free_bytes: int
    down: tuple[str, ...] = ()
    late_ns: int = 0
    link_loop_silent_ns: int = 0
    files_left: int | None = None
    memory_bytes: int | None = None


class VitalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What still counts as healthy; `memory_bytes_max` 0 watches no memory."""

    busy_ns_max: int = 10 * 1_000_000_000
    queued_max: int = 50_000
    log_lag_ns_max: int = 5 * 1_000_000_000
    disk_free_bytes_min: int = 512 * 1024 * 1024
    late_ns_max: int = 2 * 1_000_000_000
    link_loop_silent_ns_max: int = 5 * 1_000_000_000
    files_left_min: int = 64
    memory_bytes_max: int = 0
    deaf_looks_max: int = 10
    down_looks_max: int = 40


class Ailment(enum.StrEnum):
    """What is wrong."""

    STUCK = "stuck"
    FLOODED = "flooded"
    FILLING = "filling"
    DEAF = "deaf"
    DOWN = "down"
    LOG_BEHIND = "log_behind"
    DISK_LOW = "disk_low"
    NOTHING_RUNS = "nothing_runs"
    LINK_LOOP_STUCK = "link_loop_stuck"
    FILES_LOW = "files_low"
    MEMORY_HIGH = "memory_high"
    LATE = "late"
    LINK_DOWN = "link_down"
    PRICE_STALE = "price_stale"
    CLOCK_SKEWED = "clock_skewed"


class Weight(enum.StrEnum):
    """What a finding demands: a halt, or that a person sees that the desk errs."""

    GRAVE = "grave"
    MINOR = "minor"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One ailment with the words a person reads; `of` is whose it is, empty for the desk's."""

    ailment: Ailment
    words: str
    weight: Weight = Weight.GRAVE
    of: str = ""


class Stillness(msgspec.Struct, frozen=True, kw_only=True):
    """Since how many looks an actor has taken nothing of what waits for it, or is not there."""

    handled: int
    looks: int


def examine(
    vitals: Vitals, limits: VitalLimits, still: dict[str, Stillness] | None = None
) -> tuple[Finding, ...]:
    """All that is wrong, worst news first; empty means fit to trade."""
    found = [*_actors(vitals, limits, still or {}), *_machine(vitals, limits)]
    return tuple(sorted(found, key=lambda each: each.weight is Weight.MINOR))


def stillness(before: dict[str, Stillness], vitals: Vitals) -> dict[str, Stillness]:
    """Count on for each actor that waits without handling, or is down; the others are left out.

    An incarnation that is replaced counts from the beginning, as its handled messages show.
    """
    after: dict[str, Stillness] = {}
    for actor in vitals.actors:
        if actor.queued and not actor.paused and actor.busy_ns == 0:
            after[actor.actor] = _counted(before.get(actor.actor), actor.handled)
    for name in vitals.down:
        after[name] = _counted(before.get(name), -1)
    return after


def _counted(before: Stillness | None, handled: int) -> Stillness:
    if before is None or before.handled != handled:
        return Stillness(handled=handled, looks=0)
    return Stillness(handled=handled, looks=before.looks + 1)


def _actors(vitals: Vitals, limits: VitalLimits, still: dict[str, Stillness]) -> Iterator[Finding]:
    if not vitals.actors:
        yield Finding(ailment=Ailment.NOTHING_RUNS, words="no actor reports")
    for actor in vitals.actors:
        yield from _examine_actor(actor, limits)
        if _looks(still.get(actor.actor)) >= limits.deaf_looks_max:
            words = f"{actor.actor} takes none of {actor.queued} messages that wait for it"
            yield Finding(ailment=Ailment.DEAF, words=words, of=actor.actor)
    for name in vitals.down:
        if _looks(still.get(name)) >= limits.down_looks_max:
            words = f"{name} has not been running for {limits.down_looks_max} looks"
            yield Finding(ailment=Ailment.DOWN, words=words, of=name)


def _looks(still: Stillness | None) -> int:
    return 0 if still is None else still.looks


def _machine(vitals: Vitals, limits: VitalLimits) -> Iterator[Finding]:
    if not 0 <= vitals.log_lag_ns <= limits.log_lag_ns_max:
        words = f"message log is {_seconds(vitals.log_lag_ns, limits.log_lag_ns_max, 'behind')}"
        yield Finding(ailment=Ailment.LOG_BEHIND, words=words)
    if vitals.disk_free_bytes < limits.disk_free_bytes_min:
        words = (
            f"{vitals.disk_free_bytes / 2**20:.0f} MiB of disk left,"
            f" at least {limits.disk_free_bytes_min / 2**20:.0f} MiB needed"
        )
        yield Finding(ailment=Ailment.DISK_LOW, words=words)
    if not 0 <= vitals.link_loop_silent_ns <= limits.link_loop_silent_ns_max:
        silent = _seconds(vitals.link_loop_silent_ns, limits.link_loop_silent_ns_max, "silent")
        words = f"the thread that owns the broker's link is {silent}"
        yield Finding(ailment=Ailment.LINK_LOOP_STUCK, words=words)
    if vitals.files_left is not None and vitals.files_left < limits.files_left_min:
        words = (
            f"{vitals.files_left} more files or sockets can be opened,"
            f" at least {limits.files_left_min} needed"
        )
        yield Finding(ailment=Ailment.FILES_LOW, words=words)
    used, most = vitals.memory_bytes, limits.memory_bytes_max
    if most > 0 and (used is None or used > most):
        told = "an unknown amount" if used is None else f"{used / 2**20:.0f} MiB"
        words = f"the desk uses {told} of memory, at most {most / 2**20:.0f} MiB allowed"
        yield Finding(ailment=Ailment.MEMORY_HIGH, words=words)
    if vitals.late_ns > limits.late_ns_max:
        late = _seconds(vitals.late_ns, limits.late_ns_max, "late")
        words = f"the look at the actors came {late}: the process was held up"
        yield Finding(ailment=Ailment.LATE, words=words, weight=Weight.MINOR)


def _examine_actor(actor: ActorVitals, limits: VitalLimits) -> Iterator[Finding]:
    if not 0 <= actor.busy_ns <= limits.busy_ns_max:
        words = (
            f"{actor.actor} has been handling one message for {actor.busy_ns / 1e9:.1f} s,"
            f" at most {limits.busy_ns_max / 1e9:.1f} s allowed"
        )
        yield Finding(ailment=Ailment.STUCK, words=words, of=actor.actor)
    if actor.queued > limits.queued_max:
        words = f"{actor.actor} has {actor.queued} messages waiting, at most {limits.queued_max}"
        yield Finding(ailment=Ailment.FLOODED, words=words, of=actor.actor)
    elif actor.queued > limits.queued_max // 2:
        words = f"{actor.actor} has {actor.queued} messages waiting, half of what is allowed"
        yield Finding(ailment=Ailment.FILLING, words=words, weight=Weight.MINOR, of=actor.actor)


def _seconds(found_ns: int, allowed_ns: int, what: str) -> str:
    return f"{found_ns / 1e9:.1f} s {what}, at most {allowed_ns / 1e9:.1f} s allowed"

"""Decides from the desk's own vital signs whether it is still fit to trade.

Pure. Ages are nanoseconds; a missing or impossible reading is never read as health.
"""

from __future__ import annotations

import enum

import msgspec


class ActorVitals(msgspec.Struct, frozen=True, kw_only=True):
    """One actor as its host sees it: idle (`busy_ns` 0), at work, stuck or flooded."""

    actor: str
    incarnation: int
    handled: int
    busy_ns: int
    queued: int


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the whole desk."""

    actors: tuple[ActorVitals, ...]
    log_lag_ns: int
    disk_free_bytes: int


class VitalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What still counts as healthy."""

    busy_ns_max: int = 10 * 1_000_000_000
    queued_max: int = 50_000
    log_lag_ns_max: int = 5 * 1_000_000_000
    disk_free_bytes_min: int = 512 * 1024 * 1024


class Ailment(enum.StrEnum):
    """What is wrong."""

    STUCK = "stuck"
    FLOODED = "flooded"
    LOG_BEHIND = "log_behind"
    DISK_LOW = "disk_low"
    NOTHING_RUNS = "nothing_runs"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One ailment with the words a person reads."""

    ailment: Ailment
    words: str


def examine(vitals: Vitals, limits: VitalLimits) -> tuple[Finding, ...]:
    """All that is wrong, worst news first; empty means fit to trade."""
    findings = []
    if not vitals.actors:
        findings.append(Finding(ailment=Ailment.NOTHING_RUNS, words="no actor reports"))
    for actor in vitals.actors:
        findings.extend(_examine_actor(actor, limits))
    if not 0 <= vitals.log_lag_ns <= limits.log_lag_ns_max:
        words = (
            f"message log is {vitals.log_lag_ns / 1e9:.1f} s behind,"
            f" at most {limits.log_lag_ns_max / 1e9:.1f} s allowed"
        )
        findings.append(Finding(ailment=Ailment.LOG_BEHIND, words=words))
    if vitals.disk_free_bytes < limits.disk_free_bytes_min:
        words = (
            f"{vitals.disk_free_bytes / 2**20:.0f} MiB of disk left,"
            f" at least {limits.disk_free_bytes_min / 2**20:.0f} MiB needed"
        )
        findings.append(Finding(ailment=Ailment.DISK_LOW, words=words))
    return tuple(findings)


def _examine_actor(actor: ActorVitals, limits: VitalLimits) -> list[Finding]:
    findings = []
    if not 0 <= actor.busy_ns <= limits.busy_ns_max:
        words = (
            f"{actor.actor} has been handling one message for {actor.busy_ns / 1e9:.1f} s,"
            f" at most {limits.busy_ns_max / 1e9:.1f} s allowed"
        )
        findings.append(Finding(ailment=Ailment.STUCK, words=words))
    if actor.queued > limits.queued_max:
        words = f"{actor.actor} has {actor.queued} messages waiting, at most {limits.queued_max}"
        findings.append(Finding(ailment=Ailment.FLOODED, words=words))
    return findings

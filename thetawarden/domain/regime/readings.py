"""Decides whether a figure may be used at all: it is there, it is a number, it is fresh.

A reading carries the instant it was true. VIX figures are points, prices USD or index points.
"""

from __future__ import annotations

import enum
import math

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs

SKEW_NS_MAX = NS_PER_SECOND
"""A reading this far ahead of us is a clock's inaccuracy; further ahead it is a fault."""


class InputFault(enum.StrEnum):
    """Why a figure may not be used."""

    MISSING = "missing"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    STALE = "stale"
    FROM_THE_FUTURE = "from_the_future"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A figure and the instant at which it was true."""

    value: float
    at_ns: UnixNs


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Which input could not be used, and why."""

    name: str
    fault: InputFault


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Between which values, both included, a figure can lie at all, and how old it may be."""

    age_ns_max: int
    value_min: float
    value_max: float


class Usable(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that may be used, by name, and the faults of the others."""

    values: dict[str, float]
    faults: tuple[Fault, ...]


def fault_of(*, reading: Reading | None, now_ns: int, bounds: Bounds) -> InputFault | None:
    """Return why a reading may not be used, or None when it may."""
    if reading is None:
        return InputFault.MISSING
    if not math.isfinite(reading.value):
        return InputFault.NOT_FINITE
    if not bounds.value_min <= reading.value <= bounds.value_max:
        return InputFault.OUT_OF_RANGE
    age_ns = now_ns - reading.at_ns
    if age_ns > bounds.age_ns_max:
        return InputFault.STALE
    return InputFault.FROM_THE_FUTURE if age_ns < -SKEW_NS_MAX else None


def sift(*, readings: dict[str, Reading | None], now_ns: int, bounds: Bounds) -> Usable:
    """Part the readings that may be used from those that may not; the order is kept."""
    values: dict[str, float] = {}
    faults: list[Fault] = []
    for name, reading in readings.items():
        fault = fault_of(reading=reading, now_ns=now_ns, bounds=bounds)
        if reading is not None and fault is None:
            values[name] = reading.value
        elif fault is not None:
            faults.append(Fault(name=name, fault=fault))
    return Usable(values=values, faults=tuple(faults))

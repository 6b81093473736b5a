"""Decides which brakes newly halt: each halts once, and again only after it had let go.

Pure. A person who resumes while a brake still stands at its limit is not halted again by the very
same loss: entries stay refused by it anyway, and what reduces risk is let through.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.risk.brakes import Brake, BrakeDemand, BrakeLevel, BrakeName
from thetawarden.domain.risk.posture import Caution

HALTING = (BrakeDemand.HALT, BrakeDemand.HALT_FOR_REVIEW)
BY_BRAKE = "risk brake"


class Trips(msgspec.Struct, frozen=True, kw_only=True):
    """The brakes that halt now, and all that stand at their limits."""

    new: tuple[Brake, ...]
    tripped: tuple[BrakeName, ...]


def trips_of(brakes: tuple[Brake, ...], tripped: tuple[BrakeName, ...]) -> Trips:
    """Return which brakes halt; one that cannot be read stays as it was."""
    standing = []
    new = []
    for one in brakes:
        if one.level is BrakeLevel.UNKNOWN and one.name in tripped:
            standing.append(one.name)
        elif one.demand in HALTING:
            standing.append(one.name)
            if one.name not in tripped:
                new.append(one)
    return Trips(new=tuple(new), tripped=tuple(standing))


def cautions_of(
    brakes: tuple[Brake, ...], cautions: tuple[Caution, ...], *, at_ns: int
) -> tuple[Caution, ...]:
    """Return the cautions with those of brakes as they stand; they come and go with their cause."""
    others = tuple(one for one in cautions if one.by != BY_BRAKE)
    before = {one.reason: one for one in cautions if one.by == BY_BRAKE}
    told = [
        f"{one.name.value.replace('_', ' ')} is at its limit"
        for one in brakes
        if one.demand is BrakeDemand.BE_CAUTIOUS
    ]
    return (
        *others,
        *(before.get(why, Caution(reason=why, by=BY_BRAKE, at_ns=at_ns)) for why in told),  # type: ignore[arg-type]
    )

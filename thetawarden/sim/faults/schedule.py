"""Which faults strike when: drawn from a seed, or given; each is played at its minute and ended."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.sim.faults import data, moments, network, orders, people, process, storage
from thetawarden.sim.faults.kinds import A_DAY_MIN, Family, FaultKind, Planned, Undo

if TYPE_CHECKING:
    from thetawarden.sim.world import World

CATALOGUE: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        *network.KINDS,
        *data.KINDS,
        *orders.KINDS,
        *process.KINDS,
        *storage.KINDS,
        *people.KINDS,
        *moments.KINDS,
    )
}
SESSION_MIN = 390
FIRST_MIN = 45
DURATIONS_MIN = (4, 8, 20, 60, 120)
PER_DAY = (2, 9)


def draw_schedule(
    rng: np.random.Generator, *, days: int, families: frozenset[Family]
) -> tuple[Planned, ...]:
    """Some faults of every day's session, of all nights fewer."""
    kinds = [kind for kind in CATALOGUE.values() if kind.family in families]
    weights = np.array([kind.weight for kind in kinds], dtype=float)
    planned = []
    for day in range(days):
        for _ in range(int(rng.integers(*PER_DAY))):
            begins = day * A_DAY_MIN
            span = SESSION_MIN if rng.random() < 0.9 else A_DAY_MIN
            at_min = begins + int(rng.integers(FIRST_MIN if day == 0 else 0, span))
            kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
            duration = DURATIONS_MIN[int(rng.integers(len(DURATIONS_MIN)))]
            duration = max(duration, kind.lasts_min)
            pick = int(rng.integers(2**16))
            planned.append(Planned(at_min=at_min, name=kind.name, for_min=duration, pick=pick))
    return tuple(sorted(planned, key=lambda one: (one.at_min, one.name)))


class Stage:
    """Plays a schedule in a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._playing: dict[int, Undo] = {}
        self._count = 0

    def plan(self, schedule: Iterable[Planned], *, until_min: int) -> None:
        """Put everything before a minute on the world's agenda."""
        for planned in schedule:
            if planned.at_min < until_min:
                due_ns = 1 + planned.at_min * NS_PER_MINUTE
                self._world.agenda.at(due_ns, partial(self._begin, planned))

    def heal(self) -> None:
        """End whatever is still being played."""
        for number in list(self._playing):
            self._end(number)

    def _begin(self, planned: Planned) -> None:
        undo = CATALOGUE[planned.name].begin(self._world, planned)
        if undo is None:
            return
        self._count += 1
        number = self._count
        self._playing[number] = undo
        ends_ns = self._world.clock.elapsed_ns() + planned.for_min * NS_PER_MINUTE
        self._world.agenda.at(ends_ns, lambda: self._end(number))

    def _end(self, number: int) -> None:
        undo = self._playing.pop(number, None)
        if undo is not None:
            undo()

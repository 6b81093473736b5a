"""Disks that are full or tear a file, states of another version, a store with two desks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo
from thetawarden.sim.faults.people import resume
from thetawarden.sim.space import RESERVE_ENTRIES

if TYPE_CHECKING:
    from thetawarden.sim.world import World

RESUMED_MIN = 40
"""After a person has freed a disk and begun the desk anew, so long until the halt is lifted."""
RESERVES = (RESERVE_ENTRIES, RESERVE_ENTRIES, RESERVE_ENTRIES // 10, 20)
"""In entries of the log; one that is used up ends the process, and none begins while it is full."""
SHARES = 97
"""Of the last, unfinished write some part is there; drawn in so many steps."""


def _tear(world: World, planned: Planned) -> None:
    """The process is killed while it writes: the file ends within a transaction."""
    world.disk.tear((1 + planned.pick % SHARES) / (1 + SHARES))
    world.meddler.kill_at_commit()


def _outdate(world: World, _planned: Planned) -> None:
    """The desk is brought to another version, which cannot use what this one kept of states."""
    world.disk.outdate()
    world.begin_anew()


def _fill(world: World, planned: Planned) -> Undo:
    """Somebody frees the disk later, begins the desk anew, and lifts the halt."""
    world.space.fill(RESERVES[planned.pick % len(RESERVES)])

    def free() -> None:
        world.space.free()
        world.begin_anew()
        resumed_ns = world.clock.elapsed_ns() + RESUMED_MIN * NS_PER_MINUTE
        world.agenda.at(resumed_ns, lambda: resume(world))

    return free


def _start_another(world: World, _planned: Planned) -> None:
    world.start_another()


def _no_lake(world: World, _planned: Planned) -> Undo:
    world.failing.add("lake")
    return lambda: world.failing.discard("lake")


def _no_alerts(world: World, _planned: Planned) -> Undo:
    world.failing.add("alerts")
    return lambda: world.failing.discard("alerts")


_kind = Kinds(Family.STORAGE).kind

KINDS = (
    _kind(
        "S01",
        "torn-tail",
        "the process dies within a write, part of which is there",
        _tear,
        weight=4,
    ),
    _kind(
        "S04", "old-snapshots", "the next process cannot use the states that were kept", _outdate
    ),
    _kind("P07", "disk-full", "the disk is full", _fill),
    _kind("H03", "second-desk", "somebody starts another desk on the same store", _start_another),
    _kind("S08", "no-lake", "the lake refuses everything", _no_lake),
    _kind("channel", "no-alerts", "no alert can be delivered", _no_alerts),
)

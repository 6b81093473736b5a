"""Bugs planted in what keeps the desk's past: its store and the states it kept.

Patches like those of `planted`, hunted together with them.
"""

from typing import Any

from tests.sim.planted import Bug
from thetawarden.infra import store_lock
from thetawarden.infra.journal import recover
from thetawarden.sim.faults.kinds import Planned


def _locks_nothing(_original: Any) -> Any:
    return lambda _descriptor, **_named: True


def _forgets_what_it_passes_over(original: Any) -> Any:
    def take_latest(name: Any, actor: Any, snapshots: Any, fits: Any) -> Any:
        passed_over = original(name, actor, snapshots, fits)
        if passed_over and snapshots:
            actor.snapshot_n = snapshots[-1].n
        return passed_over

    return take_latest


BUGS = (
    Bug(
        "two desks",
        "a second desk is let into the store",
        ("I21",),
        ((store_lock, "_locked", _locks_nothing),),
        (Planned(name="second-desk", at_min=100, for_min=4, pick=0),),
    ),
    Bug(
        "past passed over",
        "with a state that cannot be used, all that came before it is forgotten",
        ("I07",),
        ((recover, "_take_latest", _forgets_what_it_passes_over),),
        (Planned(name="old-snapshots", at_min=150, for_min=4, pick=0),),
    ),
)

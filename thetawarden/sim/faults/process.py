"""Actors that crash and hang, processes that die, clocks that are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo
from thetawarden.sim.meddling import Mishap

if TYPE_CHECKING:
    from thetawarden.sim.world import World

TRADING = ("connection", "keeper", "governor", "executor")
OTHERS = (
    "slots",
    "context",
    "futures",
    "regime",
    "strategist",
    "notifier",
    "watchdog",
    "chain/XSP",
)
HANGING = (*TRADING, *OTHERS, *("executor",) * 4)
POINTS_MAX = 60
CLOCK_JUMPS_S = (-3600, -61, -1, 1, 61, 3600)


def _crash(world: World, planned: Planned) -> None:
    actors = TRADING + OTHERS
    world.meddler.strike(actors[planned.pick % len(actors)], Mishap.CRASH)


def _crash_often(world: World, planned: Planned) -> None:
    """So often that its group gives up."""
    for _ in range(6):
        world.meddler.strike(TRADING[planned.pick % len(TRADING)], Mishap.CRASH)


def _hang(world: World, planned: Planned) -> None:
    world.meddler.strike(HANGING[planned.pick % len(HANGING)], Mishap.HANG)


def _kill(world: World, planned: Planned) -> None:
    world.meddler.kill_after(1 + planned.pick % POINTS_MAX)


def _kill_an_order(world: World, planned: Planned) -> None:
    """The process ends around the next order: before or after its intent, its bytes."""
    world.meddler.kill_at_order(planned.pick)


def _set_clock(world: World, planned: Planned) -> Undo:
    jump_s = CLOCK_JUMPS_S[planned.pick % len(CLOCK_JUMPS_S)]
    world.clock.set_back_or_forth(jump_s * NS_PER_SECOND)
    return lambda: world.clock.set_back_or_forth(-jump_s * NS_PER_SECOND)


_kind = Kinds(Family.PROCESS).kind

KINDS = (
    _kind("P01", "crash", "an actor raises", _crash, weight=6),
    _kind("P03", "crash-loop", "an actor raises over and over", _crash_often),
    _kind("P02", "hang", "an actor does not return, or only when it is too late", _hang, weight=5),
    _kind("P05", "kill", "the process is killed at some step", _kill, weight=4),
    _kind(
        "P05", "kill-at-order", "the process is killed around an order", _kill_an_order, weight=9
    ),
    Kinds(Family.CLOCK).kind("P09", "clock-set", "somebody sets the clock", _set_clock),
)

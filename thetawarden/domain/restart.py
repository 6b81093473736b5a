"""Decides what a supervisor does when a child ends: restart whom, after how long, or give up.

Pure: the caller brings the history, the instant and the random fraction. Semantics follow
Erlang/OTP: more than `intensity` restarts within `period_ns` means the group gives up.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from thetawarden.domain.instants import UnixNs


class Strategy(enum.StrEnum):
    """Who is restarted together with a failed child."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"
    ONE_FOR_ALL = "one_for_all"


class Restart(enum.StrEnum):
    """Which endings of a child call for a restart."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Ending(enum.StrEnum):
    """How an incarnation ended."""

    STOPPED = "stopped"
    CRASHED = "crashed"
    HUNG = "hung"
    FAILED_START = "failed_start"
    REPLACED_BY_HAND = "replaced_by_hand"


class GiveUp(enum.StrEnum):
    """What follows when a group has used up its restarts."""

    ESCALATE = "escalate"
    DEGRADE = "degrade"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How one group is restarted; durations in nanoseconds."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period_ns: int = 300 * 1_000_000_000
    backoff_min_ns: int = 500_000_000
    backoff_max_ns: int = 30 * 1_000_000_000
    jitter_fraction: float = 0.2
    give_up: GiveUp = GiveUp.ESCALATE


class RestartThese(msgspec.Struct, frozen=True):
    """Stop `stop` in that order, wait, start `start` in that order."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    delay_ns: int


class LeaveEnded(msgspec.Struct, frozen=True):
    """The ending was an allowed one: the child stays down."""


class GroupGivesUp(msgspec.Struct, frozen=True):
    """Too many restarts: stop `stop` in that order and do as `then` says."""

    stop: tuple[str, ...]
    then: GiveUp


Decision = RestartThese | LeaveEnded | GroupGivesUp


def decide_restart(
    *,
    policy: Policy,
    children: tuple[str, ...],
    failed: str,
    ending: Ending,
    restart: Restart,
    earlier_ns: tuple[UnixNs, ...],
    now_ns: UnixNs,
    jitter: float,
) -> Decision:
    """Answer one ending.

    `children` is the start order, `earlier_ns` the group's restarts so far, `jitter` in [0, 1).
    A restart by hand costs nothing of the intensity and waits for nothing.
    """
    affected = _affected(policy.strategy, children, failed)
    stop = tuple(name for name in reversed(affected) if name != failed)
    if ending is Ending.REPLACED_BY_HAND:
        return RestartThese(stop=stop, start=affected, delay_ns=0)
    if not _wanted(restart, ending):
        return LeaveEnded()
    recent = within_period(earlier_ns, period_ns=policy.period_ns, now_ns=now_ns)
    if len(recent) >= policy.intensity:
        everyone = tuple(name for name in reversed(children) if name != failed)
        return GroupGivesUp(stop=everyone, then=policy.give_up)
    return RestartThese(
        stop=stop,
        start=affected,
        delay_ns=backoff_ns(policy=policy, attempt=len(recent), jitter=jitter),
    )


def within_period(
    earlier_ns: tuple[UnixNs, ...], *, period_ns: int, now_ns: UnixNs
) -> tuple[UnixNs, ...]:
    """Those of the earlier restarts that still count."""
    return tuple(instant for instant in earlier_ns if now_ns - instant < period_ns)


def backoff_ns(*, policy: Policy, attempt: int, jitter: float) -> int:
    """How long to wait before restart number `attempt` (0 is the first) of a burst.

    Doubles from the minimum up to the maximum, then adds up to `jitter_fraction` of itself.
    """
    doubled = policy.backoff_min_ns << min(attempt, 40)
    base = min(doubled, policy.backoff_max_ns)
    return base + int(base * policy.jitter_fraction * jitter)


def _affected(strategy: Strategy, children: tuple[str, ...], failed: str) -> tuple[str, ...]:
    position = children.index(failed)
    by_strategy: Mapping[Strategy, tuple[str, ...]] = {
        Strategy.ONE_FOR_ONE: (failed,),
        Strategy.REST_FOR_ONE: children[position:],
        Strategy.ONE_FOR_ALL: children,
    }
    return by_strategy[strategy]


def _wanted(restart: Restart, ending: Ending) -> bool:
    if restart is Restart.PERMANENT:
        return True
    return restart is Restart.TRANSIENT and ending is not Ending.STOPPED


class Poison(enum.StrEnum):
    """What to do with the message that killed an incarnation."""

    DELIVER_AGAIN = "deliver_again"
    PARK = "park"
    PARK_AND_HALT = "park_and_halt"


def judge_poison(*, kills: int, guards_money: bool) -> Poison:
    """Give a message a second chance, never a third.

    `guards_money` is true for control and order messages: losing one of those silently could
    leave a position unwatched, so trading halts instead.
    """
    if kills < 2:
        return Poison.DELIVER_AGAIN
    return Poison.PARK_AND_HALT if guards_money else Poison.PARK

"""Decides when a desk has been silent for too long, and which orders its guardian may take back.

Pure. Instants are the machine's monotonic count. What the guardian sees are beats; that one was
written says that the supervisor lives, what stands in it how watchdog and link do.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.naming import role_of_ref

OPENING = frozenset({OrderRole.ENTRY, OrderRole.ROLL})
"""What may add risk; every other order of ours guards or closes."""
PAUSE_NS = 2_000_000_000
"""A guardian that looked later than this was held up itself: the desk gets its time again."""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What was last seen of the desk, and since when nothing new is."""

    run: str
    number: int
    at_ns: int
    watchdog_ns: int
    link_loop_silent_ns: int
    ended: str = ""


class Verdict(enum.StrEnum):
    """How the desk does, for somebody outside."""

    ALIVE = "alive"
    SILENT = "silent"
    ENDED_WELL = "ended_well"
    GAVE_UP = "gave_up"
    SUCCEEDED = "succeeded"


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The desk that is guarded, the newest sign of it, and when a new one was last seen."""

    run: str
    sign: Sign | None
    heard_ns: int
    looked_ns: int
    floor_ns: int


def begin(*, run: str, now_ns: int) -> Watched:
    """Guard this desk from now on."""
    return Watched(run=run, sign=None, heard_ns=now_ns, looked_ns=now_ns, floor_ns=now_ns)


def look(watched: Watched, sign: Sign | None, now_ns: int) -> Watched:
    """Take in what was read; a look that comes late forgives whatever seems to have been missed."""
    late = now_ns - watched.looked_ns > PAUSE_NS
    heard_ns = watched.heard_ns
    newest = watched.sign
    if sign is not None and (newest is None or (sign.run, sign.number) != _name(newest)):
        newest, heard_ns = sign, now_ns
    elif sign is not None and newest is not None and sign.ended != newest.ended:
        newest = sign
    return Watched(
        run=watched.run,
        sign=newest,
        heard_ns=now_ns if late else heard_ns,
        looked_ns=now_ns,
        floor_ns=now_ns if late else watched.floor_ns,
    )


def judge(watched: Watched, *, now_ns: int, silence_ns_max: int) -> tuple[Verdict, str]:
    """How the desk does, in one word and in words for a person."""
    sign = watched.sign
    if sign is not None and sign.run != watched.run:
        return Verdict.SUCCEEDED, "another desk has taken the store"
    if sign is not None and sign.ended:
        ended = Verdict.ENDED_WELL if sign.ended == "stopped" else Verdict.GAVE_UP
        return ended, f"the desk ended: {sign.ended}"
    silent = [("the supervisor", now_ns - max(watched.heard_ns, watched.floor_ns))]
    if sign is not None:
        silent.append(("the watchdog", now_ns - max(sign.watchdog_ns, watched.floor_ns)))
        turned_ns = sign.at_ns - sign.link_loop_silent_ns
        if sign.link_loop_silent_ns:
            silent.append(("the link's thread", now_ns - max(turned_ns, watched.floor_ns)))
    name, worst_ns = max(silent, key=lambda each: each[1])
    if worst_ns <= silence_ns_max:
        return Verdict.ALIVE, ""
    words = f"{name} has given no sign for {worst_ns / 1e9:.1f} s"
    return Verdict.SILENT, f"{words}, at most {silence_ns_max / 1e9:.1f} s allowed"


def is_entry(order_ref: str) -> bool:
    """Whether an order of ours may add risk. One that is not ours by its name is none of ours."""
    return role_of_ref(order_ref) in OPENING


def _name(sign: Sign) -> tuple[str, int]:
    return sign.run, sign.number

"""Asks the strategist for a person, from outside the actors, and waits for what it answers."""

from __future__ import annotations

import time

import msgspec

from thetawarden.actors.desk import Desk
from thetawarden.actors.host import HostGoneError
from thetawarden.domain.strategy.lineup import LineupAnswer
from thetawarden.errors import RefusedError
from thetawarden.messages.control import Done
from thetawarden.messages.strategy import ApproveLineup, BuildLineup

ANSWER_TIMEOUT_S = 2.0
LINEUP_TIMEOUT_S = 15.0
LOOK_S = 0.02


def ask_lineup(desk: Desk, *, by: str, approve: str | None = None) -> Done:
    """Have a line-up built, or this one approved; raises RefusedError with the strategist's words.

    The broker is asked for every margin, so that building takes a while.
    """
    before = _answer(desk)
    asked = BuildLineup(by=by) if approve is None else ApproveLineup(lineup=approve, by=by)
    desk.say(asked, sender="person")
    deadline = time.monotonic() + LINEUP_TIMEOUT_S
    answer = before
    while answer.number == before.number:
        if time.monotonic() > deadline:
            raise RefusedError("the strategist gave no answer in time; see `lineup show`")
        time.sleep(LOOK_S)
        answer = _answer(desk)
    if answer.refused:
        raise RefusedError(f"refused: {answer.words}")
    return Done(what=answer.words)


def _answer(desk: Desk) -> LineupAnswer:
    try:
        state = desk.state_of("strategist", timeout_s=ANSWER_TIMEOUT_S)
    except HostGoneError:
        raise RefusedError("the strategist does not answer; look at `inspect`") from None
    return msgspec.convert(state["answer"], LineupAnswer)

"""Who can go next is told by mailboxes, and equals what asking all of them would tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.actors.mailbox import Mailbox
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Lane
from thetawarden.messages.timers import TimerFired
from thetawarden.sim.ready import Ready

NAMES = ("a", "b", "c")
ACTS = ("timer", "control", "take", "pause", "go on", "leave", "sit", "look")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(ACTS)), max_size=60))
def test_the_ready_are_those_with_mail_in_the_order_of_their_starts(
    acts: list[tuple[str, str]],
) -> None:
    ready, boxes = Ready(), {name: Mailbox() for name in NAMES}
    seated: dict[str, object] = {}
    envelope = Envelope(1, UnixNs(1), "timers", 0, None, TimerFired(name="look"))
    for name, act in acts:
        box = boxes[name]
        if act in {"timer", "control"}:
            box.putter(Lane.TIMER if act == "timer" else Lane.CONTROL)(envelope)
        elif act in {"pause", "go on"}:
            box.pause(paused=act == "pause")
        elif act == "take" and name in seated:
            box.take(seated[name])  # type: ignore[arg-type]
        elif act == "leave":
            ready.leave(name)
            box.unseat()
            seated.pop(name, None)
        elif act == "sit":
            wake = ready.begin(name)
            seat = box.new_seat(refuse=lambda _: None, comes_last=lambda _: False, wake=wake)
            ready.sit(name, box, seat)
            seated.pop(name, None)
            seated[name] = seat
        assert ready.names() == [one for one in seated if boxes[one].has_mail()]

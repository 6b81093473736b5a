"""Walking through what an actor handled: forwards and back are the same way."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.actors.post import ActorSpec
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import AlertDelivered
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.cast import Replayed
from thetawarden.sim.walk import PAGE, Walk

MOVES = ("forward", "back", "to", "message", "end")


class Sum(msgspec.Struct):
    total: int = 0


class Adder:
    def __init__(self):
        self.state = Sum()

    def receive(self, message, now):
        self.state.total += message.number
        return (message,) if message.number % 7 == 0 else ()


def step(n):
    """The n-th delivery, of message 10 n; every tenth crashed and changed nothing."""
    outcome = Outcome.HANDLED if n % 10 else Outcome.CRASHED
    envelope = Envelope(10 * n, n, "test", 0, None, AlertDelivered(number=n))
    return Step(n, Delivery(envelope, "adder", 1, n, outcome))


def total(n):
    return sum(each for each in range(1, n + 1) if each % 10)


def walk_of(count):
    def read(after_n):
        return (step(n) for n in range(after_n + 1, count + 1))

    return Walk(Replayed(ActorSpec(name="adder", kind=Adder)), read)


def test_there_and_back_shows_each_message_with_what_it_changed():
    walk, count = walk_of(2 * PAGE + 5), 2 * PAGE + 5

    there = [walk.forward() for _ in range(count)]
    assert walk.forward() is None
    back = [walk.back() for _ in range(count)]

    assert walk.back() is None
    assert walk.state == {"total": 0}
    assert [one.n for one in there] == [one.n for one in reversed(back)]
    assert there == back[::-1]
    for one in there:
        assert (one.before["total"], one.after["total"]) == (total(one.n - 1), total(one.n))
        assert one.changed() == (
            {"total": {"before": total(one.n - 1), "after": total(one.n)}} if one.n % 10 else {}
        )
    assert [one.n for one in there if one.said] == [n for n in range(7, count + 1, 7) if n % 10]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(MOVES), max_size=12), st.data())
def test_wherever_one_goes_the_state_is_that_of_the_messages_behind(moves, data):
    count = 3 * PAGE
    walk, place = walk_of(count), 0
    for move in moves:
        if move == "forward":
            place += walk.forward() is not None
        elif move == "back":
            place -= walk.back() is not None
        elif move == "end":
            walk.go_to_end()
            place = count
        else:
            place = data.draw(st.integers(0, count))
            if move == "to":
                walk.go_to(place)
            else:
                walk.go_to_message(10 * place + data.draw(st.integers(0, 9)))
        assert walk.state == {"total": total(place)}
        assert (walk.latest.n if walk.latest else 0) == place


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1])
def test_the_end_is_the_end_on_whichever_page_it_falls(count):
    walk = walk_of(count)

    walk.go_to_end()

    assert walk.state == {"total": total(count)}
    assert walk.forward() is None

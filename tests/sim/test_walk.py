"""Walking through what an actor handled: forwards and back are the same way."""

from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.recording import NEXT_DAY, tree_of_marked, write_process
from tests.sim.tampering import body_of, plain, tampering
from thetawarden.actors.post import ActorSpec
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import AlertDelivered
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim import walk as walk_module
from thetawarden.sim.cast import Processes, Replayed, actors_before, told
from thetawarden.sim.changes import Change
from thetawarden.sim.replay import verify_replay
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


def step(n, seq=None):
    """The n-th delivery, of message 10 n; every tenth crashed and changed nothing."""
    outcome = Outcome.HANDLED if n % 10 else Outcome.CRASHED
    envelope = Envelope(seq or 10 * n, n, "test", 0, None, AlertDelivered(number=n))
    return Step(n, Delivery(envelope, "adder", 1, n, outcome))


def total(n):
    return sum(each for each in range(1, n + 1) if each % 10)


def walk_of(count):
    def read(after_n):
        return (step(n) for n in range(after_n + 1, count + 1))

    return Walk(Replayed(ActorSpec(name="adder", kind=Adder)), read)


def walk_through(*seqs):
    """A walk through messages of these numbers, in this order."""
    steps = [step(n, seq) for n, seq in enumerate(seqs, 1)]
    begin = Replayed(ActorSpec(name="adder", kind=Adder))
    return Walk(begin, lambda after_n: iter(steps[after_n:]))


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
        change = Change(path=("total",), before=total(one.n - 1), after=total(one.n))
        assert one.changed() == ((change,) if one.n % 10 else ())
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


@pytest.mark.parametrize("begin", ["first", "last"])
@pytest.mark.parametrize(("seq", "place"), [(21, 1), (11, 2), (40, 3), (38, 5), (39, 4), (50, 6)])
def test_a_message_is_found_also_where_later_ones_were_handled_before_it(begin, seq, place):
    walk = walk_through(21, 11, 40, 39, 38, 50)
    if begin == "last":
        walk.go_to_end()

    found = walk.go_to_message(seq)

    assert (found, walk.latest.n, walk.latest.delivery.envelope.seq) == (True, place, seq)


def test_of_a_message_handled_more_than_once_the_last_time_counts():
    walk = walk_through(5, 7, 5, 9)

    assert walk.go_to_message(5)

    assert walk.latest.n == 3


@pytest.mark.parametrize("begin", ["first", "last"])
@pytest.mark.parametrize(("seq", "place"), [(1, 0), (15, 0), (30, 2), (45, 5), (60, 6)])
def test_for_a_message_it_did_not_handle_one_stands_before_the_first_later_one(begin, seq, place):
    walk = walk_through(21, 11, 40, 39, 38, 50)
    if begin == "last":
        walk.go_to_end()

    found = walk.go_to_message(seq)

    assert not found
    assert (walk.latest.n if walk.latest else 0) == place


def test_among_no_messages_none_is_found():
    walk = walk_through()

    assert not walk.go_to_message(1)

    assert walk.latest is None


def of_two_processes(folder, *, kept):
    """What an actor was told in a log of two processes, the first of which kept states."""
    write_process(folder, tree_of_marked("one"), "one", kept=kept)
    write_process(folder, tree_of_marked("two"), "two")


@pytest.mark.parametrize(
    ("kept", "said"), [((), ["two"] * 4), ((2,), ["one", "two", "two", "two"])]
)
def test_each_process_begins_with_the_state_that_was_kept(tmp_path, kept, said):
    """What was handled since is handled again as the later process does it."""
    of_two_processes(tmp_path, kept=kept)
    with open_log(tmp_path) as days:
        processes = Processes(days, lambda started: tree_of_marked(started.software))
        tree = tree_of_marked("two")
        assert verify_replay(tree, days, processes=processes).first_difference is None
        cast = actors_before(tree, days, days[0], processes=processes)
        for item in told(days[0]):
            cast.get("notifier").go_on(item)
        begin = actors_before(tree, days, days[0], processes=processes).get("notifier")
        walk = Walk(begin, lambda after_n: told(days[0], after_n=after_n, actors=("notifier",)))
        walk.go_to_end()
        there = walk.state["said"]
        while walk.back():
            pass
        walk.go_to_end()

    assert cast.states()["notifier"]["said"] == said
    assert there == walk.state["said"] == said


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_page_begins_another_process_as_the_whole_way_does(tmp_path, monkeypatch, page):
    monkeypatch.setattr(walk_module, "PAGE", page)
    write_process(tmp_path, tree_of_marked("one"), "one", kept=(2,))
    write_process(tmp_path, tree_of_marked("two"), "two", day=NEXT_DAY)
    with open_log(tmp_path) as days:
        processes = Processes(days, lambda started: tree_of_marked(started.software))
        tree = tree_of_marked("two")
        states = []
        for picked in (days, days[1:]):
            begin = actors_before(tree, days, picked[0], processes=processes).get("notifier")
            walk = Walk(begin, partial(read_on, picked))
            walk.go_to_end()
            walk.back()
            walk.forward()
            states.append(walk.state["said"])

    assert states == [["one", "two", "two", "two"]] * 2


def read_on(days, after_n):
    for day in days:
        yield from told(day, after_n=after_n, actors=("notifier",))


def test_the_state_before_a_difference_is_that_of_the_process_it_is_in(tmp_path):
    of_two_processes(tmp_path, kept=(2,))
    with tampering(tmp_path) as file:
        last = file.rows("messages", "incarnation > 0")[-1]
        tag, body = plain(last["body"])[0], plain(last["body"])[1:]
        file.change("messages", last, body=body_of([tag, *body[:-1], "otherwise"]))
    with open_log(tmp_path) as days:
        processes = Processes(days, lambda started: tree_of_marked(started.software))
        found = verify_replay(tree_of_marked("two"), days, processes=processes).first_difference

    assert found.state_before["said"] == ["one", "two", "two"]

"""A stretch begins with a kept state; nothing a single pass would find gets lost at its edges."""

import os
import sqlite3

import msgspec
import pytest

from tests.actors.desks import note
from tests.sim.recording import DAY, NEXT_DAY, Marked, past_in, tree_of_marked
from thetawarden.actors.memory import encode_snapshot
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.restart import Policy
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.messages.lifecycle import Begin, DeskStarted
from thetawarden.ports import Delivery
from thetawarden.sim import side_by_side
from thetawarden.sim.cast import Processes
from thetawarden.sim.replay import verify_replay


class Count(msgspec.Struct):
    said: int = 0


class CountAndTire(msgspec.Struct):
    said: int = 0
    heard: int = 0


class Counting:
    """What wrote the log: answers every note alike."""

    def __init__(self):
        self.state = Count()

    def receive(self, message, now):
        if isinstance(message, Begin):
            return ()
        self.state.said += 1
        return (note("x"),)


class Tiring:
    """Tomorrow's code: counts in a field of its own, and says something else from 16 on."""

    def __init__(self):
        self.state = CountAndTire()

    def receive(self, message, now):
        if isinstance(message, Begin):
            return ()
        self.state.said += 1
        self.state.heard += 1
        return (note("x" if self.state.heard <= 15 else "tired"),)


class Seen(msgspec.Struct):
    count: int = 0
    by_name: dict[str, int] = msgspec.field(default_factory=dict)


class Noticing:
    """Tells at the 25th note whom it saw first."""

    moves_to_the_end = False

    def __init__(self):
        self.state = Seen()

    def receive(self, message, now):
        if isinstance(message, Begin):
            return ()
        seen = self.state
        seen.count += 1
        name = "ab"[seen.count % 2] if seen.count < 6 else "a"
        if self.moves_to_the_end and seen.count < 6:
            seen.by_name.pop(name, None)
        seen.by_name[name] = seen.count
        return (note(next(iter(seen.by_name))),) if seen.count == 25 else ()


class NoticingOtherwise(Noticing):
    """Tomorrow's code: remembers the same in another order."""

    moves_to_the_end = True


def tree_of(kind):
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    spec = ActorSpec(name="notifier", kind=kind)
    return Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))


def write_log(folder, kind):
    """Forty deliveries, the state kept after every tenth of them."""
    journal = Journal(folder, day=DAY, position=Position(), software="test")
    actor = kind()
    for number in range(1, 41):
        body = Begin(incarnation=1, resumed=False) if number == 1 else note("a")
        envelope = journal.say(body, "test", 0, None, 1)
        journal.record(Delivery(envelope, "notifier", 1, 1), actor.receive(body, 1))
        if number in {11, 21, 31}:
            state = encode_snapshot(actor, {})
            journal.snapshot(actor="notifier", incarnation=1, at_ns=1, state=state)
    journal.close()


def both_ways(folder, tree):
    """What one pass says, and what is said beside each other."""
    with open_log(folder) as days:
        in_order = verify_replay(tree, days)
    return in_order, side_by_side.verify(*past_in(folder, tree), day=None, jobs=4, worth_it_from=1)


@pytest.mark.parametrize(
    ("then", "now", "differs_at"),
    [(Counting, Tiring, 17), (Noticing, NoticingOtherwise, 26)],
    ids=["a field was added", "another order"],
)
def test_a_state_that_is_only_alike_hides_no_difference(tmp_path, then, now, differs_at):
    write_log(tmp_path, then)

    in_order, beside = both_ways(tmp_path, tree_of(now))

    assert in_order.first_difference.n == differs_at
    assert beside == in_order


def test_stretches_are_verified_by_other_processes(tmp_path, monkeypatch):
    write_log(tmp_path, Counting)
    here = os.getpid()

    def elsewhere(*args, **named):
        assert os.getpid() != here, "left to the pass in order"
        return verify_replay(*args, **named)

    monkeypatch.setattr(side_by_side, "verify_replay", elsewhere)

    found = side_by_side.verify(
        *past_in(tmp_path, tree_of(Counting)), day=None, jobs=4, worth_it_from=1
    )

    assert (found.verified, found.answers, found.first_difference) == (40, 39, None)


def test_an_answer_whose_delivery_was_lost_at_the_end_is_told_of(tmp_path):
    write_log(tmp_path, Counting)
    edit(tmp_path, "DELETE FROM deliveries WHERE n = 40")

    in_order, beside = both_ways(tmp_path, tree_of(Counting))

    what = "answers without a delivery that was handled: messages 79"
    assert in_order.first_difference.what == what
    assert (in_order.verified, in_order.first_difference.actor) == (39, "notifier")
    assert beside == in_order


def test_a_damaged_state_does_not_hide_what_differs_before_it(tmp_path):
    write_log(tmp_path, Counting)
    edit(tmp_path, "UPDATE snapshots SET crc = crc + 1 WHERE n = 31")

    in_order, beside = both_ways(tmp_path, tree_of(Tiring))

    assert in_order.first_difference.n == 17
    assert beside == in_order


def test_a_day_begins_with_the_actors_as_the_process_made_them_that_was_running(tmp_path):
    """One process goes on into the next day, on which another one is started later."""
    actor = Marked(mark="one")
    journal = Journal(tmp_path, day=DAY, position=Position(), software="one")
    started = DeskStarted(config_fingerprint="f", software="one", resumed=False)
    journal.say(started, "supervisor", 0, None, 1)
    hand(journal, actor, Begin(incarnation=1, resumed=False), by=1)
    hand(journal, actor, note("in the evening"), by=1)
    state = encode_snapshot(actor, {})
    journal.snapshot(actor="notifier", incarnation=1, at_ns=1, state=state)
    journal.turn_page(NEXT_DAY)
    hand(journal, actor, note("in the morning"), by=1)
    journal.close()
    position = recover(tmp_path, ("notifier",)).position
    journal = Journal(tmp_path, day=NEXT_DAY, position=position, software="two")
    again = msgspec.structs.replace(started, software="two", resumed=True)
    journal.say(again, "supervisor", 0, None, 1)
    later = Marked(mark="two")
    hand(journal, later, Begin(incarnation=2, resumed=True), by=2)
    hand(journal, later, note("at noon"), by=2)
    journal.close()

    with open_log(tmp_path) as days:
        processes = Processes(days, lambda one: tree_of_marked(one.software))
        found = verify_replay(tree_of_marked("two"), days, day=NEXT_DAY, processes=processes)

    assert found.first_difference is None
    assert found.verified == 3


def hand(journal, actor, body, *, by):
    envelope = journal.say(body, "test", 0, None, 1)
    journal.record(Delivery(envelope, "notifier", by, 1), actor.receive(body, 1))


def edit(folder, statement):
    with sqlite3.connect(folder / f"{DAY}.db") as log:
        log.execute(statement)
    log.close()

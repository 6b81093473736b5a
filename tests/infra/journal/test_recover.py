"""What comes back after a crash: numbers, states, and what was said and not handled."""

import datetime as dt

from thetawarden.infra.journal.verify import verify_log
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Outcome

NEXT = dt.date(2026, 3, 3)


def _unhandled(log):
    return [each.body.text for each in log.recover().actors["notifier"].unhandled]


def _crash(log, journal, name="crashed"):
    journal.wait_durable(journal.last_seq, 10)
    return log.crashed(name)


def test_what_was_said_and_not_handled_comes_again_in_order(log, say, handle):
    journal = log.open()
    envelopes = [say(journal, text) for text in "abcd"]
    handle(journal, envelopes[1])
    left = _crash(log, journal)

    assert _unhandled(left) == ["a", "c", "d"]


def test_what_comes_again_can_be_handled_in_the_same_file(log, say, handle):
    """The message stands there already; handling it must not write it twice."""
    journal = log.open()
    say(journal, "a")
    left = _crash(log, journal)

    (again,) = left.recover().actors["notifier"].unhandled
    journal = left.open()
    handle(journal, again)
    journal.close()

    assert _unhandled(left) == []
    assert [each.damaged for _, each in verify_log(left.folder)] == [0]


def test_greetings_farewells_timers_and_market_data_do_not_come_again(log, say):
    journal = log.open()
    for body in (Begin(incarnation=1, resumed=False), Quiesce(), TimerFired(name="x")):
        journal.say(body, "supervisor", 0, None, 1)
    say(journal, "a")
    left = _crash(log, journal)

    found = left.recover()

    assert [len(each.unhandled) for each in found.actors.values()] == [0, 0, 0, 1]


def test_a_message_that_crashed_once_comes_again_and_one_that_did_twice_does_not(log, say, handle):
    journal = log.open()
    once, twice, parked = (say(journal, text) for text in ("once", "twice", "parked"))
    for envelope in (once, twice, twice):
        handle(journal, envelope, outcome=Outcome.CRASHED)
    handle(journal, parked, outcome=Outcome.PARKED)
    left = _crash(log, journal)

    assert _unhandled(left) == ["once"]


def test_a_message_handled_after_the_page_was_turned_is_copied_to_the_new_page(log, say, handle):
    journal = log.open()
    envelopes = [say(journal, text) for text in "ab"]
    journal.turn_page(NEXT)
    handle(journal, envelopes[0])
    left = _crash(log, journal)

    assert left.select("SELECT seq FROM messages", day=NEXT) == [(1,)]
    assert _unhandled(left) == ["b"]
    assert [each.damaged for _, each in verify_log(left.folder)][-1] == 0
    again = left.open(day=NEXT)
    handle(again, envelopes[0])
    again.close()
    assert left.select("SELECT count(*) FROM messages", day=NEXT) == [(1,)]


def test_an_actor_without_a_snapshot_on_the_new_page_is_brought_back_from_the_old_one(
    log, say, handle
):
    journal = log.open()
    handle(journal, say(journal, "a"), incarnation=4)
    handle(journal, say(journal, "b"), actor="governor", incarnation=2)
    journal.turn_page(NEXT)
    journal.snapshot(actor="governor", incarnation=2, at_ns=5, state=b"g")
    say(journal, "c")
    left = _crash(log, journal)

    found = left.recover().actors

    assert [step.envelope.body.text for step in found["notifier"].steps] == ["a"]
    assert (found["governor"].snapshot, found["governor"].steps) == (b"g", [])
    assert (found["notifier"].incarnation, found["governor"].incarnation) == (4, 2)


def test_after_a_page_turn_with_snapshots_only_the_last_two_days_are_opened(log, say, handle):
    for number in (1, 2, 3):
        journal = log.open(day=NEXT.replace(day=number))
        handle(journal, say(journal, number))
        for actor in log.names:
            journal.snapshot(actor=actor, incarnation=1, at_ns=1, state=b"x")
        journal.close()
    log.path(NEXT.replace(day=1)).write_bytes(b"not read")

    found = log.recover()

    assert found.position.next_seq == 4
    assert all(each.steps == [] for each in found.actors.values())


def test_p09_a_clock_that_was_set_back_turns_no_page(log, say):
    journal = log.open(day=NEXT)
    journal.turn_page(log.day)
    say(journal, "a")
    journal.close()

    assert [path.name for path in sorted(log.folder.glob("*.db"))] == [f"{NEXT}.db"]

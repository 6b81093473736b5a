"""Following a log that is being written, and looking back along causes."""

import contextlib
import datetime as dt

import pytest

from thetawarden.infra.journal.follow import Follower
from thetawarden.infra.journal.reader import Wanted

NEXT = dt.date(2026, 3, 3)


@pytest.fixture
def follower(log):
    with contextlib.closing(Follower(log.folder)) as each:
        yield each


def durable(journal, envelope):
    journal.wait_durable(envelope.seq, 10)
    return envelope


def seqs(batch):
    return [envelope.seq for envelope in batch.messages]


def test_what_is_new_comes_once_and_in_order(log, say, follower):
    journal = log.open()
    durable(journal, [say(journal, text) for text in "abc"][-1])

    first = follower.read(Wanted(), limit=10)
    durable(journal, say(journal, "d"))
    second = follower.read(Wanted(after_seq=first.last_seq), limit=10)
    third = follower.read(Wanted(after_seq=second.last_seq), limit=10)

    assert (seqs(first), seqs(second), seqs(third)) == ([1, 2, 3], [4], [])
    assert (first.skipped, third.last_seq) == (0, 4)


def test_of_too_many_the_latest_come_and_the_others_are_counted(log, say, follower):
    journal = log.open()
    durable(journal, say(journal, "first"))
    durable(journal, [say(journal, str(number)) for number in range(20)][-1])

    batch = follower.read(Wanted(after_seq=1), limit=5)

    assert (seqs(batch), batch.skipped) == ([17, 18, 19, 20, 21], 15)
    assert seqs(follower.read(Wanted(after_seq=1))) == [*range(2, 22)]


def test_what_does_not_fit_is_neither_shown_nor_counted_nor_looked_at_again(log, say, follower):
    journal = log.open()
    durable(journal, [say(journal, text) for text in "abc"][-1])

    for wanted in (Wanted(kinds=("Halt",)), Wanted(kinds=()), Wanted(sender_like="zzz")):
        batch = follower.read(wanted, limit=2)

        assert (seqs(batch), batch.skipped, batch.last_seq) == ([], 0, 3)


def test_following_goes_on_over_the_turn_of_the_day(log, say, follower):
    journal = log.open()
    durable(journal, say(journal, "yesterday"))
    last = follower.read(Wanted(), limit=10).last_seq

    journal.turn_page(NEXT)
    today = durable(journal, say(journal, "today"))

    assert seqs(follower.read(Wanted(after_seq=last), limit=10)) == [today.seq]
    assert seqs(follower.read(Wanted(), limit=10)) == [1, 2]


def test_a_message_is_found_with_its_causes_and_its_answers(log, say, handle, notice, follower):
    journal = log.open()
    asked = say(journal, "asked")
    (first,) = handle(journal, asked, notice("first"))
    journal.turn_page(NEXT)
    second, third = handle(journal, first, notice("second"), notice("third"))
    durable(journal, third)

    assert [each.seq for each in follower.causes(third.seq)] == [third.seq, first.seq, asked.seq]
    assert [each.seq for each in follower.answers(first.seq)] == [second.seq, third.seq]
    assert follower.causes(10_000) == ()


def test_a_log_that_is_not_there_yet_has_nothing_new(follower):
    assert follower.read(Wanted(after_seq=7), limit=10).last_seq == 7
    assert follower.causes(1) == ()

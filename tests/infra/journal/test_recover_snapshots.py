"""A snapshot of an older version: passed over, down to the first day, and never in silence."""

import datetime as dt

import msgspec
import pytest

from thetawarden.actors.memory import encode_snapshot, fits, rebuild
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.messages.lifecycle import Begin

DAY = dt.date(2026, 3, 2)


class Texts(msgspec.Struct):
    texts: list[str] = msgspec.field(default_factory=list)


class Counted(msgspec.Struct):
    texts: dict[str, int] = msgspec.field(default_factory=dict)


class Yesterday:
    def __init__(self):
        self.state = Texts()

    def receive(self, message, now):
        if not isinstance(message, Begin):
            self.state.texts.append(message.text)
        return ()


class Today:
    """The same actor, of which somebody has changed the state."""

    def __init__(self):
        self.state = Counted()

    def receive(self, message, now):
        if not isinstance(message, Begin):
            self.state.texts[message.text] = self.state.texts.get(message.text, 0) + 1
        return ()


def can_begin(name, snapshot):
    return name != "notifier" or fits(Today, snapshot)


@pytest.fixture
def changed(log, say, handle):
    """Three pages; the notifier leaves a snapshot of yesterday's kind on each."""
    journal = log.open()
    actor = Yesterday()
    for page in range(3):
        journal.turn_page(DAY + dt.timedelta(days=page))
        for text in "ab":
            envelope = say(journal, text)
            handle(journal, envelope, incarnation=page + 1)
            actor.receive(envelope.body, 0)
        for name in log.names:
            state = encode_snapshot(actor, {})
            journal.snapshot(actor=name, incarnation=page + 1, at_ns=1, state=state)
        handle(journal, say(journal, "since"), incarnation=page + 1)
        actor.receive(journal_note("since"), 0)
    journal.close()
    return log


def journal_note(text):
    return msgspec.defstruct("Note", ["text"])(text)


def test_s04_a_snapshot_that_fits_nobody_today_is_passed_over_for_a_full_replay(changed, caplog):
    past = changed.recover(fits=can_begin).actors["notifier"]
    actor, _ = rebuild(Today, past.snapshot, past.steps)

    assert past.snapshot is None
    assert actor.state.texts == {"a": 3, "b": 3, "since": 3}
    assert past.incarnation == 3
    assert [each.actor for each in caplog.records if each.msg == "snapshot_passed_over"] == [
        "notifier"
    ] * 3


def test_the_others_begin_where_they_were(changed):
    others = changed.recover(fits=can_begin).actors

    assert others["governor"].snapshot is not None
    assert others["governor"].steps == []


def test_s04_an_older_snapshot_that_fits_is_taken_and_replayed_from(changed, handle, say):
    journal = changed.open(day=DAY + dt.timedelta(days=3))
    fitting = Today()
    fitting.state.texts = {"kept": 1}
    journal.snapshot(actor="notifier", incarnation=3, at_ns=1, state=encode_snapshot(fitting, {}))
    handle(journal, say(journal, "c"), incarnation=4)
    stale = encode_snapshot(Yesterday(), {})
    journal.snapshot(actor="notifier", incarnation=4, at_ns=1, state=stale)
    journal.close()

    past = changed.recover(fits=can_begin).actors["notifier"]
    actor, _ = rebuild(Today, past.snapshot, past.steps)

    assert actor.state.texts == {"kept": 1, "c": 1}


def test_s03_s04_with_the_first_pages_gone_it_is_refused_instead_of_beginning_with_half_a_past(
    changed,
):
    changed.path(DAY).unlink()

    with pytest.raises(DamagedLogError, match="cannot use the snapshots of notifier"):
        changed.recover(fits=can_begin)

"""Days of the message log that are over: archived whole, proven, and only then deleted."""

import contextlib
import datetime as dt
import sqlite3

import polars as pl
import pytest

from tests.infra.lake.conftest import DAY, fill, note
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.journal.reader import MESSAGE_COLUMNS, DayLog, Wanted, open_log
from thetawarden.infra.lake import archive as archive_module
from thetawarden.infra.lake import housekeeping
from thetawarden.infra.lake.errors import DamagedTableError
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.infra.lake.upkeep import sweep
from thetawarden.messages.operations import VitalsTaken
from thetawarden.ports import Delivery, Outcome


@pytest.fixture
def past(desk):
    """Three days that are over and one in progress, with messages, deliveries and snapshots."""
    desk.begin()
    for _ in range(3):
        for number in range(5):
            envelope = desk.say(note(f"{desk.day} {number}"))
            desk.journal.fence("notifier", 1)
            desk.journal.record(Delivery(envelope, "notifier", 1, envelope.at_ns), ())
            desk.journal.record(
                Delivery(envelope, "watchdog", 1, envelope.at_ns, Outcome.CRASHED), ()
            )
        desk.say(VitalsTaken(vitals=Vitals(actors=(), log_lag_ns=0, disk_free_bytes=1)))
        desk.journal.snapshot(actor="notifier", incarnation=1, at_ns=1, state=b"state")
        desk.flush()
        desk.turn()
    desk.say(fill())
    desk.flush()
    return desk


def keep(desk):
    return maintain(desk.household, day=desk.day, clock=desk.clock)


def day_file(desk, number):
    return sorted(desk.folder.glob("*.db"))[number]


def in_file(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [*connection.execute(f"{MESSAGE_COLUMNS} ORDER BY seq")]


def test_every_day_that_is_over_is_archived_row_by_row(past):
    files = sorted(past.folder.glob("*.db"))[:3]

    done = keep(past)

    assert done.faults == ()
    assert [str(day) for day in done.archived] == [path.stem for path in files]
    stored = past.rows("message_archive")
    for path in files:
        of_day = stored.filter(pl.col("day") == dt.date.fromisoformat(path.stem))
        messages = of_day.filter(pl.col("row").is_in(["message", "carried"]))
        columns = ("seq", "at_ns", "actor", "incarnation", "cause_seq", "kind", "body", "crc")
        assert sorted(messages.select(columns).rows()) == in_file(path)
        assert of_day.filter(row="delivery").height == 10
        assert of_day.filter(row="snapshot").height == 1
        assert past.household.archive().holds(path)


def test_a_day_is_archived_once(past):
    keep(past)
    rows = past.rows("message_archive").height

    assert keep(past).archived == ()
    assert past.rows("message_archive").height == rows


def test_a_day_cut_short_is_archived_anew_without_a_row_twice(past, monkeypatch):
    monkeypatch.setattr(archive_module, "BATCH_ROWS", 4)
    store = past.household.archive_store()
    real, commits = store.append, []

    def dies_in_the_middle(frame, *, through_seq):
        if len(commits) == 2:
            raise KeyboardInterrupt
        commits.append(through_seq)
        real(frame, through_seq=through_seq)

    store.append = dies_in_the_middle
    first = day_file(past, 0)
    with pytest.raises(KeyboardInterrupt):
        archive_module.MessageArchive(store, log="log-1").add_day(first)
    assert past.rows("message_archive").height == 8

    keep(past)

    assert past.household.archive().holds(first)
    assert past.rows("message_archive").filter(day=DAY).height == len(in_file(first)) + 10 + 1


def test_a_day_with_a_damaged_row_is_neither_archived_nor_deleted(past):
    past.kept_days = 1
    past.turn(30)
    sound, damaged = day_file(past, 0), day_file(past, 1)
    with contextlib.closing(sqlite3.connect(damaged)) as connection:
        connection.execute("UPDATE messages SET body = x'00' WHERE seq = 8")
        connection.commit()

    done = keep(past)

    assert damaged.exists()
    assert [str(day) for day in done.archived] == [sound.stem]
    assert any(damaged.name in fault for fault in done.faults)


def test_old_days_go_once_the_archive_is_proven_and_every_table_holds_them(past):
    past.kept_days = 10
    files = sorted(past.folder.glob("*.db"))
    past.turn(30)
    past.say(note("later"))
    past.flush()

    done = keep(past)

    assert [str(day) for day in done.logs_removed] == [path.stem for path in files[:3]]
    assert [path.exists() for path in files] == [False, False, False, True]


def test_a_day_the_archive_lost_a_row_of_is_kept(past):
    keep(past)
    past.kept_days = 10
    past.household.archive_store().remove("seq = 3 AND row = 'message'")
    past.turn(30)
    past.say(note("later"))
    past.flush()
    first = day_file(past, 0)

    done = keep(past)

    assert first.exists()
    assert any("does not hold every row" in fault for fault in done.faults)


def test_a_day_that_a_table_does_not_hold_yet_is_kept(past):
    past.kept_days = 10
    for _ in range(2):
        past.turn()
        past.log(note("the lake has not seen this"))
    past.turn(30)

    done = keep(past)

    assert any("notifications does not hold all of it" in fault for fault in done.faults)
    assert done.logs_removed == tuple(DAY + dt.timedelta(days=at) for at in range(4))


def test_the_last_days_stay_however_old_they_are(past):
    past.kept_days = 1
    past.clock.at += 10**18

    maintain(past.household, day=past.day.replace(year=2030), clock=past.clock)

    assert len([*past.folder.glob("*.db")]) == 2


def test_what_left_the_log_is_read_from_the_archive(past):
    past.kept_days = 10
    with open_log(past.folder) as days:
        expected = [each for day in days for each in day.messages(Wanted(kind="NotifyPerson"))]
    past.turn(30)
    keep(past)
    assert DayLog(day_file(past, 0)).first_seq > 1

    spool = past.begin()._spool
    found = [*spool.read(("NotifyPerson",), after_seq=0, until_seq=spool.top())]

    assert found == expected


@pytest.mark.parametrize(("times", "faults"), [(1, 0), (2, 1)])
def test_a_file_that_went_while_it_was_read_is_damage_only_when_it_is_gone_again(
    past, monkeypatch, times, faults
):
    left = [times]

    def swept(store):
        if store.table.name == "notifications" and left[0]:
            left[0] -= 1
            raise DamagedTableError("notifications", "1.json not found")
        return sweep(store)

    monkeypatch.setattr(housekeeping, "sweep", swept)

    assert len(keep(past).faults) == faults

"""When the archivist has the lake written and tidied, and whom it tells what is wrong."""

import datetime as dt

from thetawarden.actors.archivist import FLUSH, MAINTAIN, Archivist, ArchivistSettings
from thetawarden.domain.instants import NS_PER_HOUR, UnixNs
from thetawarden.messages.lake import (
    FlushLake,
    LakeCommitted,
    LakeFellBehind,
    LakeMaintained,
    LakeSkipped,
    LakeTrouble,
    LakeUnavailable,
    MaintainLake,
    RebuildTable,
)
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import NotifyPerson, TradingDayStarted, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

NOW = UnixNs(1_772_470_000_000_000_000)
DAY = dt.date(2026, 3, 2)
BEGIN = Begin(incarnation=1, resumed=False)
SETTINGS = ArchivistSettings(flush_ns=7, maintain_after_ns=60)


def archivist():
    actor = Archivist(settings=SETTINGS)
    actor.receive(BEGIN, NOW)
    return actor


def committed(through_seq=9):
    return LakeCommitted(table="fills", through_seq=through_seq, rows=3, files=2)


def unavailable(trouble, error="lake table fills cannot be reached: timed out"):
    return LakeUnavailable(table="fills", trouble=trouble, error=error)


def maintained(day=DAY, *faults):
    return LakeMaintained(
        day=day, files=1, files_removed=0, archived=(day,), logs_removed=(), faults=faults
    )


def told(said):
    return [each for each in said if isinstance(each, NotifyPerson)]


def test_the_lake_is_flushed_again_and_again():
    actor = Archivist(settings=SETTINGS)

    assert actor.receive(BEGIN, NOW) == (StartTimer(name=FLUSH, after_ns=7),)
    assert actor.receive(TimerFired(name=FLUSH), NOW) == (
        FlushLake(),
        StartTimer(name=FLUSH, after_ns=7),
    )


def test_housekeeping_follows_the_turn_of_the_day():
    actor = archivist()

    said = actor.receive(TradingDayStarted(day=str(DAY)), NOW)

    assert said == (StartTimer(name=MAINTAIN, after_ns=60),)
    assert actor.receive(TimerFired(name=MAINTAIN), NOW) == (MaintainLake(day=DAY),)


def test_housekeeping_that_a_restart_cut_short_is_done_after_it():
    actor = archivist()
    actor.receive(TradingDayStarted(day=str(DAY)), NOW)

    assert StartTimer(name=MAINTAIN, after_ns=60) in actor.receive(BEGIN, NOW)

    actor.receive(maintained(), NOW)
    assert StartTimer(name=MAINTAIN, after_ns=60) not in actor.receive(BEGIN, NOW)


def test_what_housekeeping_left_is_told():
    actor = archivist()

    assert told(actor.receive(maintained(), NOW)) == []
    (said,) = told(actor.receive(maintained(DAY, "message log x was kept"), NOW))

    assert "message log x was kept" in said.text
    assert actor.state.archived == DAY


def test_a_table_that_is_away_is_told_once_and_again_when_it_is_back():
    actor = archivist()

    first = told(actor.receive(unavailable(LakeTrouble.AWAY), NOW))
    second = told(actor.receive(unavailable(LakeTrouble.AWAY), NOW))
    back = told(actor.receive(committed(), NOW))

    assert [len(first), len(second), len(back)] == [1, 0, 1]
    assert first[0].urgency is Urgency.NORMAL
    assert actor.state.tables["fills"].trouble is None


def test_S07_a_damaged_table_is_written_anew_but_not_over_and_over():
    actor = archivist()
    damaged = unavailable(LakeTrouble.DAMAGED)

    first = actor.receive(damaged, NOW)
    soon = actor.receive(damaged, UnixNs(NOW + 5))
    later = actor.receive(damaged, UnixNs(NOW + 2 * NS_PER_HOUR))

    rebuild = RebuildTable(table="fills")
    assert told(first)[0].urgency is Urgency.HIGH
    assert [rebuild in said for said in (first, soon, later)] == [True, False, True]


def test_a_table_of_a_newer_version_is_left_alone():
    said = archivist().receive(unavailable(LakeTrouble.NEWER), NOW)

    assert not any(isinstance(each, RebuildTable) for each in said)
    assert told(said)


def test_it_knows_how_far_each_table_is_and_what_was_dropped():
    actor = archivist()

    actor.receive(committed(4), NOW)
    actor.receive(committed(9), UnixNs(NOW + 1))
    actor.receive(LakeFellBehind(table="fills", rows=5), NOW)

    table = actor.state.tables["fills"]
    assert (table.through_seq, table.rows, table.files, table.dropped_rows) == (9, 6, 2, 5)
    assert table.committed_ns == NOW + 1


def test_at_the_end_it_has_the_lake_written_once_more():
    said = archivist().receive(Quiesce(), NOW)

    assert said == (CancelTimer(name=FLUSH), CancelTimer(name=MAINTAIN), FlushLake())


def test_a_message_that_is_not_in_the_lake_is_told():
    skipped = LakeSkipped(seq=12, kind="FillSeen", error="a mistake of ours")

    (said,) = told(archivist().receive(skipped, NOW))

    assert "message 12" in said.text

"""S06, S07: a table that is damaged or lost comes back from the message log, row for row."""

import json

import polars as pl
import pytest
from deltalake.exceptions import CommitFailedError

from tests.infra.lake.conftest import SECOND, chain, fill, money, note
from thetawarden.infra.lake.errors import NotRebuildableError
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.infra.lake.rebuilding import begin_anew
from thetawarden.messages.lake import (
    LakeCommitted,
    LakeRebuilt,
    LakeTrouble,
    LakeUnavailable,
    RebuildTable,
)

FED = ("account_updates", "fills", "notifications", "option_snapshots")


@pytest.fixture
def filled(desk):
    desk.begin()
    desk.flush()
    for number in range(6):
        for body in (note(f"n{number}"), chain(), money(), fill(f"0001.{number:02d}.01")):
            desk.say(body)
        desk.flush()
    return desk


def contents(desk):
    return {table: desk.rows(table).sort("seq", "at").rows() for table in FED}


def same(desk, before):
    found = contents(desk)
    return all(sorted(found[table], key=repr) == sorted(before[table], key=repr) for table in FED)


def log_folder(desk, table):
    return desk.place.folder / table / "_delta_log"


def unavailable(said):
    return [each for each in said if isinstance(each, LakeUnavailable)]


def rebuild(desk, table):
    return desk.work.carry_out(RebuildTable(table=table))


def test_S07_a_missing_file_isolates_its_table_and_a_rebuild_brings_the_rows_back(filled):
    before = contents(filled)
    next((filled.place.folder / "fills").rglob("part-*.parquet")).unlink()
    filled.begin()

    said = filled.flush()
    assert [(each.table, each.trouble) for each in unavailable(said)] == [
        ("fills", LakeTrouble.DAMAGED)
    ]
    filled.say(note("the others go on"))
    assert any(isinstance(each, LakeCommitted) for each in filled.flush())
    said = rebuild(filled, "fills")

    assert any(isinstance(each, LakeRebuilt) for each in said)
    assert sorted(filled.rows("fills").rows(), key=repr) == sorted(before["fills"], key=repr)


def test_S07_a_cut_commit_isolates_its_table_and_a_rebuild_brings_the_rows_back(filled):
    before = contents(filled)
    last = max(log_folder(filled, "fills").glob("*.json"))
    last.write_text(last.read_text()[:40])
    filled.begin()

    (found,) = unavailable(filled.flush())
    assert found.trouble is LakeTrouble.DAMAGED
    rebuild(filled, "fills")

    assert same(filled, before)
    assert [*filled.place.folder.glob("fills.damaged-*")]


def test_a_lost_table_is_written_anew_by_itself(filled):
    before = contents(filled)
    table = filled.place.folder / "option_snapshots"
    table.rename(filled.place.folder.parent / "gone")
    filled.begin()

    filled.flush()

    assert same(filled, before)


def test_a_lost_tail_is_written_again(filled):
    before = contents(filled)
    folder = log_folder(filled, "fills")
    for path in sorted(folder.glob("*.json"))[-3:]:
        path.unlink()
    filled.begin()

    filled.flush()

    assert same(filled, before)


def test_a_rebuild_killed_after_its_first_step_is_finished_by_the_next_start(filled):
    before = contents(filled)
    work = filled.work
    begin_anew(
        work.writer.lines["fills"].store,
        spool=work._spool,
        archive=work._archive,
        log="log-1",
        now_ns=1,
    )
    assert filled.rows("fills").height == 0
    filled.begin()

    filled.flush()

    assert same(filled, before)


def test_a_rebuild_reads_the_archive_for_days_that_left_the_log(filled):
    filled.kept_days = 10
    before = contents(filled)
    for _ in range(2):
        filled.turn()
        filled.flush()
    filled.turn(30)
    maintain(filled.household, day=filled.day, clock=filled.clock)
    assert len([*filled.folder.glob("*.db")]) == 2

    rebuild(filled, "option_snapshots")

    assert same(filled, before)


def test_rows_of_another_log_survive_a_rebuild(filled):
    store = filled.household.store("fills")
    other = filled.rows("fills").with_columns(log=pl.lit("log-of-old"))
    store.append(other, through_seq=store.watermark())

    rebuild(filled, "fills")

    found = filled.rows("fills")
    assert found.filter(log="log-of-old").height == found.filter(log="log-1").height == 6


def test_S06_a_conflict_is_tried_again_and_trading_notices_nothing(filled, monkeypatch):
    line = filled.work.writer.lines["notifications"]
    real, left = line.store._commit, [2]

    def conflicts_twice(frame, through_seq):
        if left[0]:
            left[0] -= 1
            raise CommitFailedError("Failed to commit transaction: somebody was quicker")
        real(frame, through_seq)

    monkeypatch.setattr(line.store, "_commit", conflicts_twice)
    filled.say(note("kept"))

    said = filled.flush()

    assert unavailable(said) == []
    assert "kept" in filled.rows("notifications")["text"].to_list()


def test_S06_a_conflict_that_stays_leaves_the_rows_to_the_log(filled, monkeypatch):
    line = filled.work.writer.lines["notifications"]

    def conflicts(frame, through_seq):
        raise CommitFailedError("somebody is always quicker")

    with monkeypatch.context() as patched:
        patched.setattr(line.store, "_commit", conflicts)
        filled.say(note("kept"))
        (found,) = unavailable(filled.flush())
        assert found.trouble is LakeTrouble.AWAY
        assert line.rows == []
    filled.clock.at += 5 * SECOND

    filled.flush()

    assert "kept" in filled.rows("notifications")["text"].to_list()


def test_a_table_too_damaged_in_an_object_store_is_left_for_a_person(filled):
    store = filled.work.writer.lines["fills"].store
    last = max(log_folder(filled, "fills").glob("*.json"))
    last.write_text(json.dumps({"add": 1})[:5])
    remote = type(filled.place)("memory://lake", {})
    store.place = remote

    with pytest.raises(NotRebuildableError, match="object store"):
        begin_anew(
            store, spool=filled.work._spool, archive=filled.work._archive, log="log-1", now_ns=1
        )

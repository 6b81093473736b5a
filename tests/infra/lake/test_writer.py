"""Messages become rows: each once, in order, whatever is lost or late on the way."""

import shutil
from decimal import Decimal

import pytest

from tests.infra.lake.conftest import SECOND, Desk, chain, fill, money, note
from thetawarden.infra.lake.keeping import SETTLE_FLUSHES
from thetawarden.messages.lake import FlushLake, LakeCommitted, LakeFellBehind, LakeUnavailable


def committed(said, table):
    return [each for each in said if isinstance(each, LakeCommitted) and each.table == table]


def texts(desk):
    return sorted(desk.rows("notifications")["text"].to_list())


def test_what_was_said_is_in_its_tables_after_a_flush(desk):
    desk.begin()
    desk.flush()
    desk.say(chain(options=3))
    desk.say(fill())
    last = desk.say(money("100000.01"))

    said = desk.flush()

    assert desk.rows("option_snapshots").height == 3
    assert desk.rows("fills")["price_usd"].to_list() == [Decimal("4.55")]
    assert desk.rows("account_updates")["cash_usd"].to_list() == [Decimal("100000.01")]
    assert [each.through_seq for each in committed(said, "account_updates")] == [last.seq]


def test_what_the_desk_said_before_the_lake_began_is_read_from_the_log(desk):
    for number in range(3):
        desk.log(note(f"n{number}"))
    desk.begin()

    desk.flush()

    assert texts(desk) == ["n0", "n1", "n2"]


def test_a_new_writer_goes_on_where_the_tables_end(desk):
    desk.begin()
    desk.say(note("a"))
    desk.flush()
    desk.say(note("b"))
    desk.begin()
    desk.say(note("c"))

    desk.flush()

    assert texts(desk) == ["a", "b", "c"]


def test_what_arrives_in_another_order_than_it_was_said_is_neither_lost_nor_doubled(desk):
    desk.begin()
    desk.flush()
    late, early = desk.log(note("late")), desk.log(note("early"))
    desk.work.writer.take(early)
    desk.flush()

    desk.work.writer.take(late)
    desk.flush()

    assert texts(desk) == ["early", "late"]


def test_what_never_arrives_is_read_from_the_log(desk):
    desk.begin()
    desk.flush()
    desk.log(note("lost on the way"))
    desk.say(note("arrived"))

    desk.flush()

    assert texts(desk) == ["arrived", "lost on the way"]


def test_the_last_message_is_read_from_the_log_when_it_never_arrives(desk):
    desk.begin()
    desk.say(note("before the first flush"))
    desk.flush()
    desk.log(note("lost on the way"))

    desk.flush()
    desk.flush()

    assert texts(desk) == ["before the first flush", "lost on the way"]


def test_what_arrives_twice_is_written_once(desk):
    desk.begin()
    desk.flush()
    envelope = desk.say(note("once"))
    desk.work.writer.take(envelope)
    desk.flush()
    desk.work.writer.take(envelope)

    desk.flush()

    assert texts(desk) == ["once"]


def test_a_buffer_over_its_bound_is_dropped_and_read_again(tmp_path):
    desk = Desk(tmp_path, buffer_rows=5).open()
    desk.begin()
    desk.flush()
    for number in range(20):
        desk.say(note(f"{number:02d}"))
        assert desk.work.writer.waiting_rows <= 5

    said = desk.flush()
    desk.flush()

    assert texts(desk) == [f"{number:02d}" for number in range(20)]
    assert any(isinstance(each, LakeFellBehind) for each in said)
    desk.close()


def test_a_long_log_is_read_in_slices_and_loses_nothing_said_meanwhile(tmp_path):
    desk = Desk(tmp_path, slice_messages=4).open()
    for number in range(10):
        desk.log(note(f"{number:02d}"))
    desk.begin()
    for number in range(10, 13):
        desk.flush()
        desk.say(note(f"{number:02d}"))
    for _ in range(4):
        desk.flush()

    assert texts(desk) == [f"{number:02d}" for number in range(13)]
    desk.close()


def test_storage_that_is_away_is_tried_again_later_and_then_nothing_is_missing(desk):
    desk.begin()
    desk.flush()
    table = desk.place.folder / "notifications"
    away = table.with_name("away")
    table.rename(away)
    table.write_text("a file where the table was")
    desk.say(note("while away"))
    said = desk.flush()
    assert [each.table for each in said if isinstance(each, LakeUnavailable)] == ["notifications"]
    desk.say(money())
    assert committed(desk.flush(), "account_updates")
    table.unlink()
    away.rename(table)
    desk.say(note("after"))
    assert not committed(desk.flush(), "notifications")  # it is left alone for a while

    desk.clock.at += 3 * SECOND
    desk.flush()

    assert texts(desk) == ["after", "while away"]


def test_a_commit_that_seemed_to_fail_and_had_succeeded_is_not_repeated(desk, monkeypatch):
    desk.begin()
    desk.flush()
    store = desk.work.writer.lines["notifications"].store
    honest = store._commit

    def commits_and_fails(frame, through_seq):
        honest(frame, through_seq)
        raise OSError("the answer was lost")

    monkeypatch.setattr(store, "_commit", commits_and_fails)
    desk.say(note("once"))

    said = desk.flush()

    assert texts(desk) == ["once"]
    assert committed(said, "notifications")


def test_a_log_that_was_put_back_is_noticed_and_nothing_is_skipped_in_silence(desk, tmp_path):
    desk.begin()
    for number in range(3):
        desk.say(note(f"{number}"))
    desk.flush()
    desk.close()
    shutil.rmtree(desk.folder)
    desk.folder.mkdir()
    desk.open()
    desk.log(note("of the new log"))
    desk.begin()

    said = desk.flush()

    (found,) = [each for each in said if getattr(each, "table", "") == "notifications"]
    assert found.trouble == "ahead"
    assert "log-name" in found.error


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_null_in_the_lake(desk, value):
    desk.begin()
    desk.flush()
    desk.say(chain(options=1, iv_annual=value, spot_usd=None))

    desk.flush()

    row = desk.rows("option_snapshots").row(0, named=True)
    assert row["spot_usd"] is None
    assert row["iv_annual"] is None
    assert row["forward_usd"] == 5_901.5


def test_of_many_views_of_a_chain_one_is_kept(tmp_path):
    desk = Desk(tmp_path).open()
    desk.views_per_kept = 5
    desk.begin()
    desk.flush()
    for number in range(1, 13):
        desk.say(chain(options=2, number=number))

    desk.flush()

    assert desk.rows("option_snapshots").height == 2 * 2
    assert desk.work.writer.lines["option_snapshots"].watermark == 12
    desk.close()


def test_a_table_that_nothing_comes_for_says_all_the_same_how_far_it_is(desk):
    work = desk.begin()
    for _ in range(SETTLE_FLUSHES + 1):
        last = desk.say(note("for another table"))
        work.carry_out(FlushLake())

    assert desk.household.store("fills").watermark() >= last.seq - 2

"""Folding and sweeping change how rows lie, never which rows there are."""

import datetime as dt
import random

import polars as pl
import pytest

from thetawarden.infra.clock import WallClock
from thetawarden.infra.lake.errors import DamagedTableError
from thetawarden.infra.lake.frames import frame_of
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import TableStore, Tuning
from thetawarden.infra.lake.tables import TABLES
from thetawarden.infra.lake.upkeep import (
    data_files,
    fold_past,
    fold_when_many,
    require_whole,
    sweep,
)

BARS = TABLES["underlying_bars"]
NAMES = ("QQQ", "SPX", "SPY", "XSP")
MONDAY = dt.date(2026, 3, 2)
NOW = WallClock().now_ns()
TUNING = Tuning(fold_files=6, file_rows=60, keep_removed=dt.timedelta(0))


def bars(seq, day, *, rows=10, seed=0):
    chance = random.Random(seed * 1000 + seq)
    at = dt.datetime.combine(day, dt.time(15, seq % 60), dt.UTC)
    return [
        (
            *(day, at, "log-1", seq, chance.choice((*NAMES, None)), 1, "stock", None),
            *(day - dt.timedelta(days=chance.randrange(400)), 1.0, 2.0, 0.5),
            *(chance.random(), None),
        )
        for _ in range(rows)
    ]


@pytest.fixture
def store(tmp_path):
    return TableStore(BARS, LakePlace(str(tmp_path)), app="log/log-1", tuning=TUNING)


def fill(store, commits, *, days=1):
    for seq in range(1, commits + 1):
        day = MONDAY + dt.timedelta(days=seq % days)
        store.append(frame_of(BARS, bars(seq, day)), through_seq=seq)


def content(store):
    store.let_go()
    everything = sorted(BARS.all_columns, key=lambda column: column.name)
    return pl.scan_delta(store.handle).collect().sort([column.name for column in everything])


def test_folding_a_past_day_keeps_every_row_the_position_and_the_order(store):
    fill(store, 12, days=2)
    before = content(store)

    saved = fold_past(store, MONDAY + dt.timedelta(days=9), now_ns=NOW)

    assert saved > 0
    assert content(store).equals(before)
    assert store.watermark() == 12
    for file in data_files(store):
        rows = pl.read_parquet(store.place.folder / BARS.name / file.path)
        assert rows.equals(rows.sort("underlying", "bar_day", maintain_order=True))


def test_a_folded_day_lies_in_files_that_do_not_share_underlyings(store):
    fill(store, 20)
    fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW)

    held = [
        set(pl.read_parquet(store.place.folder / BARS.name / file.path)["underlying"])
        for file in data_files(store)
    ]

    assert len(held) > 1
    assert sum(len(names) for names in held) == len(set().union(*held))


def test_folding_again_changes_nothing_until_something_late_comes(store):
    fill(store, 12)
    fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW)
    version = store.handle.version()

    assert fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW) == 0
    assert store.handle.version() == version

    store.append(frame_of(BARS, bars(13, MONDAY)), through_seq=13)
    assert fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW) > 0
    assert content(store).height == 130


def test_today_is_not_folded_with_the_past(store):
    fill(store, 4, days=2)

    fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW)

    assert len([file for file in data_files(store) if file.day == MONDAY]) == 1
    assert len([file for file in data_files(store) if file.day > MONDAY]) == 2


def test_the_files_of_a_day_in_progress_are_bounded_however_often_it_is_written(store):
    most = 0
    for seq in range(1, 101):
        store.append(frame_of(BARS, bars(seq, MONDAY)), through_seq=seq)
        fold_when_many(store, now_ns=NOW + seq)
        most = max(most, len(data_files(store)))

    assert most <= 30
    assert content(store).height == 1000


def test_the_sweep_removes_what_nobody_needs_and_what_a_killed_writer_left(store):
    fill(store, 12)
    before = content(store)
    fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW)
    orphan = store.place.folder / BARS.name / f"day={MONDAY}" / "part-left-behind.parquet"
    orphan.write_bytes(b"half a file")

    gone = sweep(store)

    assert gone >= 13
    assert not orphan.exists()
    assert len([*(store.place.folder / BARS.name).rglob("day=*/*.parquet")]) == len(
        data_files(store)
    )
    assert content(store).equals(before)


def test_the_delta_log_itself_stays_short(store):
    fill(store, 120)

    sweep(store)

    assert len([*(store.place.folder / BARS.name / "_delta_log").iterdir()]) < 12
    assert store.watermark() == 120


def test_what_a_reader_may_still_need_is_not_swept(tmp_path):
    kept = Tuning(fold_files=6, keep_removed=dt.timedelta(hours=2))
    store = TableStore(BARS, LakePlace(str(tmp_path)), app="log/log-1", tuning=kept)
    fill(store, 12)
    reader = pl.scan_delta(store.handle)
    fold_past(store, MONDAY + dt.timedelta(days=1), now_ns=NOW)

    assert sweep(store) == 0
    assert reader.collect().height == 120


def test_rows_written_while_a_day_was_folded_elsewhere_are_kept(tmp_path):
    place = LakePlace(str(tmp_path))
    writer = TableStore(BARS, place, app="log/log-1", tuning=TUNING)
    keeper = TableStore(BARS, place, app="log/log-1", tuning=TUNING)
    fill(writer, 8)
    assert writer.handle.version()
    fold_past(keeper, MONDAY + dt.timedelta(days=1), now_ns=NOW)

    writer.append(frame_of(BARS, bars(9, MONDAY)), through_seq=9)

    assert content(writer).height == 90
    assert writer.watermark() == 9


def test_a_file_that_is_gone_is_noticed_before_the_table_is_believed(store):
    fill(store, 3)
    (store.place.folder / BARS.name / data_files(store)[0].path).unlink()

    with pytest.raises(DamagedTableError, match="is gone"):
        require_whole(store)

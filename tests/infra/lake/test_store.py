"""One table: its schema through the versions, and commits that never double."""

import datetime as dt

import msgspec
import polars as pl
import pytest
from deltalake import DeltaTable

from thetawarden.infra.lake.columns import Column, Kind, number
from thetawarden.infra.lake.errors import LakeError, NewerTableError
from thetawarden.infra.lake.frames import frame_of
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import TableStore
from thetawarden.infra.lake.tables import TABLES

NOTES = TABLES["notifications"]
AT = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)


@pytest.fixture
def place(tmp_path):
    return LakePlace(str(tmp_path / "lake"))


def opened(place, table=NOTES):
    return TableStore(table, place, app="log/log-1")


def rows(*numbers, more=()):
    return [(AT.date(), AT, "log-1", seq, "low", "t", f"n{seq}", "s", *more) for seq in numbers]


def newer(table):
    later = (*table.columns, number("weight", "How much it weighs.", since=2))
    return msgspec.structs.replace(table, columns=later, version=2)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_can_be_made_and_says_in_its_own_log_what_it_holds(place, table):
    store = opened(place, table)

    described = {field.name: field.metadata["comment"] for field in store.handle.schema().fields}

    assert described == {column.name: column.words for column in table.all_columns}
    assert store.handle.metadata().description == table.words
    assert store.handle.metadata().partition_columns == ["day"]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_has_words_and_a_unit_where_it_is_an_amount(table):
    assert table.words.endswith(".")
    for column in table.columns:
        assert column.words.endswith((".", "..."))
        if column.kind is Kind.MONEY:
            assert "usd" in column.name or column.name.startswith(("quantity", "position"))


def test_an_entry_snapshot_has_all_that_attribution_needs():
    assert len(TABLES["entry_snapshots"].columns) >= 66


def test_the_position_is_in_the_same_commit_as_the_rows(place):
    store = opened(place)

    store.append(frame_of(NOTES, rows(3, 4)), through_seq=9)

    assert opened(place).watermark() == 9
    assert store.handle.history(1)[0]["through_seq"] == 9


def test_a_table_gains_the_columns_of_a_later_version_and_keeps_its_rows(place):
    opened(place).append(frame_of(NOTES, rows(1)), through_seq=1)
    later = newer(NOTES)

    opened(place, later).append(frame_of(later, rows(2, more=(2.5,))), through_seq=2)

    found = pl.scan_delta(place.table("notifications")).sort("seq").collect()
    assert found["weight"].to_list() == [None, 2.5]
    assert opened(place, later).watermark() == 2


def test_columns_half_added_by_a_crash_are_completed(place):
    opened(place).append(frame_of(NOTES, rows(1)), through_seq=1)
    later = newer(NOTES)
    half = opened(place, later)
    half._configuration = lambda: (_ for _ in ()).throw(RuntimeError("killed here"))
    with pytest.raises(RuntimeError):
        half.watermark()

    store = opened(place, later)

    assert store.watermark() == 1
    assert store.handle.metadata().configuration["thetawarden.schemaVersion"] == "2"


def test_a_table_from_the_future_is_refused_in_one_line_and_left_alone(place):
    later = newer(NOTES)
    opened(place, later).append(frame_of(later, rows(1, more=(1.0,))), through_seq=1)
    before = DeltaTable(place.table("notifications")).version()

    with pytest.raises(NewerTableError) as refused:
        opened(place).append(frame_of(NOTES, rows(2)), through_seq=2)

    assert "\n" not in str(refused.value)
    assert "version 2" in str(refused.value)
    assert DeltaTable(place.table("notifications")).version() == before


def test_two_writers_with_the_same_position_do_not_both_write(place):
    first, second = opened(place), opened(place)
    assert first.watermark() == second.watermark() == 0
    first.append(frame_of(NOTES, rows(1)), through_seq=1)

    second.append(frame_of(NOTES, rows(1)), through_seq=1)

    assert pl.scan_delta(place.table("notifications")).collect().height == 1


def test_an_append_beside_somebody_elses_is_kept(place):
    ours, theirs = opened(place), TableStore(NOTES, place, app="other")
    assert ours.watermark() == theirs.watermark() == 0
    theirs.append(frame_of(NOTES, rows(1)), through_seq=1)

    ours.append(frame_of(NOTES, rows(2)), through_seq=2)

    assert pl.scan_delta(place.table("notifications")).collect().height == 2


def test_a_cut_log_of_a_table_is_damage_and_one_line(place):
    opened(place).append(frame_of(NOTES, rows(1)), through_seq=1)
    last = max((place.folder / "notifications/_delta_log").glob("*.json"))
    last.write_text(last.read_text()[:40])

    with pytest.raises(LakeError) as refused:
        opened(place).watermark()

    assert "damaged" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_declaration_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="twice"):
        msgspec.structs.replace(NOTES, columns=(*NOTES.columns, Column("at", Kind.TEXT, "x")))
    with pytest.raises(ValueError, match="version 2"):
        msgspec.structs.replace(NOTES, version=2)

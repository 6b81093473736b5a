"""The same lake in an object store: written, kept, away and back, read no more than needed."""

import contextlib
import datetime as dt

import numpy as np
import polars as pl
import pytest

from tests.infra.lake.conftest import SECOND, Desk, chain, note
from tests.infra.lake.object_store import ObjectStore
from tests.infra.lake.other_store import BUCKET, OtherStore
from thetawarden.config.secrets import Secret
from thetawarden.infra.lake import upkeep
from thetawarden.infra.lake.errors import LakePlaceError
from thetawarden.infra.lake.frames import frame_of
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.infra.lake.place import LakePlace, lake_place
from thetawarden.infra.lake.reading import scan
from thetawarden.infra.lake.store import TableStore, Tuning
from thetawarden.infra.lake.tables import TABLES
from thetawarden.messages.lake import LakeUnavailable, RebuildTable

BARS = TABLES["underlying_bars"]
DAYS = [dt.date(2026, 3, 2) + dt.timedelta(days=at) for at in range(5)]
NAMES = [f"U{number:02d}" for number in range(10)]
PATIENT = {"max_retries": "1", "retry_timeout": "1s", "timeout": "2s"}


@pytest.fixture
def objects():
    with contextlib.closing(ObjectStore()) as each:
        yield each


@pytest.fixture
def place(objects):
    return LakePlace("s3://bucket/lake/practice", {**objects.options, **PATIENT})


@pytest.fixture
def desk(tmp_path, place):
    with contextlib.closing(Desk(tmp_path, place=place)) as each:
        yield each.open()


def texts(desk):
    return sorted(desk.rows("notifications")["text"].to_list())


def test_it_is_written_tidied_archived_and_written_anew_as_in_a_folder(desk, objects):
    desk.kept_days = 10
    desk.begin()
    desk.flush()
    for number in range(4):
        desk.say(chain(options=20))
        desk.say(note(f"{number}"))
        desk.flush()
    for days in (1, 1, 30):
        desk.turn(days)
        desk.say(note(f"after {days}"))
        desk.flush()
    before = texts(desk)

    done = maintain(desk.household, day=desk.day, clock=desk.clock)
    rebuilt = desk.work.carry_out(RebuildTable(table="notifications"))

    assert done.faults == ()
    assert len(done.logs_removed) == 2
    assert not any(isinstance(each, LakeUnavailable) for each in rebuilt)
    assert texts(desk) == before
    assert desk.rows("option_snapshots").height == 80
    assert objects.sizes


@pytest.fixture
def elsewhere(tmp_path):
    with contextlib.closing(OtherStore()) as store:
        place = LakePlace(f"s3://{BUCKET}/lake/practice", store.options)
        with contextlib.closing(Desk(tmp_path, place=place)) as desk:
            yield desk.open()


def test_a_store_that_others_wrote_keeps_the_lake_as_well(elsewhere):
    elsewhere.begin()
    for number in range(3):
        elsewhere.say(chain(options=20))
        elsewhere.say(note(f"{number}"))
        elsewhere.flush()

    done = maintain(elsewhere.household, day=elsewhere.day, clock=elsewhere.clock)
    rebuilt = elsewhere.work.carry_out(RebuildTable(table="notifications"))

    assert done.faults == ()
    assert not any(isinstance(each, LakeUnavailable) for each in rebuilt)
    assert texts(elsewhere) == ["0", "1", "2"]
    assert elsewhere.rows("option_snapshots").height == 60


def test_S08_a_store_that_does_not_answer_costs_no_row(desk, objects):
    desk.begin()
    desk.flush()
    desk.say(note("before"))
    desk.flush()
    objects.leave(away=True)
    desk.say(note("while away"))
    said = desk.flush()
    assert [each.table for each in said if isinstance(each, LakeUnavailable)] == ["notifications"]
    objects.leave(away=False)
    desk.say(note("after"))
    desk.clock.at += 5 * SECOND

    desk.flush()

    assert texts(desk) == ["after", "before", "while away"]


@pytest.fixture(scope="module")
def full():
    """A store of its own, which is only read."""
    with contextlib.closing(ObjectStore()) as each:
        yield each, LakePlace("s3://bucket/lake/practice", {**each.options, **PATIENT})


@pytest.fixture(scope="module")
def filled(full):
    """Five days of ten underlyings, folded, twenty row groups a day."""
    _, place = full
    store = TableStore(BARS, place, app="log/log-1", tuning=Tuning(fold_files=1000))
    rng = np.random.default_rng(1)
    for seq, day in enumerate(DAYS, 1):
        at = dt.datetime.combine(day, dt.time(15), dt.UTC)
        one = frame_of(BARS, [(day, at, "log-1", seq, "", 1, "stock", None, day, *[1.0] * 5)])
        for half in range(2):
            frame = pl.concat([one] * 100_000).with_columns(
                underlying=pl.Series(np.repeat(NAMES, 10_000)),
                open_usd=pl.Series(rng.normal(size=100_000)),
            )
            store.append(frame, through_seq=2 * seq + half)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(upkeep, "ROW_GROUP_ROWS", 10_000)
        upkeep.fold_past(store, DAYS[-1] + dt.timedelta(days=1), now_ns=1)
    return store


def of_folded(counts):
    return {key: count for key, count in counts.items() if "folded" in key}


def test_a_folded_file_is_as_long_as_the_tables_books_say(filled, full):
    objects, _ = full
    sizes = objects.sizes

    assert {
        f"lake/practice/{BARS.name}/{file.path}": file.size_bytes
        for file in upkeep.data_files(filled)
    } == of_folded(sizes)


def test_one_day_of_one_underlying_reads_its_own_row_groups_and_columns_only(filled, full):
    objects, place = full
    total, prices = pl.len(), pl.col("open_usd").sum()
    everything = scan(place, BARS.name).select(total, prices)
    mine = (pl.col("day") == DAYS[2]) & (pl.col("underlying") == "U04")
    wanted = scan(place, BARS.name).filter(mine).select(total, prices)

    objects.forget()
    found = wanted.collect()
    narrow = of_folded(objects.read)
    objects.forget()
    everything.collect()
    wide = of_folded(objects.read)

    assert found.item(0, 0) == 20_000
    assert [f"day={DAYS[2]}" in key for key in narrow] == [True]
    (name,) = narrow
    assert narrow[name] < wide[name] / 2
    assert sum(narrow.values()) < sum(wide.values()) / 12


def test_a_secret_reaches_the_store_as_an_option_and_is_shown_nowhere(tmp_path):
    secrets = {"lake_aws_secret_access_key": Secret("not-to-be-shown"), "other": Secret("x" * 9)}

    place = lake_place(
        url="s3://bucket/lake/", options=("AWS_REGION=eu-west-1",), store=tmp_path, secrets=secrets
    )

    assert place.root == f"s3://bucket/lake/{tmp_path.name}"
    assert place.options == {
        "aws_region": "eu-west-1",
        "aws_secret_access_key": "not-to-be-shown",
    }
    assert "not-to-be-shown" not in f"{place} {place!r}"
    with pytest.raises(LakePlaceError, match="lake_aws_session_token"):
        lake_place(url="s3://bucket", options=("aws_session_token=x",), store=tmp_path, secrets={})


def test_each_mode_and_account_has_its_own_place_in_a_shared_folder(tmp_path):
    places = {
        lake_place(url=str(tmp_path), options=(), store=tmp_path / name, secrets={}).root
        for name in ("practice", "paper-DU1")
    }

    assert places == {f"{tmp_path}/practice", f"{tmp_path}/paper-DU1"}

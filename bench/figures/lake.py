"""The lake over a month: 5,000 rows of 20 columns a minute, a commit each, days folded as they end.

The month is compressed: as many commits and rows as in 21 trading days, without the waiting. What
goes by the wall clock is shortened with it (replaced files are kept for a fifth of a day, as two
hours are of ten). The rows are random doubles, which compress worse than quotes do.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from bench.harness import Figure, Goal
from bench.lake_killing import Verdict, kill_and_judge
from thetawarden.infra.clock import WallClock
from thetawarden.infra.lake.columns import Table, number, text
from thetawarden.infra.lake.frames import frame_schema
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import TableStore, Tuning
from thetawarden.infra.lake.upkeep import data_files, fold_past, fold_when_many, sweep

DAYS = int(os.environ.get("LAKE_DAYS", "21"))
MINUTES = 390
ROWS = 5_000
NAMES = [f"U{number:02d}" for number in range(10)]
FIRST = dt.date(2026, 3, 2)
CHECK_EVERY = 16
TABLE = Table(
    name="load",
    words="As wide as a snapshot of options.",
    columns=(text("underlying", "The underlying."), *(number(f"c{at}", "A.") for at in range(15))),
)
_kept = tempfile.TemporaryDirectory(prefix="thetawarden-lake-")


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What the month came to; appends in milliseconds, with the folding that some of them bring."""

    appends_ms: list[float]
    files: int
    log_files: int
    place: LakePlace


@cache
def _month() -> Month:
    place = LakePlace(_kept.name)
    appends: list[float] = []
    clock, rng = WallClock(), np.random.default_rng(1)
    base = _frame(rng)
    day_s = 20.0
    for at in range(DAYS):
        began, day = time.monotonic(), FIRST + dt.timedelta(days=at)
        tuning = Tuning(keep_removed=dt.timedelta(seconds=max(1, round(day_s / 5))))
        store = TableStore(TABLE, place, app="log/bench", tuning=tuning)
        for minute in range(MINUTES):
            frame = _minute(base, day, minute)
            started = time.perf_counter()
            store.append(frame, through_seq=at * MINUTES + minute + 1)
            if minute % CHECK_EVERY == CHECK_EVERY - 1:
                fold_when_many(store, now_ns=clock.now_ns())
            appends.append((time.perf_counter() - started) * 1e3)
        fold_past(store, day + dt.timedelta(days=1), now_ns=clock.now_ns())
        sweep(store)
        day_s = time.monotonic() - began
    folder = Path(place.table(TABLE.name))
    return Month(
        appends_ms=appends,
        files=len(data_files(store)),
        log_files=len([*(folder / "_delta_log").iterdir()]),
        place=place,
    )


def _frame(rng: np.random.Generator) -> pl.DataFrame:
    at = dt.datetime.combine(FIRST, dt.time(14, 30), dt.UTC)
    columns: dict[str, object] = {
        "day": [FIRST] * ROWS,
        "at": [at] * ROWS,
        "log": ["log-1"] * ROWS,
        "seq": np.arange(ROWS),
        "underlying": np.repeat(NAMES, ROWS // len(NAMES)),
    }
    columns |= {f"c{at}": np.round(rng.normal(size=ROWS), 3) for at in range(15)}
    return pl.DataFrame(columns, schema=frame_schema(TABLE))


def _minute(base: pl.DataFrame, day: dt.date, minute: int) -> pl.DataFrame:
    at = dt.datetime.combine(day, dt.time(14, 30), dt.UTC) + dt.timedelta(minutes=minute)
    return base.with_columns(
        pl.lit(day).alias("day"),
        pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("at"),
        *(pl.col(f"c{column}") + minute for column in range(15)),
    )


def _decile(which: int) -> float:
    appends = _month().appends_ms
    tenth = len(appends) // 10
    return statistics.median(appends[which * tenth : (which + 1) * tenth])


def _scan() -> pl.LazyFrame:
    handle = TableStore(TABLE, _month().place, app="log/bench")
    return handle.scan()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One question to the table: how long it took and how many bytes were read for it."""

    seconds: float
    bytes: int


def _read(lazy: pl.LazyFrame) -> Reading:
    before, started = _bytes_read(), time.perf_counter()
    lazy.collect()
    return Reading(seconds=time.perf_counter() - started, bytes=_bytes_read() - before)


def _bytes_read() -> int:
    """What this process has read from files so far, from the page cache or not."""
    return int(Path("/proc/self/io").read_text().split()[1])


_SUMS = pl.all().exclude("day", "at", "log", "seq", "underlying").sum()


def _narrow() -> Reading:
    day = FIRST + dt.timedelta(days=DAYS // 2)
    mine = (pl.col("day") == day) & (pl.col("underlying") == NAMES[4])
    return _read(_scan().filter(mine).select(_SUMS))


def _wide() -> Reading:
    return _read(_scan().select(_SUMS))


@cache
def _kills() -> Verdict:
    total = Verdict()
    for seed in range(4):
        with tempfile.TemporaryDirectory(prefix="thetawarden-lake-kill-") as folder:
            found = kill_and_judge(Path(folder), kills=25, seed=100 + seed)
        total.kills += found.kills
        total.messages += found.messages
        total.lost += found.lost
        total.doubled += found.doubled
        total.archived_wrong += found.archived_wrong
    return total


_SHOWN = f"{DAYS} days of {MINUTES} commits of {ROWS:,} rows x 20 columns"
FIGURES = [
    Figure(
        name="lake_append_last_tenth_of_a_month",
        unit="ms",
        measure=lambda: _decile(9),
        reference=f"first tenth; {_SHOWN}",
        measure_reference=lambda: _decile(0),
        repetitions=1,
        goals=(Goal(of="ratio", relation="<=", limit=1.3),),
    ),
    Figure(
        name="lake_files_after_a_month",
        unit="files",
        measure=lambda: float(_month().files),
        reference="commits",
        measure_reference=lambda: float(len(_month().appends_ms)),
        repetitions=1,
        goals=(Goal(of="value", relation="<=", limit=5.0 * DAYS),),
    ),
    Figure(
        name="lake_delta_log_files_after_a_month",
        unit="files",
        measure=lambda: float(_month().log_files),
        repetitions=1,
        goals=(Goal(of="value", relation="<=", limit=200.0),),
    ),
    Figure(
        name="lake_query_day_underlying",
        unit="s",
        measure=lambda: _narrow().seconds,
        reference="full scan of the same columns",
        measure_reference=lambda: _wide().seconds,
        repetitions=3,
        goals=(Goal(of="ratio", relation="<=", limit=1 / 20),),
    ),
    Figure(
        name="lake_query_day_underlying_read",
        unit="bytes",
        measure=lambda: float(_narrow().bytes),
        reference="full scan of the same columns",
        measure_reference=lambda: float(_wide().bytes),
        repetitions=1,
        goals=(Goal(of="ratio", relation="<=", limit=1 / 100),),
    ),
    Figure(
        name="lake_sigkill_100_lost_or_doubled",
        unit="rows",
        measure=lambda: float(_kills().lost + _kills().doubled + _kills().archived_wrong),
        reference="messages checked over 100 kills in mid-commit",
        measure_reference=lambda: float(_kills().messages),
        repetitions=1,
        goals=(Goal(of="value", relation="<=", limit=0.0),),
    ),
]

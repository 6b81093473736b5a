"""Reads the real series; dates rise, percents and points as published."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Series: TypeAlias = dict[dt.date, float]
_ROOT = Path(__file__).parents[2]
_STOCKS_FROM = dt.date(1995, 1, 1)


def data_folder() -> Path | None:
    """Return the folder of real market data: the one that is named, or one beside the checkout."""
    named = os.environ.get("THETAWARDEN_MARKET_DATA")
    beside = (_ROOT / "../shared/data", _ROOT / "../../shared/data")
    for folder in (Path(named),) if named else beside:
        if folder.is_dir():
            return folder.resolve()
    return None


def volatility_index(folder: Path, symbol: str) -> Series:
    """Return daily closes of VIX, VIX3M or VIX9D."""
    path = folder / f"vol_indices/{symbol}_History__cboe.csv"
    return {
        dt.datetime.strptime(row["DATE"], "%m/%d/%Y").date(): float(row["CLOSE"])  # noqa: DTZ007 - a date
        for row in csv.DictReader(path.read_text().splitlines())
    }


def index(folder: Path) -> Series:
    """Return daily closes of the S&P 500 since 1990."""
    lines = (folder / "equity_indices/SPX_1927_2026__hjyssg.csv").read_text().splitlines()[3:]
    rows = (line.split(",") for line in lines)
    closes = {dt.date.fromisoformat(row[0]): float(row[2]) for row in rows}
    return {day: close for day, close in closes.items() if day.year >= 1990}


def vix_futures(folder: Path) -> tuple[Series, Series]:
    """Return daily closes of the first and the second VIX future."""
    path = folder / "vol_indices/UX1_UX2_2004_2025__silverlight.csv"
    first, second = {}, {}
    for row in csv.DictReader(path.read_text().splitlines()):
        if row["UX1"] and row["UX2"]:
            day = dt.date.fromisoformat(row["date"])
            first[day], second[day] = float(row["UX1"]), float(row["UX2"])
    return first, second


def stock_returns(folder: Path) -> tuple[list[dt.date], Floats]:
    """Return days and daily log returns of twenty large stocks, one column each."""
    path = folder / "stocks/skfolio_sp500_20stocks_adjclose.csv.gz"
    rows = list(csv.reader(gzip.decompress(path.read_bytes()).decode().splitlines()))[1:]
    kept = [row for row in rows if dt.date.fromisoformat(row[0]) >= _STOCKS_FROM]
    prices = np.array([[float(cell) for cell in row[1:]] for row in kept])
    days = [dt.date.fromisoformat(row[0]) for row in kept]
    return days[1:], np.diff(np.log(prices), axis=0)


def aligned(*series: Series) -> list[Floats]:
    """Return the values of the days all series have, in order of date."""
    days = sorted(set.intersection(*(set(one) for one in series)))
    return [np.array([one[day] for day in days]) for one in series]

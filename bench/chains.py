"""Reads the exchange's delayed-quote chain files into arrays, or makes a chain of their size.

Traps met here, so that nobody meets them again: three preamble lines (some files begin with a
blank one), calls left and puts right of one line, AM-settled SPX beside PM-settled SPXW on the
same date, and IV or delta zero where the exchange computed none. One row per option results:
first all calls, then all puts.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.surface.chain import ChainQuotes

if TYPE_CHECKING:
    from pathlib import Path

NEW_YORK = ZoneInfo("America/New_York")
YEAR_S = 365 * 86_400
_CALL_COLUMNS = {
    "bid_usd": 4,
    "ask_usd": 5,
    "iv_annual": 7,
    "delta": 8,
    "gamma": 9,
    "open_interest": 10,
}
_CALL_TO_PUT = 11


class ChainFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file: options as flat arrays, `expiry_index` pointing into the per-expiry tuples."""

    spot_usd: float
    quoted_on: dt.date
    expiry_names: tuple[str, ...]
    expiry_dates: tuple[dt.date, ...]
    am_settled: tuple[bool, ...]
    expiry_index: NDArray[np.int64]
    is_call: NDArray[np.bool_]
    strike_usd: NDArray[np.float64]
    bid_usd: NDArray[np.float64]
    ask_usd: NDArray[np.float64]
    iv_annual: NDArray[np.float64]
    delta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    open_interest: NDArray[np.float64]

    def tau_years(self, *, at: dt.time) -> NDArray[np.float64]:
        """Years of 365 days from `at` (New York) on the file's day to each settlement."""
        now = dt.datetime.combine(self.quoted_on, at, NEW_YORK)
        ends = [
            dt.datetime.combine(day, dt.time(9, 30) if am else dt.time(16), NEW_YORK)
            for day, am in zip(self.expiry_dates, self.am_settled, strict=True)
        ]
        return np.array([(end.timestamp() - now.timestamp()) / YEAR_S for end in ends])

    def quotes(self, *, at: dt.time) -> ChainQuotes:
        """The file as the chain analysis takes it, quoted just now."""
        return ChainQuotes(
            spot_usd=self.spot_usd,
            tau_years=self.tau_years(at=at),
            expiry_index=self.expiry_index,
            strike_usd=self.strike_usd,
            is_call=self.is_call,
            bid_usd=self.bid_usd,
            ask_usd=self.ask_usd,
            quote_age_ns=0,
            exercise=ExerciseStyle.EUROPEAN,
        )


def read_chain(path: Path) -> ChainFile:
    """Read one delayed-quote file, calls first, then puts."""
    with gzip.open(path) as packed:
        lines = [line for line in csv.reader(io.TextIOWrapper(packed)) if line]
    head = next(i for i, line in enumerate(lines) if line[0] == "Expiration Date")
    rows = lines[head + 1 :]
    keys = [(dt.datetime.strptime(r[0], "%a %b %d %Y").date(), r[1][:-15]) for r in rows]  # noqa: DTZ007 - a date, no instant
    expiries = {key: i for i, key in enumerate(sorted(dict.fromkeys(keys)))}
    index = np.array([expiries[key] for key in keys])
    sides = {
        name: np.array([float(r[c]) for c in (call, call + _CALL_TO_PUT) for r in rows])
        for name, call in _CALL_COLUMNS.items()
    }
    day = " ".join(lines[head - 1][0].split()[1:4])
    return ChainFile(
        spot_usd=float(lines[head - 2][1].split()[-1]),
        quoted_on=dt.datetime.strptime(day, "%B %d, %Y").date(),  # noqa: DTZ007 - a date, no instant
        expiry_names=tuple(f"{root} {day}" for day, root in expiries),
        expiry_dates=tuple(day for day, _ in expiries),
        am_settled=tuple(root == "SPX" for _, root in expiries),
        expiry_index=np.concatenate([index, index]),
        is_call=np.repeat([True, False], len(rows)),
        strike_usd=np.tile([float(r[11]) for r in rows], 2),
        **sides,
    )


def made_chain(*, seed: int, expiries: int = 55, strikes: int = 172) -> ChainQuotes:
    """A European chain with a skewed smile, spreads and rounding like a listed one's."""
    generator = np.random.default_rng(seed)
    tau = np.geomspace(1.0, 1_000.0, expiries) / 365.0
    spot, rate = 4_000.0, 0.047
    x = np.linspace(-10.0, 3.0, strikes)
    deviation = 0.18 * np.sqrt(tau)[:, None]
    strike = np.round(spot * np.exp(x * deviation) / 0.05) * 0.05
    iv = 0.18 * np.sqrt(1.0 - 0.12 * x + 0.03 * x**2) * np.ones_like(strike)
    shape = (2, expiries, strikes)
    is_call = np.broadcast_to(np.array([True, False])[:, None, None], shape)
    mid = black_price(
        forward=spot * np.exp(rate * tau)[:, None],
        strike=strike,
        discount=np.exp(-rate * tau)[:, None],
        tau_years=tau[:, None],
        iv_annual=iv,
        is_call=is_call,
    )
    half = np.maximum(0.025, 0.01 * mid) * generator.uniform(0.7, 1.3, shape)
    return ChainQuotes(
        spot_usd=spot,
        tau_years=tau,
        expiry_index=np.tile(np.repeat(np.arange(expiries), strikes), 2),
        strike_usd=np.broadcast_to(strike, shape).ravel(),
        is_call=is_call.ravel(),
        bid_usd=(np.floor((mid - half) / 0.05) * 0.05).clip(0.0).ravel(),
        ask_usd=(np.ceil((mid + half) / 0.05) * 0.05).ravel(),
        quote_age_ns=0,
        exercise=ExerciseStyle.EUROPEAN,
    )

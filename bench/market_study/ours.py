"""Lives through decades of the practice market and returns the same series."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.futures import months_from
from thetawarden.domain.market.products import FUTURES
from thetawarden.practice.market.parts import Parts, Terms, assemble
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.volmodel import VolModel

Floats: TypeAlias = NDArray[np.float64]
START = dt.date(2026, 9, 14)
SESSIONS = 9000
_STOCK_SESSIONS = 3000


class Lived(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Daily closes of a simulated market, one entry a session."""

    index: Floats
    vix: Floats
    vix3m: Floats
    vix9d: Floats
    first_future: Floats
    second_future: Floats
    stock_returns: Floats
    stock_vix: Floats


def live(seed: int) -> Lived:
    """Simulate the decades before the start; volatility indices by the model behind the quotes."""
    parts = assemble(
        Terms(seed=seed, start_ns=new_york_ns(START, dt.time(10)), history_sessions=SESSIONS)
    )
    line, paths = parts.motion.timeline, parts.motion.paths
    last = line.row_of(new_york_ns(START, dt.time(10)))
    rows = np.arange(parts.motion.first_row + 1, last)
    at = line.close_ns[rows]
    states = np.array([paths.state(int(one)) for one in at])
    model = VolModel(line)
    vix, vix3m, vix9d = (model.index(states, at, days=days) for days in (30.0, 93.0, 9.0))
    settles = np.array([_settlements(parts, int(now)) for now in at])
    first, second = (parts.motion.vol_forwards.at(at, settles[:, n])[1] for n in (0, 1))
    some = rows[-_STOCK_SESSIONS:].tolist()
    stocks = [one.symbol for one in UNDERLYINGS.values() if one.sector][:20]
    closes = np.array([[paths.close(symbol, row) for row in some] for symbol in stocks])
    return Lived(
        index=np.array([paths.close("SPX", row) for row in rows.tolist()]),
        vix=vix,
        vix3m=vix3m,
        vix9d=vix9d,
        first_future=first,
        second_future=second,
        stock_returns=np.diff(np.log(closes), axis=1).T,
        stock_vix=vix[-_STOCK_SESSIONS + 1 :],
    )


def _settlements(parts: Parts, now_ns: int) -> tuple[int, int]:
    """When the two VIX futures in front are settled."""
    line = parts.motion.timeline
    day = line.date(line.row_of(now_ns))
    first, second = months_from(day=day, product=FUTURES["VIX"], count=2, sessions=line.sessions)
    return first.settlement_ns, second.settlement_ns

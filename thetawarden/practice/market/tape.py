"""Tells what an underlying's session has brought so far: open, high, low, last and volume."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.timeline import SLOT_NS, Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_VOLUME_SALT = 41
_VOLUME_SPREAD = 0.22


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """A session's trading so far; before the first print only the previous close is known."""

    open: float | None
    high: float | None
    low: float | None
    last: float
    last_at_ns: int
    close: float
    """Of the session before."""
    volume: int


class Tape:
    """Session statistics of everything that has a path."""

    def __init__(self, *, seed: int, timeline: Timeline, paths: Paths, levers: Levers) -> None:
        self._seed, self._timeline, self._paths, self._levers = seed, timeline, paths, levers
        self._extremes: dict[tuple[str, int], tuple[Floats, Floats]] = {}

    def forget(self) -> None:
        """Drop what was cached."""
        self._extremes.clear()

    def traded(self, symbol: str, now_ns: int) -> Traded:
        """Return what the regular session has brought; between sessions the last one's figures."""
        line = self._timeline
        row = line.row_of(now_ns)
        opens = int(line.open_ns[row])
        if now_ns < opens:
            row, now_ns = row - 1, int(line.close_ns[row - 1])
            opens = int(line.open_ns[row])
        slots = (now_ns - opens) / SLOT_NS
        last = self._paths.spot(symbol, now_ns)
        at = int(slots)
        highs, lows = self._running(symbol, row)
        return Traded(
            open=self._paths.open(symbol, row),
            high=max(float(highs[at]), last),
            low=min(float(lows[at]), last),
            last=last,
            last_at_ns=now_ns,
            close=self._paths.close(symbol, row - 1),
            volume=self.volume(symbol, row, slots),
        )

    def volume(self, symbol: str, row: int, slots: float) -> int:
        """Return shares traded in a session until so many slots into it."""
        usual = UNDERLYINGS[symbol].volume_daily
        if not usual:
            return 0
        count = self._timeline.slots_of(row)
        done = np.interp(slots, np.arange(count + 1), self._timeline.day_shape(count))
        return int(self.day_volume(symbol, row) * done)

    def day_volume(self, symbol: str, row: int) -> float:
        """Return shares traded in a whole session: more in restless times."""
        one = UNDERLYINGS[symbol]
        draw = generator(self._seed, _VOLUME_SALT, row, one.con_id).standard_normal()
        length = self._timeline.slots_of(row) / 4680.0
        busy = float(np.exp(_VOLUME_SPREAD * draw)) * self._paths.restlessness(row)
        return one.volume_daily * busy * length

    def _running(self, symbol: str, row: int) -> tuple[Floats, Floats]:
        key = (symbol, row)
        known = self._extremes.get(key)
        if known is None:
            nodes = self._paths.prices(symbol, row, by_day=True)
            opens = int(self._timeline.open_ns[row])
            instants = opens + SLOT_NS * np.arange(len(nodes))
            nodes = nodes * np.exp(self._levers.offsets(symbol, instants))
            known = (np.maximum.accumulate(nodes), np.minimum.accumulate(nodes))
            if len(self._extremes) > 200:
                self._extremes.clear()
            self._extremes[key] = known
        return known

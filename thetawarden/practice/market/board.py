"""Puts quotes on the board: what each contract's market looks like at one instant.

A closed product has no bid and no ask; its last price,
its close and its mark remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.products import FUTURES, SHARE, SHARE_HOURS
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.futures import Futures
from thetawarden.practice.market.ids import future_terms
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.option_board import OptionBoard
from thetawarden.practice.market.pace import Pace
from thetawarden.practice.market.quoting import quote_price
from thetawarden.practice.market.roster import (
    UNDERLYINGS,
    VOL_INDEX_CON_IDS,
    Underlying,
    VolIndex,
)
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.volbook import VolBook
from thetawarden.practice.model import Quote

Floats: TypeAlias = NDArray[np.float64]

_FROZEN_MAX = 20_000
_SHARE_HALF_SPREAD = {UnderlyingKind.ETF: 0.000_006, UnderlyingKind.STOCK: 0.000_035}


class Board:
    """Quotes of anything, at any instant."""

    def __init__(
        self,
        *,
        levers: Levers,
        catalog: Catalog,
        clockwork: Clockwork,
        tape: Tape,
        futures: Futures,
        vol_book: VolBook,
        options: OptionBoard,
        pace: Pace,
    ) -> None:
        self._levers, self._catalog, self._clockwork = levers, catalog, clockwork
        self._tape, self._futures, self._vol_book = tape, futures, vol_book
        self._options, self._pace = options, pace
        self._underlying = {one.con_id: one for one in UNDERLYINGS.values()}
        self._vol_index = {number: index for index, number in VOL_INDEX_CON_IDS.items()}
        self._frozen: dict[int, tuple[int, Quote | None]] = {}

    def forget(self) -> None:
        """Drop what was remembered."""
        self._frozen.clear()

    def frozen(self, con_id: int, now_ns: int) -> Quote | None:
        """Return the market a closed contract showed at last; None while it trades."""
        hours = self._catalog.hours_of(con_id, now_ns)
        if hours is None or self._clockwork.segment_at(hours, now_ns) is not None:
            return None
        ended_ns = self._clockwork.live_ns(hours, now_ns)
        known = self._frozen.get(con_id)
        if known is None or known[0] != ended_ns:
            if len(self._frozen) >= _FROZEN_MAX:
                self._frozen.clear()
            known = self._frozen[con_id] = (ended_ns, self._at_the_end(con_id, ended_ns, now_ns))
        return known[1]

    def _at_the_end(self, con_id: int, ended_ns: int, now_ns: int) -> Quote | None:
        (idle,) = self.quotes((con_id,), now_ns)
        (shown,) = self.quotes((con_id,), ended_ns - NS_PER_SECOND)
        if idle is None or shown is None:
            return idle
        return msgspec.structs.replace(
            idle,
            bid=shown.bid,
            ask=shown.ask,
            bid_size=shown.bid_size,
            ask_size=shown.ask_size,
            bid_exchanges=shown.bid_exchanges,
            ask_exchanges=shown.ask_exchanges,
            model=shown.model,
            bid_greeks=shown.bid_greeks,
            ask_greeks=shown.ask_greeks,
        )

    def quotes(self, con_ids: Sequence[int], now_ns: int) -> list[Quote | None]:
        """Return the quote of each contract, None for what is not listed now."""
        found: list[Quote | None] = [None] * len(con_ids)
        for place, con_id in enumerate(con_ids):
            if con_id in self._underlying:
                found[place] = self._share(self._underlying[con_id], now_ns)
            elif con_id in self._vol_index:
                found[place] = self._index_of_vol(self._vol_index[con_id], con_id, now_ns)
            elif future_terms(con_id) is not None:
                found[place] = self._future(con_id, now_ns)
        self._options.fill(found, tuple(con_ids), now_ns)
        return found

    def _share(self, one: Underlying, now_ns: int) -> Quote:
        traded = self._tape.traded(one.symbol, now_ns)
        index = one.kind is UnderlyingKind.INDEX
        last = round(traded.last, 2)
        idle = Quote(
            con_id=one.con_id,
            at_ns=now_ns,
            last=last,
            last_size=0 if index else 100,
            last_at_ns=traded.last_at_ns,
            volume=None if index else traded.volume,
            open=_cents(traded.open),
            high=_cents(traded.high),
            low=_cents(traded.low),
            close=_cents(traded.close),
            mark=last,
            halted=self._levers.halted(one.symbol, now_ns),
        )
        segment = self._clockwork.segment_at(SHARE_HOURS, now_ns)
        if index or segment is None or idle.halted:
            return idle
        factor = self._pace.factor(hours=SHARE_HOURS, symbol=one.symbol, at_ns=now_ns)
        half = _SHARE_HALF_SPREAD[one.kind]
        bid, ask = quote_price(value=traded.last, rule=SHARE, half_fraction=half, factor=factor)
        second = now_ns // NS_PER_SECOND
        return msgspec.structs.replace(
            idle,
            bid=bid,
            ask=ask,
            bid_size=100 * (1 + (second * 7 + one.con_id) % 9),
            ask_size=100 * (1 + (second * 5 + one.con_id) % 8),
            bid_exchanges="PQ",
            ask_exchanges="QZ",
        )

    def _index_of_vol(self, index: VolIndex, con_id: int, now_ns: int) -> Quote:
        at = self._vol_book.session(index, now_ns)
        return Quote(
            con_id=con_id,
            at_ns=now_ns,
            last=at.last,
            last_at_ns=at.last_at_ns,
            open=at.open,
            high=at.high,
            low=at.low,
            close=at.close,
            mark=at.last,
        )

    def _future(self, con_id: int, now_ns: int) -> Quote | None:
        month = self._catalog.future_month(con_id, now_ns)
        if month is None or now_ns >= month.settlement_ns:
            return None
        product = FUTURES[month.symbol]
        value = self._futures.fair(month, now_ns)
        segment = self._clockwork.segment_at(product.hours, now_ns)
        idle = Quote(
            con_id=con_id,
            at_ns=now_ns,
            last=value.rounded,
            last_at_ns=now_ns,
            last_size=1,
            close=self._futures.previous_settlement(month, now_ns),
            mark=value.rounded,
        )
        if segment is None or now_ns >= month.last_trade_ns:
            return idle
        half = 0.000_02 if product.underlying != "VIX" else 0.001
        bid, ask = quote_price(value=value.fair, rule=product.ticks, half_fraction=half, factor=1.0)
        second = now_ns // NS_PER_SECOND
        return msgspec.structs.replace(
            idle,
            bid=bid,
            ask=ask,
            bid_size=1 + (second * 11 + con_id) % 60,
            ask_size=1 + (second * 13 + con_id) % 60,
        )


def _cents(price: float | None) -> float | None:
    return None if price is None else round(price, 2)

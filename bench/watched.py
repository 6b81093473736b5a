"""Makes chains to be watched: series, a board over them, and quotes of a known smile.

The same world serves the benchmarks and the tests of the watcher.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.board import Board, BoardState
from thetawarden.domain.chains.identity import Refusal, SeriesKey, sort_out, terms_of
from thetawarden.domain.chains.plan import WatchedSeries
from thetawarden.domain.chains.settings import WatchSettings
from thetawarden.domain.instants import NS_PER_DAY, UnixNs, new_york_ns
from thetawarden.domain.market.contracts import ExerciseStyle, Right
from thetawarden.domain.market.expiry import ExpiryFault, expiry_terms
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.pricing.american import american_price
from thetawarden.domain.pricing.arrays import FloatArray, Rows
from thetawarden.domain.pricing.black import black_price

DAY = dt.date(2026, 3, 2)
NOW = new_york_ns(DAY, dt.time(11))
EXPIRIES = tuple(DAY + dt.timedelta(days=away) for away in (1, 2, 3, 4, 30))
RATE, YIELD = 0.04, 0.01


class World:
    """An underlying, its qualified series, and the law its quotes follow."""

    def __init__(self, symbol: str = "SPX", *, expiries: tuple[dt.date, ...] = EXPIRIES) -> None:
        index = symbol in {"SPX", "XSP"}
        self.symbol = symbol
        self.trading_class = {"SPX": "SPXW"}.get(symbol, symbol)
        self.spot_usd, self.step_usd = {"SPX": (6400.0, 5)}.get(symbol, (640.0, 1))
        self._boards: dict[WatchSettings, BoardState] = {}
        kind = InstrumentKind.INDEX if index else InstrumentKind.STOCK
        self.underlying = Instrument(conid=1, kind=kind, symbol=symbol)
        self.series = tuple(
            self._series(expiry, first_conid=10_000 * number)
            for number, expiry in enumerate(expiries, 1)
        )

    def options(self, expiry: dt.date, *, first_conid: int) -> tuple[Instrument, ...]:
        """Every option of one expiry, as the broker would list them."""
        low = int(self.spot_usd * 0.7) // self.step_usd * self.step_usd
        strikes = range(low, int(self.spot_usd * 1.3), self.step_usd)
        return tuple(
            Instrument(
                conid=first_conid + 2 * number + (right is Right.PUT),
                kind=InstrumentKind.OPTION,
                symbol=self.symbol,
                multiplier=100,
                trading_class=self.trading_class,
                expiry=expiry,
                strike=Decimal(strike),
                right=right,
            )
            for number, strike in enumerate(strikes)
            for right in Right
        )

    def _series(self, expiry: dt.date, *, first_conid: int) -> WatchedSeries:
        terms = terms_of(
            trading_class=self.trading_class,
            multiplier=100,
            underlying=self.symbol,
            is_index=self.underlying.kind is InstrumentKind.INDEX,
        )
        if isinstance(terms, Refusal):
            raise TypeError(terms)
        ends = expiry_terms(
            option_class=terms, expiry=expiry, sessions=load_sessions(Exchange.NYSE)
        )
        if isinstance(ends, ExpiryFault):
            raise TypeError(ends)
        return WatchedSeries(
            contracts=sort_out(
                self.options(expiry, first_conid=first_conid),
                underlying=self.symbol,
                key=SeriesKey(expiry=expiry, trading_class=self.trading_class),
                exchange="SMART",
                day=DAY,
            ),
            settlement=terms.settlement,
            style=terms.style,
            settles_ns=ends.settlement_ns,
            last_trade_ns=ends.last_trade_ns,
        )

    def board(self, settings: WatchSettings | None = None) -> Board:
        """A board over all series that has been quoted, fitted and planned by the smile."""
        settings = settings or WatchSettings()
        if settings not in self._boards:
            self._boards[settings] = self._new_board(settings).at_rest()
        return Board(settings, self._boards[settings])

    def _new_board(self, settings: WatchSettings) -> Board:
        board = Board(settings)
        board.hear_link(epoch=1, up=True, now=UnixNs(NOW - 1))
        self.tell_spot(board)
        while board.replan(self.series, interest={}, today=DAY):
            self.tell(board, range(len(board.rows)))
            board.fit(today=DAY, now=NOW)
        return board

    def tell(self, board: Board, rows: Iterable[int], *, at_ns: int = NOW, **changes: Any) -> None:
        """Quote these rows anew by the law, but for the changes."""
        board.observe(
            write_quotes(self.quotes(board, rows, at_ns=at_ns, **changes)),
            epoch=board.epoch,
            underlying=self.underlying,
            now=UnixNs(at_ns),
        )

    def tell_spot(
        self, board: Board, spot_usd: float | None = None, *, at_ns: int = NOW, **changes: Any
    ) -> None:
        """Quote the underlying."""
        quote = self.spot_quote(spot_usd, at_ns=at_ns, **changes)
        written = write_quotes([quote])
        board.observe(written, epoch=board.epoch, underlying=self.underlying, now=UnixNs(at_ns))

    def spot_quote(
        self, spot_usd: float | None = None, *, at_ns: int = NOW, **changes: Any
    ) -> Quote:
        """The underlying as it is quoted."""
        last = self.spot_usd if spot_usd is None else spot_usd
        figures = {"last_usd": last, "close_usd": self.spot_usd} | changes
        return Quote(conid=1, at_ns=UnixNs(at_ns), two_sided_ns=UnixNs(at_ns), **figures)

    def quotes(
        self,
        board: Board,
        rows: Iterable[int],
        *,
        at_ns: int = NOW,
        priced_ns: int | None = None,
        spot_usd: float | None = None,
        extra_iv: float = 0.0,
        **changes: Any,
    ) -> tuple[Quote, ...]:
        """Some options as the law quotes them; `extra_iv` lifts their volatility."""
        at = np.array(list(rows), dtype=np.intp)
        middles = self._worth(
            board,
            at,
            at_ns=at_ns if priced_ns is None else priced_ns,
            spot_usd=self.spot_usd if spot_usd is None else spot_usd,
            extra_iv=extra_iv,
        ).tolist()
        return tuple(
            _quote(int(board.table.conid[row]), middle, at_ns=at_ns, **changes)
            for row, middle in zip(at.tolist(), middles, strict=True)
        )

    def _worth(
        self, board: Board, at: Rows, *, at_ns: int, spot_usd: float, extra_iv: float
    ) -> FloatArray:
        """What options are worth under a skewed smile."""
        table = board.table
        settles_ns = np.array([one.settles_ns for one in board.series])[table.series[at]]
        tau = (settles_ns - at_ns) / (365 * NS_PER_DAY)
        strike, is_call = table.strike_usd[at], table.is_call[at]
        x = np.log(strike / spot_usd) / (0.15 * np.sqrt(tau))
        iv = 0.15 * np.sqrt(np.maximum(1.0 - 0.12 * x + 0.03 * x * x, 0.1)) + extra_iv
        if board.series[0].style is ExerciseStyle.AMERICAN:
            return american_price(
                spot=spot_usd,
                strike=strike,
                tau_years=tau,
                iv_annual=iv,
                rate_annual=RATE,
                yield_annual=YIELD,
                is_call=is_call,
            )
        return black_price(
            forward=spot_usd * np.exp((RATE - YIELD) * tau),
            strike=strike,
            discount=np.exp(-RATE * tau),
            tau_years=tau,
            iv_annual=iv,
            is_call=is_call,
        )


def _quote(conid: int, middle: float, *, at_ns: int, **changes: Any) -> Quote:
    half = max(0.01, 0.01 * middle)
    figures = {
        "bid_usd": round(max(middle - half, 0.01), 2),
        "ask_usd": round(middle + half + 0.005, 2),
        "bid_size": 10.0,
        "ask_size": 10.0,
        "volume": 100.0,
        "open_interest": 600.0,
        "two_sided_ns": UnixNs(at_ns),
    } | changes
    return Quote(conid=conid, at_ns=UnixNs(at_ns), **figures)

"""What a chain watcher costs: one tick to a view of two hundred rows, and a full fit of them.

CPU time of the actor alone, without threads, log or wire. Beside it the least that anybody would
have to do who keeps nothing: volatilities and Greeks of all rows anew, and the bare analysis.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from bench.harness import Figure, Goal
from bench.watched import DAY, NOW, World
from thetawarden.actors.chain import Chain, ChainState, Course
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.board import Board
from thetawarden.domain.chains.fitting import FitHabits
from thetawarden.domain.chains.search import Search
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.market.expiry import tau_calendar_years
from thetawarden.domain.pricing.american import american_greeks
from thetawarden.domain.pricing.american_implied import american_implied_volatility
from thetawarden.domain.pricing.black import spot_greeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.surface.analysis import analyse_chain
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.market import QuotesObserved

_TICKS = 200
_FITS = 5
_STEP_NS = 20 * NS_PER_SECOND // 10  # the cadence, so that each tick is seen at once


class Watched:
    """A watcher at work, and its chain as plain arrays."""

    def __init__(self, symbol: str) -> None:
        self.world = World(symbol)
        self.board = self.world.board()
        self.quotes = self._plain()
        self.taus = self.quotes.tau_years[self.quotes.expiry_index]

    def chain(self) -> Chain:
        """A watcher that has all of it in view."""
        chain = Chain(underlying=self.world.symbol)
        search = Search(underlying=self.world.symbol, instrument=self.world.underlying, day=DAY)
        course = Course(search=search)  # fits are measured apart: none is due within a pause
        chain.state = ChainState(course=course, board=self.board.at_rest(), view=None)
        return chain

    def ticks(self) -> list[tuple[QuotesObserved, UnixNs]]:
        """One option quoted anew again and again, the underlying with it so that it stays fresh."""
        return [self._tick(number) for number in range(1, _TICKS + 1)]

    def _tick(self, number: int) -> tuple[QuotesObserved, UnixNs]:
        at = UnixNs(NOW + number * _STEP_NS // 100)
        extra = 0.0001 * (number % 7)
        written = write_quotes(self.world.quotes(self.board, [5], at_ns=at, extra_iv=extra))
        return QuotesObserved(epoch=1, underlying=self.world.symbol, written=written), at

    def _plain(self) -> ChainQuotes:
        table, series = self.board.table, self.board.series
        settles = np.array([one.settles_ns for one in series])
        return ChainQuotes(
            spot_usd=self.world.spot_usd,
            tau_years=tau_calendar_years(now_ns=NOW, settlement_ns=settles),
            expiry_index=table.series.astype(np.intp),
            strike_usd=table.strike_usd,
            is_call=table.is_call,
            bid_usd=table.sound_bid_usd,
            ask_usd=table.sound_ask_usd,
            quote_age_ns=0,
            exercise=series[0].style,
        )


@cache
def _watched(symbol: str) -> Watched:
    return Watched(symbol)


def _cpu_ms(act: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - start) / times * 1e3


def _tick_ms(symbol: str) -> float:
    watched = _watched(symbol)
    chain, ticks = watched.chain(), iter(watched.ticks())
    chain._course.viewed_ns = UnixNs(0)  # noqa: SLF001 - quiet before each tick

    def one() -> None:
        message, at = next(ticks)
        chain._course.viewed_ns = UnixNs(0)  # noqa: SLF001
        said = chain.receive(message, at)
        if not any(isinstance(each, ChainViewed) for each in said):
            raise AssertionError(said)

    return _cpu_ms(one, _TICKS)


def _all_rows_ms(symbol: str) -> float:
    watched = _watched(symbol)
    quotes, spot = watched.quotes, watched.world.spot_usd
    american = quotes.exercise is ExerciseStyle.AMERICAN
    forward, discount = spot * np.exp(0.03 * watched.taus), np.exp(-0.04 * watched.taus)
    terms = {"strike": quotes.strike_usd, "tau_years": watched.taus, "is_call": quotes.is_call}

    def european() -> None:
        rates = {"forward": forward, "discount": discount}
        found = implied_volatility(price_usd=quotes.mid_usd, **rates, **terms)  # type: ignore[arg-type]
        spot_greeks(spot=spot, iv_annual=found.iv_annual, **rates, **terms)  # type: ignore[arg-type]

    def american_rows() -> None:
        rates = {"spot": spot, "rate_annual": 0.04, "yield_annual": 0.01}
        found = american_implied_volatility(price_usd=quotes.mid_usd, **rates, **terms)  # type: ignore[arg-type]
        american_greeks(iv_annual=found.iv_annual, **rates, **terms)  # type: ignore[arg-type]

    return _cpu_ms(american_rows if american else european, 20)


def _fit_ms(symbol: str) -> float:
    watched = _watched(symbol)
    board = Board(watched.board._settings, watched.board.at_rest())  # noqa: SLF001
    return _cpu_ms(lambda: board.fit(today=DAY, now=NOW), _FITS)


def _bare_fit_ms(symbol: str) -> float:
    settings = FitHabits().analysis()
    quotes = _watched(symbol).quotes
    return _cpu_ms(lambda: analyse_chain(quotes, settings=settings), _FITS)


def _tick(symbol: str, style: str, *, ratio: float) -> Figure:
    return Figure(
        name=f"tick to chain view, {style}",
        unit="ms",
        measure=partial(_tick_ms, symbol),
        reference="bare IV + Greeks of all its rows",
        measure_reference=partial(_all_rows_ms, symbol),
        goals=(
            Goal(of="value", relation="<=", limit=1.0),
            Goal(of="ratio", relation="<=", limit=ratio),
        ),
        repetitions=7,
    )


def _fit(symbol: str, style: str) -> Figure:
    return Figure(
        name=f"chain refit, {style}",
        unit="ms",
        measure=partial(_fit_ms, symbol),
        reference="bare analysis of the same quotes",
        measure_reference=partial(_bare_fit_ms, symbol),
        goals=(Goal(of="ratio", relation="<=", limit=1.3),),
        repetitions=5,
    )


FIGURES = (
    _tick("SPX", "European", ratio=4.0),
    _tick("SPY", "American", ratio=0.2),
    _fit("SPX", "European"),
    _fit("SPY", "American"),
)

"""A whole SPX chain from quotes to skew, beside the bare volatilities and Greeks of its rows.

CPU time, so that a library's own threads would count against us. Without the real chain beside
the checkout a made one of the same size takes its place, and the figure's name says so.
"""

from __future__ import annotations

import datetime as dt
import time
from functools import cache

import numpy as np

from bench.chains import made_chain, read_chain
from bench.harness import Figure, Goal
from bench.market_study.real import data_folder
from thetawarden.domain.pricing.black import spot_greeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.quotes import QuoteLimits
from thetawarden.domain.surface.analysis import (
    AnalysisSettings,
    ChainAnalysis,
    analyse_chain,
)
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.domain.surface.parity import RatePrior

_FOLDER = data_folder()
_CHAIN = "option_chains/spx_20230207.csv.gz"
_FILE = _FOLDER / _CHAIN if _FOLDER is not None and (_FOLDER / _CHAIN).is_file() else None
_ROUNDS = 5
_SETTINGS = AnalysisSettings(
    limits=QuoteLimits(quote_age_ns_max=60e9, spread_fraction_max=0.5, spread_usd_always_fine=0.1),
    rate_prior=RatePrior(rate_annual=0.047),
)


@cache
def _quotes() -> ChainQuotes:
    if _FILE is None:
        return made_chain(seed=20230207)
    return read_chain(_FILE).quotes(at=dt.time(16))


@cache
def _analysed() -> ChainAnalysis:
    return analyse_chain(_quotes(), settings=_SETTINGS)


def _chain_ms() -> float:
    quotes = _quotes()
    start = time.process_time()
    for _ in range(_ROUNDS):
        analyse_chain(quotes, settings=_SETTINGS)
    return (time.process_time() - start) / _ROUNDS * 1e3


def _bare_ms() -> float:
    quotes, forwards = _quotes(), _analysed().forwards
    rows = np.flatnonzero(_analysed().quote_codes == 0)
    expiry = quotes.expiry_index[rows]
    mid = (quotes.bid_usd + quotes.ask_usd)[rows] / 2.0
    strike, is_call = quotes.strike_usd[rows], quotes.is_call[rows]
    forward, discount = forwards.forward_usd[expiry], forwards.discount[expiry]
    tau = quotes.tau_years[expiry]
    start = time.process_time()
    for _ in range(_ROUNDS):
        implied = implied_volatility(
            price_usd=mid,
            forward=forward,
            strike=strike,
            discount=discount,
            tau_years=tau,
            is_call=is_call,
        )
        spot_greeks(
            spot=quotes.spot_usd,
            forward=forward,
            strike=strike,
            discount=discount,
            tau_years=tau,
            iv_annual=implied.iv_annual,
            is_call=is_call,
        )
    return (time.process_time() - start) / _ROUNDS * 1e3


FIGURES = (
    Figure(
        name=f"chain analysis, {'real' if _FILE else 'made'} SPX chain of 9,481 lines",
        unit="ms",
        measure=_chain_ms,
        reference="bare IV + Greeks of its usable rows",
        measure_reference=_bare_ms,
        goals=(
            Goal(of="value", relation="<=", limit=100.0),
            Goal(of="ratio", relation="<=", limit=50.0),
        ),
        repetitions=7,
    ),
)

"""Scenes that strategies are tried on: chains of a known law or of a file, markets, books."""

import datetime as dt

import msgspec
import numpy as np

from bench.watched import DAY, NOW, World
from thetawarden.config.schema import Config
from thetawarden.config.selling import strategy_settings
from thetawarden.domain.chains.view import (
    ROW_TYPES,
    ChainSummary,
    ChainView,
    SeriesView,
    pack_rows,
    read_rows,
)
from thetawarden.domain.context.figures import Figures
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.contracts import Settlement
from thetawarden.domain.regime.assess import RegimeInputs, RegimeLimits, assess
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.strategy.portfolio import Portfolio
from thetawarden.domain.strategy.scene import open_scene
from thetawarden.domain.surface.liquidity import LiquidityScale

ANY_LIQUIDITY = LiquidityScale(
    spread_fraction_good=90.0, spread_fraction_max=99.0, open_interest_good=0, open_interest_min=0
)


def settings(**changes):
    return msgspec.structs.replace(strategy_settings(Config().strategy), **changes)


def terms_of(name, **changes):
    everything = Config().strategy
    section = msgspec.structs.replace(getattr(everything, name), enabled=True)
    chosen = msgspec.structs.replace(everything, **{name: section})
    return msgspec.structs.replace(strategy_settings(chosen).terms[name], **changes)


def regime(*, now=NOW, vix=17.0, price=6400.0, **trend):
    def at(value):
        return Reading(value=value, at_ns=now)

    figures = {"sma20": 6350.0, "sma50": 6300.0, "sma200": 6000.0, "adx": 15.0} | trend
    inputs = RegimeInputs(
        curve=VolCurve(
            vix=at(vix),
            vix3m=at(vix + 2.0),
            first_future=at(vix + 1.0),
            second_future=at(vix + 2.0),
        ),
        trend=TrendInputs(price=at(price), **{name: at(value) for name, value in figures.items()}),
        underlyings=0,
        average_correlation=None,
        macro=(),
        days=(),
    )
    return assess(inputs=inputs, previous_band=None, now_ns=now, limits=RegimeLimits())


def figures(**changes):
    plain = dict.fromkeys(Figures.__struct_fields__)
    return Figures(**(plain | {"day": DAY, "close_usd": 6400.0} | changes))


def book(**changes):
    return Portfolio(**({"reconciled": True, "at_ns": NOW, "nlv_usd": 1e6} | changes))


_VIEWS = {}


def view_of(symbol="SPX", *, now=NOW):
    if (symbol, now) not in _VIEWS:
        board = World(symbol).board()
        _VIEWS[symbol, now] = board.look(underlying=symbol, number=1, today=DAY, now=now)
    return _VIEWS[symbol, now]


def changed(view, **columns):
    """The view with some columns, or some of their rows, replaced: name=array or name={row: v}."""
    rows = read_rows(view)
    found = {name: getattr(rows, name).copy() for name in ROW_TYPES}
    for name, values in columns.items():
        if isinstance(values, dict):
            for row, value in values.items():
                found[name][row] = value
        else:
            found[name] = np.asarray(values)
    return msgspec.structs.replace(view, columns=pack_rows(found))


def with_series(view, **changes):
    series = tuple(msgspec.structs.replace(one, **changes) for one in view.series)
    return msgspec.structs.replace(view, series=series)


def scene_of(view=None, *, now=NOW, scale=None, **changes):
    told = {"regime": regime(now=now), "figures": None, "portfolio": book()} | changes
    return open_scene(view or view_of(), now_ns=now, scale=scale, **told)


def view_of_file(file, analysis, *, at=dt.time(16), symbol="SPX"):
    """A chain file, analysed, as a view: every two-sided quote usable."""
    now = new_york_ns(file.quoted_on, at)
    size = len(file.strike_usd)
    usable = (file.bid_usd > 0) & (file.ask_usd > file.bid_usd)
    columns = dict.fromkeys(ROW_TYPES, np.full(size, np.nan)) | {
        "conid": np.arange(1, size + 1),
        "series": file.expiry_index,
        "strike_usd": file.strike_usd,
        "is_call": file.is_call,
        "bid_usd": file.bid_usd,
        "ask_usd": file.ask_usd,
        "bid_size": np.full(size, 10.0),
        "ask_size": np.full(size, 10.0),
        "volume": np.full(size, 100.0),
        "open_interest": file.open_interest,
        "iv_annual": analysis.implied.iv_annual,
        "smile_iv_annual": analysis.smile_iv_annual,
        "delta_per_share": analysis.greeks.delta_per_share,
        "at_ns": np.full(size, now),
        "doubt": np.where(usable, 0, 1),
    }
    series = tuple(
        SeriesView(
            trading_class="SPX" if am else "SPXW",
            expiry=day,
            settlement=Settlement.AM if am else Settlement.PM,
            settles_ns=new_york_ns(day, dt.time(9, 30) if am else dt.time(16)),
            last_trade_ns=new_york_ns(day, dt.time(9, 30) if am else dt.time(16)),
            rows=size,
            usable=size,
            tau_years=float(tau),
            forward_usd=float(analysis.forwards.forward_usd[n]),
            discount=float(analysis.forwards.discount[n]),
            atm_iv_annual=0.2,
        )
        for n, (day, am, tau) in enumerate(
            zip(file.expiry_dates, file.am_settled, file.tau_years(at=at), strict=True)
        )
    )
    return ChainView(
        underlying=symbol,
        number=1,
        at_ns=now,
        epoch=1,
        spot_usd=file.spot_usd,
        spot_at_ns=now,
        spot_doubt="",
        fitted_ns=now,
        series=series,
        summary=ChainSummary(rows=size, usable=int(usable.sum()), doubts=()),
        columns=pack_rows(columns),
    )

"""Lists what the market knows: underlyings with their levels, risks, dividends and smiles. Data.

Prices are USD at the market's start, which the history leads up to. `beta` multiplies the market's
log return, `sector_beta` the sector's; `own_vol_annual` is what neither explains. `vol_load` says
how much of the market's volatility factors an underlying's own volatility takes over.
Real conIds stand where they are public knowledge, so that habits carry over.
"""

from __future__ import annotations

import csv
import enum
from importlib import resources

import msgspec

from thetawarden.domain.market.contracts import OptionClass, UnderlyingKind
from thetawarden.domain.market.products import (
    CENT_THEN_NICKEL,
    OPTION_CLASSES,
    stock_option_class,
)


class Smile(msgspec.Struct, frozen=True, kw_only=True):
    """Shape of an implied surface: correlation, curvature, and volatility against the market's."""

    rho: float
    eta: float
    vol_ratio: float = 1.0


class Underlying(msgspec.Struct, frozen=True, kw_only=True):
    """One stock, ETF or index and everything that is peculiar to it."""

    symbol: str
    name: str
    kind: UnderlyingKind
    con_id: int
    exchange: str
    price: float
    smile: Smile
    sector: str = ""
    industry: str = ""
    follows: str = ""
    """Index whose path this one is a fixed fraction of, dividends aside."""
    beta: float = 1.0
    sector_beta: float = 0.0
    own_vol_annual: float = 0.0
    vol_load: float = 1.0
    yield_annual: float = 0.0
    pays_in: int = -1
    """Month of the quarter (0, 1, 2) of the cash dividend; -1: none (an index's flows)."""
    volume_daily: int = 0
    shares_out: int = 0
    reports_in: int = -1
    """Month of the quarter in which earnings come out; -1 for what has none."""


class VolIndex(enum.StrEnum):
    """Indices that are computed from SPX options."""

    VIX = "VIX"
    VIX9D = "VIX9D"
    VIX3M = "VIX3M"


VOL_INDEX_DAYS = {VolIndex.VIX: 30.0, VolIndex.VIX9D: 9.0, VolIndex.VIX3M: 93.0}
VOL_INDEX_CON_IDS = {
    VolIndex.VIX: 13455763,
    VolIndex.VIX9D: 131478101,
    VolIndex.VIX3M: 47207310,
}
VOL_INDEX_NAMES = {
    VolIndex.VIX: "CBOE Volatility Index",
    VolIndex.VIX9D: "CBOE S&P 500 9-Day Volatility Index",
    VolIndex.VIX3M: "CBOE S&P 500 3-Month Volatility Index",
}

_INDEX_SMILE = Smile(rho=-0.72, eta=1.05)
_INDEX, _ETF, _STOCK = UnderlyingKind.INDEX, UnderlyingKind.ETF, UnderlyingKind.STOCK
_NASDAQ_SMILE = Smile(rho=-0.70, eta=1.0, vol_ratio=1.22)
_SMALL_SMILE = Smile(rho=-0.68, eta=1.0, vol_ratio=1.28)

_INDICES = (
    Underlying(
        symbol="SPX",
        name="S&P 500 Stock Index",
        kind=_INDEX,
        con_id=416904,
        exchange="CBOE",
        price=6400.0,
        smile=_INDEX_SMILE,
        yield_annual=0.013,
    ),
    Underlying(
        symbol="XSP",
        name="Mini-SPX Index",
        kind=_INDEX,
        con_id=137851301,
        exchange="CBOE",
        price=640.0,
        follows="SPX",
        smile=_INDEX_SMILE,
        yield_annual=0.013,
    ),
    Underlying(
        symbol="NDX",
        name="Nasdaq-100 Stock Index",
        kind=_INDEX,
        con_id=416843,
        exchange="NASDAQ",
        price=23200.0,
        beta=1.14,
        own_vol_annual=0.085,
        smile=_NASDAQ_SMILE,
        yield_annual=0.007,
    ),
    Underlying(
        symbol="RUT",
        name="Russell 2000 Stock Index",
        kind=_INDEX,
        con_id=416888,
        exchange="RUSSELL",
        price=2250.0,
        beta=1.10,
        own_vol_annual=0.105,
        smile=_SMALL_SMILE,
        yield_annual=0.013,
    ),
)


def _etf(row: tuple[str, str, int, str, float, str, int], smile: Smile) -> Underlying:
    symbol, name, con_id, exchange, price, follows, volume = row
    index = next(one for one in _INDICES if one.symbol == follows)
    return Underlying(
        symbol=symbol,
        name=name,
        kind=_ETF,
        con_id=con_id,
        exchange=exchange,
        price=price,
        follows=follows,
        beta=index.beta,
        own_vol_annual=index.own_vol_annual,
        smile=smile,
        yield_annual=index.yield_annual,
        pays_in=2,
        volume_daily=volume,
        shares_out=900_000_000,
    )


_ETFS = (
    _etf(("SPY", "SPDR S&P 500 ETF TRUST", 756733, "ARCA", 638.0, "SPX", 65_000_000), _INDEX_SMILE),
    _etf(
        ("QQQ", "INVESCO QQQ TRUST SERIES 1", 320227571, "NASDAQ", 565.0, "NDX", 42_000_000),
        _NASDAQ_SMILE,
    ),
    _etf(
        ("IWM", "ISHARES RUSSELL 2000 ETF", 9579970, "ARCA", 223.0, "RUT", 30_000_000),
        _SMALL_SMILE,
    ),
)

SECTOR_VOLS_ANNUAL = {
    "Technology": 0.085,
    "Consumer Cyclical": 0.070,
    "Communications": 0.075,
    "Financial": 0.090,
    "Energy": 0.150,
    "Health Care": 0.085,
    "Consumer Staples": 0.085,
    "Industrial": 0.070,
}
"""What moves a sector's companies together beyond the market."""


class StockRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `stocks.csv`."""

    symbol: str
    name: str
    con_id: int
    exchange: str
    sector: str
    industry: str
    price: float
    beta: float
    sector_beta: float
    own_vol_annual: float
    yield_annual: float
    pays_in: int
    reports_in: int
    volume_millions: int
    shares_millions: int


def _stocks() -> tuple[Underlying, ...]:
    text = (resources.files(__package__) / "stocks.csv").read_text(encoding="utf-8")
    rows = msgspec.convert(list(csv.DictReader(text.splitlines())), list[StockRow], strict=False)
    return tuple(_stock(row) for row in rows)


def _stock(row: StockRow) -> Underlying:
    return Underlying(
        symbol=row.symbol,
        name=row.name,
        kind=_STOCK,
        con_id=row.con_id,
        exchange=row.exchange,
        price=row.price,
        sector=row.sector,
        industry=row.industry,
        beta=row.beta,
        sector_beta=row.sector_beta,
        own_vol_annual=row.own_vol_annual,
        vol_load=0.75,
        smile=Smile(rho=-0.42, eta=0.95),
        yield_annual=row.yield_annual,
        pays_in=row.pays_in,
        reports_in=row.reports_in,
        volume_daily=row.volume_millions * 1_000_000,
        shares_out=row.shares_millions * 1_000_000,
    )


_STOCKS = _stocks()

UNDERLYINGS: dict[str, Underlying] = {one.symbol: one for one in (*_INDICES, *_ETFS, *_STOCKS)}
"""Everything with a path of its own or a share in another's, by symbol."""

CLASSES: dict[str, OptionClass] = OPTION_CLASSES | {
    one.symbol: stock_option_class(one.symbol, ticks=CENT_THEN_NICKEL) for one in _STOCKS
}
"""Every option class that is listed, by trading class; the order fixes conIds: append only."""


def classes_on(symbol: str) -> tuple[OptionClass, ...]:
    """Return the option classes written on an underlying."""
    return tuple(terms for terms in CLASSES.values() if terms.underlying == symbol)


def con_id_of(symbol: str) -> int:
    """Return the conId of an underlying or a volatility index."""
    one = UNDERLYINGS.get(symbol)
    if one is not None:
        return one.con_id
    return next(number for index, number in VOL_INDEX_CON_IDS.items() if index.value == symbol)

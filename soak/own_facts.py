"""What the log itself says of market, account, positions and orders, kept apart from the desk.

Positions are what fills and explanations have made of them, message by message; an order counts
from its approval until it is over and its fills stand in the book. Nothing of the governor's own
state is looked at.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec
import numpy as np

from soak.own_orders import Live, OwnOrders
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.view import ChainView, SeriesView, read_rows
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.regime.readings import Reading
from thetawarden.messages.base import Message
from thetawarden.messages.books import AccountReported, BookFetched, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import BetasMeasured, ContextTaken
from thetawarden.messages.risk import ReviewDrawdown

LIKE_THE_INDEX = ("SPX", "XSP", "SPY", "ES")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account's own figures."""

    nlv_usd: float
    margin_usd: float
    liquid_usd: float


class Equity(msgspec.Struct, kw_only=True):
    """The worth of the account now, and where day, week, month and peak began."""

    day: dt.date
    now_usd: float
    day_usd: float
    week_usd: float
    month_usd: float
    peak_usd: float
    high_usd: float

    def take(self, nlv_usd: float, day: dt.date) -> None:
        """A figure: each new stretch of time begins with the last one before it."""
        if day > self.day:
            if day.isocalendar()[:2] != self.day.isocalendar()[:2]:
                self.week_usd = self.now_usd
            if (day.year, day.month) != (self.day.year, self.day.month):
                self.month_usd = self.now_usd
            self.day, self.day_usd = day, self.now_usd
        self.now_usd = nlv_usd
        self.peak_usd = max(self.peak_usd, nlv_usd)
        self.high_usd = max(self.high_usd, nlv_usd)

    def review(self) -> None:
        """A person has looked at a drawdown: it is measured from here, the depth of it is not."""
        self.peak_usd = self.now_usd

    def lost(self) -> dict[str, float]:
        """The losses, as parts of where they began."""
        began = {
            "day_loss": self.day_usd,
            "week_loss": self.week_usd,
            "month_loss": self.month_usd,
            "drawdown": self.peak_usd,
            "from_high": self.high_usd,
        }
        return {name: max(0.0, 1.0 - self.now_usd / usd) for name, usd in began.items()}


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What a view told of one option, and when."""

    at_ns: int
    years: float
    vol: float
    rate: float
    carry: float


class Facts:
    """Everything the limits are measured by."""

    def __init__(self) -> None:
        self.now_ns = UnixNs(0)
        self.chains: dict[str, ChainView] = {}
        self.marks: dict[int, Marks] = {}
        self.betas: dict[str, tuple[float, float]] = {}
        self.index: Reading | None = None
        self.vix: Reading | None = None
        self.likeness: Reading | None = None
        self.account: Account | None = None
        self.equity: Equity | None = None
        self.orders = OwnOrders()
        self.differs: list[str] = []
        self._account_ns = 0

    @property
    def day(self) -> dt.date:
        """The trading day."""
        return new_york_date(self.now_ns)

    def hear(self, body: Message, at_ns: UnixNs) -> str:
        """Take in a message; return what kind of thing it has moved, empty for nothing."""
        self.now_ns = at_ns
        match body:
            case ChainViewed(view=view):
                self.chains[view.underlying] = view
                self.marks |= marks_of(view)
                return "market"
            case ContextTaken(inputs=inputs):
                self.index, self.vix = inputs.trend.price, inputs.curve.vix
                self.likeness = inputs.average_correlation
                return "market"
            case BetasMeasured(betas=betas):
                self.betas = {one.symbol: (one.beta, one.iv_beta) for one in betas}
                return "market"
            case AccountReported(values=values):
                return self._values(values)
            case BookFetched(values=values):
                return "" if values is None else self._values(values)
            case PositionsValued():
                return self._valued(body)
            case ReviewDrawdown():
                return self._reviewed()
            case _:
                return self.orders.hear(body)

    def beta_of(self, symbol: str) -> tuple[float, float] | None:
        """How an underlying follows index and VIX; None when nobody has measured it."""
        return (1.0, 1.0) if symbol in LIKE_THE_INDEX else self.betas.get(symbol)

    def live(self) -> tuple[Live, ...]:
        """Every order that may yet bring something."""
        return self.orders.live(self.now_ns)

    def _values(self, values: AccountValues) -> str:
        net, margin = values.net_liquidation_usd, values.initial_margin_usd
        liquid = values.excess_liquidity_usd
        if not values.ready or net is None or margin is None or liquid is None:
            return ""
        if values.at_ns < self._account_ns:
            return ""
        self._account_ns = values.at_ns
        nlv = float(net)
        self.account = Account(nlv_usd=nlv, margin_usd=float(margin), liquid_usd=float(liquid))
        if self.equity is None:
            began = dict.fromkeys(("now", "day", "week", "month", "peak", "high"), nlv)
            self.equity = Equity(
                day=self.day, **{f"{name}_usd": usd for name, usd in began.items()}
            )
        self.equity.take(nlv, self.day)
        return "account"

    def _reviewed(self) -> str:
        if self.equity is None:
            return ""
        self.equity.review()
        return "account"

    def _valued(self, told: PositionsValued) -> str:
        """The keeper's count must be ours whenever it says that the broker's is the same."""
        for values in told.values:
            self._values(values)
        theirs = {
            row.instrument.conid: float(row.book_quantity)
            for row in told.positions
            if row.book_quantity
        }
        ours = self.orders.counts()
        if told.reconciled and ours != theirs:
            apart = sorted(set(ours.items()) ^ set(theirs.items()))[:4]
            self.differs.append(f"{self.day}: positions by our own count differ in {apart}")
        return "account"


def is_option(one: Instrument) -> bool:
    """Whether it is one option."""
    return one.strike is not None and one.right is not None


def marks_of(view: ChainView) -> dict[int, Marks]:
    """What a view tells of each of its options; those it cannot tell are left out."""
    rows, found = read_rows(view), {}
    vols = np.where((rows.doubt == 0) & np.isfinite(rows.iv_annual), rows.iv_annual, np.nan)
    vols = np.where(np.isfinite(vols), vols, rows.smile_iv_annual)
    carries = [_carry(one, view.spot_usd) for one in view.series]
    for conid, series, vol in zip(
        rows.conid.tolist(), rows.series.tolist(), vols.tolist(), strict=True
    ):
        carry = carries[series]
        if carry is not None and vol > 0.0:
            years, rate, dividends = carry
            found[conid] = Marks(at_ns=view.at_ns, years=years, vol=vol, rate=rate, carry=dividends)
    return found


def _carry(one: SeriesView, spot: float | None) -> tuple[float, float, float] | None:
    years, forward, discount = one.tau_years, one.forward_usd, one.discount
    if not (years and forward and discount and spot):
        return None
    rate = -math.log(discount) / years
    return years, rate, rate - math.log(forward / spot) / years

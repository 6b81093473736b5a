"""What the wire and the exchange ask of a market, and what the fault panel may do to it.

Reads are pure in market time: asking, or not asking, never changes what happens next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from thetawarden.practice.model.history import (
        Bar,
        BarRequest,
        HistogramBin,
        MidTick,
        QuoteTick,
        Session,
        TickRequest,
        TradeTick,
    )
    from thetawarden.practice.model.instruments import (
        Chain,
        Contract,
        ContractDetails,
        ContractQuery,
        PriceBand,
    )
    from thetawarden.practice.model.news import CorporateEvent, NewsArticle, NewsProvider
    from thetawarden.practice.model.quotes import Depth, Greeks, Quote, Reference


class Market(Protocol):
    """Prices, listings and history of a seeded market in its own time."""

    @property
    def now_ns(self) -> int:
        """The market's time, UTC."""

    def advance(self, to_ns: int) -> None:
        """Move time forward; the path is the same however the interval is cut."""

    def save(self) -> bytes:
        """Everything needed to go on from here."""

    def restore(self, state: bytes) -> None:
        """Go on from a saved state; raises ValueError when it is not one of this market."""

    # --- listings ---

    def find(self, query: ContractQuery) -> tuple[ContractDetails, ...]:
        """All unexpired contracts that match: several for an ambiguous query, none for unknown.

        A conId alone suffices; `expiry` YYYYMM matches the month; exchange SMART or empty or any
        valid exchange of the contract matches, and is echoed in the contract.
        """

    def details(self, con_id: int) -> ContractDetails | None:
        """The contract with this conId, expired ones included."""

    def search(self, pattern: str) -> tuple[ContractDetails, ...]:
        """Underlyings whose symbol or name begins with or contains the pattern, best first."""

    def underlyings(self) -> tuple[Contract, ...]:
        """Every stock, index and continuous root that is listed, for scanners and start-up."""

    def chains(self, *, under_con_id: int, future_exchange: str = "") -> tuple[Chain, ...]:
        """Option parameters, one row per exchange and trading class."""

    def derivative_types(self, con_id: int) -> tuple[str, ...]:
        """Security types of derivatives on an underlying: OPT, FUT, ... in a stable order."""

    def market_rule(self, rule_id: int) -> tuple[PriceBand, ...] | None:
        """A price ladder, or None for an unknown rule."""

    # --- now ---

    def quote(self, con_id: int) -> Quote | None:
        """The present quote, or None when nothing is listed under that conId any more."""

    def quotes(self, con_ids: Sequence[int]) -> Sequence[Quote | None]:
        """Many quotes at once; a market may be far faster in bulk."""

    def frozen_quote(self, con_id: int) -> Quote | None:
        """What a contract that is closed now showed at last; None while it trades."""

    @property
    def turns(self) -> int:
        """Grows whenever what `sides_ahead` told before may no longer hold."""

    def sides_ahead(
        self, con_ids: Sequence[int], at_ns: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Bids and asks at instants from now on, a row each, as quotes will show them then.

        They hold until something intervenes. None when they cannot be known together.
        """

    def watch(self, con_id: int) -> None:
        """A hint that quotes of this contract will be asked for often; counted."""

    def unwatch(self, con_id: int) -> None:
        """The opposite of one watch."""

    def reference(self, con_id: int) -> Reference:
        """Slow-moving data of an underlying; all None for contracts that have none."""

    def depth(self, *, con_id: int, rows_max: int) -> Depth:
        """The book; its best level is the quote."""

    def imply(self, *, con_id: int, option_price: float, under_price: float) -> Greeks | None:
        """Greeks at the volatility that explains the price; None when none does."""

    def value(self, *, con_id: int, iv_annual: float, under_price: float) -> Greeks | None:
        """Greeks and price of an option at a given volatility; None for other contracts."""

    # --- past ---

    def bars(self, request: BarRequest) -> tuple[Bar, ...]:
        """Bars, oldest first; empty when there is no such data."""

    def prepare_bars(self, request: BarRequest, *, most: int) -> bool:
        """Do at most so much of the dear work that bars need; return whether all is done."""

    def head_ns(self, con_id: int) -> int | None:
        """The instant from which bars exist."""

    def trades(self, request: TickRequest) -> tuple[TradeTick, ...]:
        """Prints, oldest first."""

    def quote_ticks(self, request: TickRequest) -> tuple[QuoteTick, ...]:
        """Changes of best bid and ask, oldest first."""

    def mid_ticks(self, request: TickRequest) -> tuple[MidTick, ...]:
        """Changes of the midpoint, oldest first."""

    def histogram(self, *, con_id: int, start_ns: int, end_ns: int) -> tuple[HistogramBin, ...]:
        """Volume by price, ascending."""

    def sessions(
        self, *, con_id: int, first: dt.date, last: dt.date, regular: bool
    ) -> tuple[Session, ...]:
        """Trading sessions of a contract, days inclusive, also in the future."""

    # --- words ---

    def news_providers(self) -> tuple[NewsProvider, ...]:
        """Who publishes here."""

    def news(self, *, start_ns: int, end_ns: int) -> tuple[NewsArticle, ...]:
        """Articles with start_ns < time <= end_ns, oldest first."""

    def events(self, *, con_id: int, first: dt.date, last: dt.date) -> tuple[CorporateEvent, ...]:
        """Earnings, dividends and splits of a contract, days inclusive, oldest first."""


@runtime_checkable
class MarketLevers(Protocol):
    """What a fault may force upon the market; each is part of the saved path from then on."""

    def jump(self, *, con_id: int, log_return: float) -> None:
        """Move an underlying at once; its derivatives and correlated family follow."""

    def halt(self, *, con_id: int, halted: bool) -> None:
        """Halt or resume trading of an underlying and its options."""

    def widen(self, *, con_id: int, factor: float) -> None:
        """Multiply the spreads of a contract, or of an underlying's whole chain; 1 restores."""

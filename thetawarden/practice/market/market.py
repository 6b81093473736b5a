"""The market as wire and exchange see it: one object, one time, answers from the parts.

It holds the present instant and the interventions, nothing else that matters: `save` writes these
two and the terms it was made with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.products import FUTURES
from thetawarden.practice.market.company import corporate_events
from thetawarden.practice.market.levers import Halt, Intervention, Jump, Split, Widening
from thetawarden.practice.market.parts import Parts, Terms, assemble
from thetawarden.practice.market.roster import UNDERLYINGS, VOL_INDEX_CON_IDS, classes_on
from thetawarden.practice.market.rules import bands
from thetawarden.practice.market.words import PROVIDERS
from thetawarden.practice.model import (
    Bar,
    BarRequest,
    Chain,
    Contract,
    ContractDetails,
    ContractQuery,
    CorporateEvent,
    Depth,
    DepthRow,
    Greeks,
    HistogramBin,
    MidTick,
    NewsArticle,
    NewsProvider,
    PriceBand,
    Quote,
    QuoteTick,
    Reference,
    Session,
    TickRequest,
    TradeTick,
)

Floats: TypeAlias = NDArray[np.float64]

BEAT_NS = 250_000_000


class SavedMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `save` writes."""

    terms: Terms
    now_ns: int
    pulled: list[Intervention]


class PracticeMarket:
    """A seeded market; see the package's docstring for what makes it repeatable."""

    def __init__(self, terms: Terms) -> None:
        self._terms, self._now_ns, self._turns = terms, terms.start_ns, 0
        self._take(assemble(terms))

    def _take(self, parts: Parts) -> None:
        self._parts = parts
        self._catalog, self._lookup = parts.listing.catalog, parts.lookup
        self._board, self._options = parts.boards.board, parts.boards.options
        self._history, self._words = parts.history, parts.words
        self._levers = parts.motion.levers

    @property
    def now_ns(self) -> int:
        """The market's time, UTC."""
        return self._now_ns

    def advance(self, to_ns: int) -> None:
        """Move time forward; nothing is computed until somebody asks."""
        if to_ns < self._now_ns:
            raise ValueError(f"time runs forward: asked for {to_ns}, it is {self._now_ns}")
        self._now_ns = to_ns

    @property
    def _beat_ns(self) -> int:
        """The instant quotes are of: the market moves four times a second."""
        return self._now_ns // BEAT_NS * BEAT_NS

    def save(self) -> bytes:
        """Everything needed to go on from here."""
        return msgspec.msgpack.encode(
            SavedMarket(terms=self._terms, now_ns=self._now_ns, pulled=self._levers.pulled)
        )

    def restore(self, state: bytes) -> None:
        """Go on from a saved state; raises ValueError when it is not one of this market.

        A market that was begun on another day goes on as the saved one: same seed, same times.
        """
        try:
            saved = msgspec.msgpack.decode(state, type=SavedMarket)
        except msgspec.MsgspecError as error:
            raise ValueError(f"this is no saved market: {error}") from error
        mine = msgspec.structs.replace(self._terms, start_ns=saved.terms.start_ns)
        if saved.terms != mine:
            raise ValueError(f"the saved market is {saved.terms}, this one is {self._terms}")
        if saved.terms != self._terms:
            self._terms = saved.terms
            self._take(assemble(saved.terms))
        self._now_ns = saved.now_ns
        self._levers.replace(saved.pulled)
        self._forget()

    # --- listings ---

    def find(self, query: ContractQuery) -> tuple[ContractDetails, ...]:
        """All unexpired contracts that match."""
        return self._lookup.find(query, self._now_ns)

    def details(self, con_id: int) -> ContractDetails | None:
        """The contract with this conId, expired ones included."""
        return self._catalog.details(con_id, self._now_ns)

    def search(self, pattern: str) -> tuple[ContractDetails, ...]:
        """Underlyings whose symbol or name begins with or contains the pattern, best first."""
        return self._lookup.search(pattern, self._now_ns)

    def underlyings(self) -> tuple[Contract, ...]:
        """Every stock and index."""
        numbers = [one.con_id for one in UNDERLYINGS.values()] + list(VOL_INDEX_CON_IDS.values())
        found = (self.details(number) for number in numbers)
        return tuple(one.contract for one in found if one is not None)

    def chains(self, *, under_con_id: int, future_exchange: str = "") -> tuple[Chain, ...]:
        """Option parameters, one row per exchange and trading class; options on futures: none."""
        details = self.details(under_con_id)
        if details is None or future_exchange:
            return ()
        return self._catalog.chains(details.contract.symbol, self._now_ns)

    def derivative_types(self, con_id: int) -> tuple[str, ...]:
        """Security types of derivatives on an underlying."""
        details = self.details(con_id)
        if details is None or details.contract.expiry is not None:
            return ()
        symbol = details.contract.symbol
        kinds = ["OPT"] if classes_on(symbol) else []
        if any(product.underlying == symbol for product in FUTURES.values()):
            kinds.append("FUT")
        return (*kinds, "BAG") if kinds else ()

    def market_rule(self, rule_id: int) -> tuple[PriceBand, ...] | None:
        """A price ladder, or None for an unknown rule."""
        return bands(rule_id)

    # --- now ---

    def quote(self, con_id: int) -> Quote | None:
        """The present quote, or None when nothing is listed under that conId any more."""
        return self._board.quotes((con_id,), self._beat_ns)[0]

    def quotes(self, con_ids: Sequence[int]) -> Sequence[Quote | None]:
        """Many quotes at once, options of a class in one pass."""
        return self._board.quotes(con_ids, self._beat_ns)

    def frozen_quote(self, con_id: int) -> Quote | None:
        """What a contract that is closed now showed at last; None while it trades."""
        return self._board.frozen(con_id, self._beat_ns)

    @property
    def turns(self) -> int:
        """Counts what made the future another one: interventions, and taking up a saved state."""
        return self._turns

    def sides_ahead(
        self, con_ids: Sequence[int], at_ns: Sequence[int]
    ) -> tuple[Floats, Floats] | None:
        """Bids and asks options will show at instants of one session, None where not known."""
        beats = np.array(at_ns, dtype=np.int64) // BEAT_NS * BEAT_NS
        return self._options.sides_over(tuple(con_ids), beats)

    def watch(self, con_id: int) -> None:
        """Nothing to prepare: plans are remembered by what is asked together."""

    def unwatch(self, con_id: int) -> None:
        """The opposite of one watch."""

    def reference(self, con_id: int) -> Reference:
        """Slow-moving data of an underlying; all None for contracts that have none."""
        symbol = self._symbol(con_id)
        return Reference() if symbol is None else self._parts.references.of(symbol, self._beat_ns)

    def depth(self, *, con_id: int, rows_max: int) -> Depth:
        """The book; its best level is the quote."""
        quote = self.quote(con_id)
        if quote is None or not quote.bid or not quote.ask:
            return Depth(bids=(), asks=())
        step = max(round(quote.ask - quote.bid, 4), 0.01)
        return Depth(
            bids=tuple(
                DepthRow(price=round(quote.bid - n * step, 4), size=quote.bid_size * (n + 1))
                for n in range(rows_max)
                if quote.bid - n * step > 0.0
            ),
            asks=tuple(
                DepthRow(price=round(quote.ask + n * step, 4), size=quote.ask_size * (n + 1))
                for n in range(rows_max)
            ),
        )

    def imply(self, *, con_id: int, option_price: float, under_price: float) -> Greeks | None:
        """Greeks at the volatility that explains the price; None when none does."""
        return self._options.imply(
            con_id, self._now_ns, option_price=option_price, under_price=under_price
        )

    def value(self, *, con_id: int, iv_annual: float, under_price: float) -> Greeks | None:
        """Greeks and price of an option at a given volatility; None for other contracts."""
        return self._options.value(
            con_id, self._now_ns, iv_annual=iv_annual, under_price=under_price
        )

    # --- past ---

    def bars(self, request: BarRequest) -> tuple[Bar, ...]:
        """Bars, oldest first; empty when there is no such data."""
        found = self._history.bars(request, self._now_ns)
        return tuple(found if request.count_max is None else found[-request.count_max :])

    def prepare_bars(self, request: BarRequest, *, most: int) -> bool:
        """Do at most so much of the dear work that bars need; return whether all is done."""
        return self._history.prepare(request, self._now_ns, most=most)

    def head_ns(self, con_id: int) -> int | None:
        """The instant from which bars exist."""
        if self.details(con_id) is None:
            return None
        return int(self._parts.motion.timeline.open_ns[self._parts.motion.first_row + 1])

    def trades(self, request: TickRequest) -> tuple[TradeTick, ...]:
        """Prints, oldest first."""
        return self._history.trades(request)

    def quote_ticks(self, request: TickRequest) -> tuple[QuoteTick, ...]:
        """Changes of best bid and ask, oldest first."""
        return self._history.quote_ticks(request)

    def mid_ticks(self, request: TickRequest) -> tuple[MidTick, ...]:
        """Changes of the midpoint, oldest first."""
        return tuple(
            MidTick(at_ns=one.at_ns, price=round((one.bid + one.ask) / 2.0, 4))
            for one in self._history.quote_ticks(request)
        )

    def histogram(self, *, con_id: int, start_ns: int, end_ns: int) -> tuple[HistogramBin, ...]:
        """Volume by price, ascending."""
        request = BarRequest(
            con_id=con_id,
            bar_s=60,
            start_ns=start_ns,
            end_ns=end_ns,
            what="TRADES",
            regular_hours_only=True,
        )
        volume: dict[float, int] = {}
        for bar in self.bars(request):
            price = round(bar.close, 2)
            volume[price] = volume.get(price, 0) + int(bar.volume)
        return tuple(HistogramBin(price=price, size=volume[price]) for price in sorted(volume))

    def sessions(
        self, *, con_id: int, first: dt.date, last: dt.date, regular: bool
    ) -> tuple[Session, ...]:
        """Trading sessions of a contract, days inclusive, also in the future."""
        return self._parts.listing.clockwork.sessions(
            self._catalog.hours_of(con_id, self._now_ns), first=first, last=last, regular=regular
        )

    # --- words ---

    def news_providers(self) -> tuple[NewsProvider, ...]:
        """Who publishes here."""
        return PROVIDERS

    def news(self, *, start_ns: int, end_ns: int) -> tuple[NewsArticle, ...]:
        """Articles with start_ns < time <= end_ns, oldest first."""
        return self._words.between(start_ns, end_ns)

    def events(self, *, con_id: int, first: dt.date, last: dt.date) -> tuple[CorporateEvent, ...]:
        """Earnings, dividends and splits of a contract, days inclusive, oldest first."""
        symbol = self._symbol(con_id)
        if symbol is None:
            return ()
        return corporate_events(self._parts.motion, symbol, first=first, last=last)

    # --- levers ---

    def jump(self, *, con_id: int, log_return: float) -> None:
        """Move an underlying at once; its derivatives and correlated family follow."""
        symbol = self._symbol(con_id)
        if symbol is not None:
            self._pull(Jump(at_ns=self._now_ns, symbol=symbol, log_return=log_return))

    def halt(self, *, con_id: int, halted: bool) -> None:
        """Halt or resume trading of an underlying and its options."""
        symbol = self._symbol(con_id)
        if symbol is not None:
            self._pull(Halt(at_ns=self._now_ns, symbol=symbol, halted=halted))

    def widen(self, *, con_id: int, factor: float) -> None:
        """Multiply the spreads of a contract, or of an underlying's whole chain; 1 restores."""
        self._pull(Widening(at_ns=self._now_ns, con_id=con_id, factor=factor))

    def split(self, *, con_id: int, new_shares: int, old_shares: int) -> bool:
        """Divide a share and the strikes of its options; False for what is no share."""
        symbol = self._symbol(con_id)
        if symbol is None or UNDERLYINGS[symbol].kind is UnderlyingKind.INDEX:
            return False
        if min(new_shares, old_shares) <= 0:
            return False
        split = Split(
            at_ns=self._now_ns, symbol=symbol, new_shares=new_shares, old_shares=old_shares
        )
        self._pull(split)
        return True

    def _symbol(self, con_id: int) -> str | None:
        return next((one.symbol for one in UNDERLYINGS.values() if one.con_id == con_id), None)

    def _pull(self, intervention: Intervention) -> None:
        self._levers.pull(intervention)
        self._forget()

    def _forget(self) -> None:
        self._turns += 1
        self._parts.forget()

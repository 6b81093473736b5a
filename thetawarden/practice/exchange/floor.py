"""Holds what every part of the exchange works with: market, state, terms, listeners, faults.

It decides nothing. Contract terms and sessions are looked up once and kept.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from thetawarden.practice.exchange.adjusted import adjusted_quote
from thetawarden.practice.exchange.hours import Hours
from thetawarden.practice.exchange.outlook import Outlook
from thetawarden.practice.model import OrderFaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from thetawarden.practice.account.book import Book
    from thetawarden.practice.exchange.state import LiveOrder, State
    from thetawarden.practice.exchange.terms import ExchangeTerms
    from thetawarden.practice.model import (
        ContractDetails,
        ExchangeEvent,
        Listener,
        Market,
        OrderKey,
        Quote,
    )


class Floor:
    """The trading floor; `state` alone is saved."""

    def __init__(self, *, market: Market, state: State, terms: ExchangeTerms) -> None:
        self.market = market
        self.state = state
        self.terms = terms
        self.faults = OrderFaults()
        self.hours = Hours(market)
        self.outlook = Outlook()
        self.listeners: list[Listener] = []
        self.expiry_instants: dict[int, int] = {}
        self.check_instant: tuple[int, int] | None = None
        self._at_hand: dict[int, Quote | None] = {}
        self._details: dict[int, ContractDetails] = {}

    @property
    def now_ns(self) -> int:
        """The instant that is being worked on."""
        return self.state.now_ns

    def emit(self, events: Iterable[ExchangeEvent]) -> None:
        """Tell every listener, in order."""
        for event in events:
            for listener in self.listeners:
                listener(event)

    def details(self, con_id: int) -> ContractDetails | None:
        """The terms of a contract, expired ones included."""
        adjusted = self.state.adjusted.get(con_id)
        known = adjusted.details if adjusted else self._details.get(con_id)
        if known is None:
            known = self.market.details(con_id)
            if known is not None:
                self._details[con_id] = known
        return known

    def quote(self, con_id: int) -> Quote | None:
        """The present quote, out of a bulk answer while one is at hand."""
        if con_id in self._at_hand:
            return self._at_hand[con_id]
        adjusted = self.state.adjusted.get(con_id)
        if adjusted is not None:
            return adjusted_quote(self.market, adjusted)
        return self.market.quote(con_id)

    @contextmanager
    def at_hand(self, con_ids: Iterable[int]) -> Iterator[None]:
        """Ask for many quotes at once and answer from them until this ends."""
        before = self._at_hand
        apart = before.keys() | self.state.adjusted.keys()
        wanted = [one for one in dict.fromkeys(con_ids) if one not in apart]
        found = zip(wanted, self.market.quotes(wanted), strict=True) if wanted else ()
        self._at_hand = before | dict(found)
        try:
            yield
        finally:
            self._at_hand = before

    def book(self, account: str) -> Book:
        """The account's book; accounts were checked when an order came in."""
        return self.state.books[account]

    def live(self, key: OrderKey) -> LiveOrder | None:
        """The working order under a client's number."""
        return next((one for one in self.state.orders.values() if one.request.key == key), None)

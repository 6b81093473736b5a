"""The practice exchange as the wire sees it: one object over one market.

It only passes on: every decision is in the modules around it. Nothing happens outside `advance`
but the answers to orders that come in; the clock is the market's, and the exchange alone moves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_date
from thetawarden.practice.account.book import open_book
from thetawarden.practice.exchange import (
    changes,
    clockwork,
    exercise,
    persistence,
    previews,
    statements,
)
from thetawarden.practice.exchange.floor import Floor
from thetawarden.practice.exchange.levers import Levers
from thetawarden.practice.exchange.selection import selected
from thetawarden.practice.exchange.state import State
from thetawarden.practice.exchange.terms import ExchangeTerms
from thetawarden.practice.exchange.views import view_of

if TYPE_CHECKING:
    from thetawarden.practice.model import (
        AccountRow,
        CommissionReport,
        Execution,
        ExecutionFilter,
        ExerciseRequest,
        Listener,
        Market,
        OrderFaults,
        OrderKey,
        OrderRequest,
        OrderView,
        Pnl,
        PortfolioRow,
        Position,
        WhatIf,
    )


class PracticeExchange(Levers):
    """Matching, accounts and expiry; implements the `Exchange` and `ExchangeLevers` protocols."""

    def __init__(self, market: Market, terms: ExchangeTerms | None = None) -> None:
        chosen = terms or ExchangeTerms()
        self.floor = Floor(market=market, state=_first_state(market, chosen), terms=chosen)

    @property
    def market(self) -> Market:
        """The market it trades."""
        return self.floor.market

    @property
    def faults(self) -> OrderFaults:
        """What will go wrong with orders; a fault panel sets it."""
        return self.floor.faults

    @property
    def now_ns(self) -> int:
        """The market's time, UTC."""
        return self.floor.now_ns

    def advance(self, to_ns: int) -> None:
        """Let everything happen that is due until then, in order of time."""
        floor = self.floor
        while (due := clockwork.next_due_ns(floor)) <= to_ns:
            self._move(due)
            clockwork.run(floor)
        self._move(to_ns)

    def listen(self, listener: Listener) -> None:
        """Call this with every event from now on."""
        self.floor.listeners.append(listener)

    def save(self) -> bytes:
        """Return everything needed to go on from here."""
        return persistence.encode(self.floor.state)

    def restore(self, state: bytes) -> None:
        """Go on from a saved state; accounts it does not know yet are opened."""
        restored = persistence.decode(state)
        fresh = _first_state(self.market, self.floor.terms)
        if not restored.books.keys() <= fresh.books.keys():
            raise ValueError(
                f"state has accounts {sorted(restored.books)}, this exchange {sorted(fresh.books)}"
            )
        restored.books = fresh.books | restored.books
        restored.now_ns = max(restored.now_ns, self.market.now_ns)
        floor = Floor(market=self.market, state=restored, terms=self.floor.terms)
        floor.listeners = self.floor.listeners
        self.floor = floor

    def place(self, request: OrderRequest) -> None:
        """Take a new order or modify the one under the same key."""
        changes.place(self.floor, request)

    def cancel(self, key: OrderKey) -> None:
        """Ask for cancellation."""
        changes.cancel(self.floor, key)

    def cancel_all(self) -> None:
        """Cancel every working order of every client."""
        for order in list(self.floor.state.orders.values()):
            if order.perm_id in self.floor.state.orders and order.cancel_due_ns is None:
                changes.begin_cancel(self.floor, order)

    def exercise(self, request: ExerciseRequest) -> None:
        """Exercise or lapse."""
        exercise.exercise(self.floor, request)

    def what_if(self, request: OrderRequest) -> WhatIf:
        """What an order would do."""
        return previews.what_if(self.floor, request)

    def open_orders(self) -> tuple[OrderView, ...]:
        """Working, transmitted orders of all clients, scrambled but always alike."""
        orders = self.floor.state.orders.values()
        known = [one for one in orders if one.acknowledged]
        views = [view_of(one) for one in known]
        views += [one.view for one in self.floor.state.instructions]
        return tuple(sorted(views, key=lambda one: one.perm_id % 7))

    def completed_orders(self) -> tuple[OrderView, ...]:
        """Orders that ended today, oldest first."""
        return tuple(self.floor.state.completed)

    def executions(
        self, wanted: ExecutionFilter
    ) -> tuple[tuple[Execution, CommissionReport | None], ...]:
        """Executions since midnight New York that match, oldest first."""
        return selected(self.floor.state.executions, wanted)

    def knows_order(self, key: OrderKey) -> bool:
        """Whether this key names an order that is live or ended today."""
        return self.floor.live(key) is not None or changes.ended_view(self.floor, key) is not None

    def accounts(self) -> tuple[str, ...]:
        """Account ids, in the order they were set up."""
        return tuple(self.floor.state.books)

    def positions(self) -> tuple[Position, ...]:
        """All positions of all accounts."""
        return statements.positions(self.floor)

    def account_rows(self, account: str) -> tuple[AccountRow, ...]:
        """All account values in alphabetical key order."""
        return statements.account_rows(self.floor, account)

    def portfolio(self, account: str) -> tuple[PortfolioRow, ...]:
        """Positions of an account, valued now."""
        return statements.portfolio(self.floor, account)

    def pnl(self, account: str) -> Pnl:
        """Profit and loss of an account."""
        return statements.pnl(self.floor, account)

    def position_pnl(self, *, account: str, con_id: int) -> Pnl | None:
        """Profit and loss of one position; None when there is no such position."""
        return statements.position_pnl(self.floor, account=account, con_id=con_id)

    def _move(self, to_ns: int) -> None:
        if to_ns > self.market.now_ns:
            self.market.advance(to_ns)
        self.floor.state.now_ns = max(self.floor.state.now_ns, to_ns)


def _first_state(market: Market, terms: ExchangeTerms) -> State:
    now = market.now_ns
    return State(
        seed=terms.seed,
        now_ns=now,
        day=new_york_date(now),
        next_midnight_ns=clockwork.first_midnight_ns(now),
        next_overnight_ns=clockwork.first_overnight_ns(now),
        checked_ns=now,
        books={one.account: open_book(one, now) for one in terms.accounts},
    )

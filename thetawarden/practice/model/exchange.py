"""What the wire asks of exchange and account, and what the fault panel may do to them.

Nothing here raises for what a client may do wrong: refusals are events or returned notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from thetawarden.practice.model.account import AccountRow, Pnl, PortfolioRow, Position, WhatIf
    from thetawarden.practice.model.events import Listener
    from thetawarden.practice.model.instruments import Contract
    from thetawarden.practice.model.market import Market
    from thetawarden.practice.model.order_faults import OrderFaults
    from thetawarden.practice.model.orders import (
        Action,
        CommissionReport,
        Execution,
        ExecutionFilter,
        ExerciseRequest,
        OrderKey,
        OrderRequest,
        OrderView,
    )


class Exchange(Protocol):
    """Matching, accounts and expiry over one market, in the market's time."""

    @property
    def market(self) -> Market:
        """The market it trades; only the exchange advances it."""

    @property
    def now_ns(self) -> int:
        """The market's time, UTC."""

    def advance(self, to_ns: int) -> None:
        """Advance market, orders, expiry and accounts on the exchange's own grid.

        Fills do not depend on how the interval is cut. Events reach listeners in order of time.
        """

    def listen(self, listener: Listener) -> None:
        """Call this with every event from now on, synchronously."""

    def save(self) -> bytes:
        """Orders, positions, executions of the day, perm ids; the market saves itself."""

    def restore(self, state: bytes) -> None:
        """Go on from a saved state; raises ValueError when it is not one of this exchange."""

    # --- orders ---

    def place(self, request: OrderRequest) -> None:
        """Take a new order or modify the one under the same key; the answer is events.

        103, 104, 105, 110, 200, 201, 2102, 387, 392, 399, 434, 435, 460, 10006 ... come from here.
        """

    def cancel(self, key: OrderKey) -> None:
        """Ask for cancellation; the answer is events, 10147 or 10148 among them.

        The key's client is the one who asks; client 0 may also cancel manual orders.
        """

    def cancel_all(self) -> None:
        """Cancel every working order of every client."""

    def exercise(self, request: ExerciseRequest) -> None:
        """Exercise or lapse; the answer is events."""

    def what_if(self, request: OrderRequest) -> WhatIf:
        """What an order would do; nothing is kept, but a perm id is used up."""

    def open_orders(self) -> tuple[OrderView, ...]:
        """Working, transmitted orders of all clients, in a stable but arbitrary order."""

    def completed_orders(self) -> tuple[OrderView, ...]:
        """Orders that ended today, oldest first."""

    def executions(
        self, wanted: ExecutionFilter
    ) -> tuple[tuple[Execution, CommissionReport | None], ...]:
        """Executions since midnight New York that match, oldest first."""

    def knows_order(self, key: OrderKey) -> bool:
        """Whether this key names an order that is live or ended today."""

    # --- accounts ---

    def accounts(self) -> tuple[str, ...]:
        """Account ids, all beginning with DU, at least one, stable."""

    def positions(self) -> tuple[Position, ...]:
        """All positions of all accounts; those closed today appear once more with quantity 0."""

    def account_rows(self, account: str) -> tuple[AccountRow, ...]:
        """All account values in alphabetical key order; ledger keys for BASE and USD."""

    def portfolio(self, account: str) -> tuple[PortfolioRow, ...]:
        """Positions of an account, valued now."""

    def pnl(self, account: str) -> Pnl:
        """Profit and loss of an account."""

    def position_pnl(self, *, account: str, con_id: int) -> Pnl | None:
        """Profit and loss of one position; None when there is no such position."""


@runtime_checkable
class ExchangeLevers(Protocol):
    """What a fault may force upon orders and accounts; the consequences are ordinary events."""

    @property
    def faults(self) -> OrderFaults:
        """What will go wrong with the next orders; whoever plants a fault sets it."""

    def reject(self, *, perm_id: int, text: str) -> bool:
        """Refuse a working order: Inactive and 201. False when there is no such order."""

    def break_order(self, *, perm_id: int, text: str) -> bool:
        """Cancel a working order as the broker would: Cancelled and 202 with the reason."""

    def fill(self, *, perm_id: int, quantity: int, price: float) -> bool:
        """Fill part of a working order, whatever the market says."""

    def fill_leg(self, *, perm_id: int, con_id: int, quantity: int, price: float) -> bool:
        """Fill one leg of a working, non-guaranteed combination and none of the others."""

    def correct(self, *, exec_id: str, price: float) -> bool:
        """Correct an execution's price; 0 busts it."""

    def assign(self, *, account: str, con_id: int, contracts: int) -> bool:
        """Assign short options overnight fashion: positions move, no order events."""

    def liquidate(self, *, account: str, con_id: int, quantity: int) -> bool:
        """Close units as IB's liquidation does; executions carry `liquidation`."""

    def scale_margin(self, *, factor: float) -> None:
        """Multiply every margin requirement; 1 restores."""

    def split(self, *, con_id: int, new_shares: int, old_shares: int) -> bool:
        """A stock split, new for old: positions, orders and option series are adjusted."""

    def manual_order(
        self, *, account: str, contract: Contract, action: Action, quantity: int
    ) -> None:
        """A market order entered by hand: client 0, order id 0."""

    def hold(self, *, seconds: float) -> None:
        """Delay every acknowledgement and fill by so much market time; 0 restores."""

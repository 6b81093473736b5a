"""Forces things upon orders and accounts; what follows is told by ordinary events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.exchange import (
    assignment,
    corrections,
    families,
    fills,
    intake,
    life,
    liquidation,
    splits,
)
from thetawarden.practice.exchange.matching import REMOVED_LIQUIDITY, Match
from thetawarden.practice.exchange.state import NO_KEY
from thetawarden.practice.model import (
    Action,
    ContractQuery,
    OrderRequest,
    OrderType,
    SecType,
    Tif,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Contract


class Levers:
    """The half of the exchange that a fault panel pulls at."""

    floor: Floor

    def reject(self, *, perm_id: int, text: str) -> bool:
        """Refuse a working order: Inactive and 201."""
        order = self.floor.state.orders.get(perm_id)
        if order is None:
            return False
        families.reject(self.floor, order, text)
        return True

    def break_order(self, *, perm_id: int, text: str) -> bool:
        """Cancel a working order as the broker would, its siblings left alone."""
        order = self.floor.state.orders.get(perm_id)
        if order is None:
            return False
        families.cancel_alone(self.floor, order, text)
        return True

    def fill(self, *, perm_id: int, quantity: int, price: float) -> bool:
        """Fill part of a working order, whatever the market says."""
        order = self.floor.state.orders.get(perm_id)
        if order is None or not 0 < quantity <= order.remaining:
            return False
        one = Match(quantity=quantity, price=price, liquidity=REMOVED_LIQUIDITY)
        fills.fill(self.floor, order, one)
        if order.remaining == 0:
            life.finish(self.floor, order)
        families.after_fill(self.floor, order, quantity)
        return True

    def fill_leg(self, *, perm_id: int, con_id: int, quantity: int, price: float) -> bool:
        """Fill one leg of a working combination and none of the others."""
        order = self.floor.state.orders.get(perm_id)
        if order is None or quantity <= 0:
            return False
        leg = next((one for one in order.contract.legs if one.con_id == con_id), None)
        if leg is None:
            return False
        fills.fill_leg(self.floor, order, leg, quantity=quantity, price=price)
        return True

    def correct(self, *, exec_id: str, price: float) -> bool:
        """Correct an execution's price; 0 busts it."""
        return corrections.correct(self.floor, exec_id=exec_id, price=price)

    def assign(self, *, account: str, con_id: int, contracts: int) -> bool:
        """Assign short options overnight fashion: positions move, no order events."""
        book = self.floor.state.books.get(account)
        holding = book.holdings.get(con_id) if book else None
        details = self.floor.details(con_id)
        if book is None or holding is None or details is None:
            return False
        if not 0 < contracts <= -holding.quantity or details.contract.sec_type != SecType.OPTION:
            return False
        assignment.assign(self.floor, book, holding, details, contracts)
        return True

    def liquidate(self, *, account: str, con_id: int, quantity: int) -> bool:
        """Close units as IB's liquidation does."""
        book = self.floor.state.books.get(account)
        if book is None or quantity <= 0:
            return False
        return liquidation.close(self.floor, book, con_id=con_id, quantity=quantity)

    def scale_margin(self, *, factor: float) -> None:
        """Multiply every margin requirement; 1 restores."""
        self.floor.state.margin_factor = factor

    def split(self, *, con_id: int, new_shares: int, old_shares: int) -> bool:
        """A stock split, new for old: positions, orders and option series are adjusted."""
        return splits.split(self.floor, con_id=con_id, new=new_shares, old=old_shares)

    def manual_order(
        self, *, account: str, contract: Contract, action: Action, quantity: int
    ) -> None:
        """A market order entered by hand: client 0, order id 0."""
        intake.place_new(
            self.floor,
            OrderRequest(
                key=NO_KEY,
                contract=ContractQuery(con_id=contract.con_id, exchange=contract.exchange),
                action=action,
                quantity=quantity,
                order_type=OrderType.MARKET.value,
                tif=Tif.DAY.value,
                account=account,
            ),
        )

    def hold(self, *, seconds: float) -> None:
        """Delay every acknowledgement and fill by so much market time; 0 restores."""
        state = self.floor.state
        state.hold_ns = int(seconds * NS_PER_SECOND)
        state.held_until_ns = self.floor.now_ns + state.hold_ns

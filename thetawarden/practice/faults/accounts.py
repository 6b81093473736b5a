"""What happens to positions without an order of ours (O19, O20, H01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault
from thetawarden.practice.model import Action, SecType

if TYPE_CHECKING:
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.model import Position


@fault("O19", "assign", "short options are assigned overnight: only positions tell")
def assign(stage: Stage, *, con_id: int = 0, contracts: int = 0) -> None:
    """Assign a short option, by default the first one held, wholly."""
    position = _held(stage, con_id, short_option=True)
    done = stage.exchange_levers().assign(
        account=position.account,
        con_id=position.contract.con_id,
        contracts=contracts or abs(position.quantity),
    )
    if not done:
        raise RefusedError(f"{position.contract.con_id} cannot be assigned")


@fault("O20", "liquidate", "the broker closes a position; executions carry liquidation=1")
def liquidate(stage: Stage, *, con_id: int = 0, quantity: int = 0) -> None:
    """Close a position, by default the first one held, wholly."""
    position = _held(stage, con_id, short_option=False)
    done = stage.exchange_levers().liquidate(
        account=position.account,
        con_id=position.contract.con_id,
        quantity=quantity or abs(position.quantity),
    )
    if not done:
        raise RefusedError(f"{position.contract.con_id} cannot be liquidated")


@fault("H01", "manual-trade", "somebody trades in the account by hand; quantity < 0 sells")
def manual_trade(stage: Stage, *, con_id: int = 0, quantity: int = 1) -> None:
    """Place a manual market order."""
    details = stage.gateway.market.details(stage.con_id(con_id))
    if details is None or quantity == 0:
        raise RefusedError(f"con_id {con_id} and quantity {quantity} make no trade")
    stage.exchange_levers().manual_order(
        account=stage.gateway.exchange.accounts()[0],
        contract=details.contract,
        action=Action.BUY if quantity > 0 else Action.SELL,
        quantity=abs(quantity),
    )


def _held(stage: Stage, con_id: int, *, short_option: bool) -> Position:
    for position in stage.gateway.exchange.positions():
        contract = position.contract
        if con_id not in (0, contract.con_id) or position.quantity == 0:
            continue
        is_short_option = contract.sec_type is SecType.OPTION and position.quantity < 0
        if is_short_option or not short_option:
            return position
    kind = "short option" if short_option else "position"
    raise RefusedError(f"no {kind} with con_id={con_id or 'any'} is held")

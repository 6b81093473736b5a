"""Contracts that are not what they were (M10, M11)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import added
from thetawarden.practice.model import SecType

if TYPE_CHECKING:
    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.model import ContractDetails


@fault("M10", "adjusted", "option details show an adjusted class and another multiplier")
def adjusted(stage: Stage, *, multiplier: int = 150, symbol: str = "") -> Undo:
    """As after a corporate action; the conIds stay."""

    def alter(details: ContractDetails) -> ContractDetails:
        contract = details.contract
        is_meant = symbol in ("", contract.symbol)
        if contract.sec_type is not SecType.OPTION or not is_meant:
            return details
        changed = msgspec.structs.replace(
            contract, multiplier=multiplier, trading_class=f"2{contract.trading_class}"
        )
        return msgspec.structs.replace(details, contract=changed)

    return added(stage.seams.details, alter)


@fault("M10", "split", "an underlying splits: positions, orders and series are adjusted")
def split(stage: Stage, *, con_id: int = 0, new_shares: int = 2, old_shares: int = 1) -> None:
    """A real corporate action of the simulated exchange."""
    done = stage.exchange_levers().split(
        con_id=stage.con_id(con_id), new_shares=new_shares, old_shares=old_shares
    )
    if not done:
        raise RefusedError(f"the exchange cannot split {stage.con_id(con_id)}")


@fault("M11", "wrong-contract", "details name another conId (conid) or a past expiry (expired)")
def wrong_contract(stage: Stage, *, kind: str = "conid") -> Undo:
    """Answer every details request with a contract that does not fit."""

    def alter(details: ContractDetails) -> ContractDetails:
        contract = details.contract
        if kind == "expired":
            changed = msgspec.structs.replace(contract, expiry=dt.date(2001, 1, 19))
        else:
            changed = msgspec.structs.replace(contract, con_id=contract.con_id + 1)
        return msgspec.structs.replace(details, contract=changed)

    return added(stage.seams.details, alter)

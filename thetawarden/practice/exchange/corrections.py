"""Corrects or busts a fill after the fact, in the books and in what clients are told.

The execution comes again with the last part of its id raised. A corrected price moves cash and cost
by the difference; a bust takes the units back at the price they went for and refunds the fees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.account import book as books
from thetawarden.practice.account.ledger import EntryKind
from thetawarden.practice.account.money import ZERO, price_usd
from thetawarden.practice.exchange import fills
from thetawarden.practice.model import (
    AccountChanged,
    Action,
    Commissioned,
    CommissionReport,
    Executed,
    Execution,
    SecType,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import ExecutionRecord


def correct(floor: Floor, *, exec_id: str, price: float) -> bool:
    """Give an execution another price, 0 for none at all; False when there is no such fill."""
    kept = next((one for one in floor.state.executions if one.execution.exec_id == exec_id), None)
    if kept is None or kept.execution.contract.sec_type is SecType.COMBO or price < 0:
        return False
    before = kept.execution
    if price > 0:
        _amend(floor, before, price)
    else:
        _bust(floor, kept)
    kept.execution = msgspec.structs.replace(
        before,
        exec_id=_next_revision(exec_id),
        price=price,
        average_price=price,
    )
    kept.report = CommissionReport(
        exec_id=kept.execution.exec_id, commission_usd=kept.fees_usd, realized_pnl_usd=None
    )
    kept.reported = True
    floor.emit(
        [
            Executed(execution=kept.execution),
            Commissioned(key=before.key, report=kept.report),
            fills.position_changed(floor.book(before.account), before.contract.con_id),
            AccountChanged(account=before.account),
        ]
    )
    return True


def _amend(floor: Floor, before: Execution, price: float) -> None:
    books.amend(
        floor.book(before.account),
        _trade(floor, before, quantity=_units(before)),
        change_usd=price_usd(price) - price_usd(before.price),
    )


def _bust(floor: Floor, kept: ExecutionRecord) -> None:
    before = kept.execution
    trade = _trade(floor, before, quantity=-_units(before))
    books.settle(
        floor.book(before.account), msgspec.structs.replace(trade, fees_usd=-kept.fees_usd)
    )
    kept.fees_usd = ZERO


def _trade(floor: Floor, before: Execution, *, quantity: int) -> books.Trade:
    return books.Trade(
        contract=fills.held_contract(floor, before.contract),
        quantity=quantity,
        price_usd=price_usd(before.price),
        at_ns=floor.now_ns,
        kind=EntryKind.CORRECTION,
        reference=before.exec_id,
    )


def _units(one: Execution) -> int:
    return one.quantity if one.side is Action.BUY else -one.quantity


def _next_revision(exec_id: str) -> str:
    stem, revision = exec_id.rsplit(".", 1)
    return f"{stem}.{int(revision) + 1:02d}"

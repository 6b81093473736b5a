"""Takes instructions to exercise or lapse long options; they are carried out overnight.

Each shows up as an order of its own, which cannot be filled, only cancelled before the night.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.exchange import appraisal, assignment, checks, intake, notices
from thetawarden.practice.exchange.resolving import resolve
from thetawarden.practice.exchange.state import Instruction
from thetawarden.practice.model import (
    Action,
    Contract,
    ContractQuery,
    ExerciseRequest,
    Notice,
    OrderChanged,
    OrderNoticed,
    OrderRequest,
    OrderStatus,
    OrderView,
    SecType,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import OrderKey

AGAINST_THE_RULE = Notice(
    code=2138,
    text="The instruction goes against the automatic exercise rule and was not taken.",
)
NOT_ENOUGH = notices.rejected("The account does not hold so many of these options.")


def exercise(floor: Floor, request: ExerciseRequest) -> None:
    """Take an instruction, or say why not."""
    answer = _instruction(floor, request)
    if isinstance(answer, Notice):
        floor.emit([OrderNoticed(key=request.key, notice=answer)])
        return
    assignment.instruct(floor, answer)
    floor.emit([OrderChanged(view=answer.view)])


def instruction_of(floor: Floor, key: OrderKey) -> Instruction | None:
    """Return the instruction given under a client's number."""
    return next((one for one in floor.state.instructions if one.view.request.key == key), None)


def withdraw(floor: Floor, key: OrderKey) -> bool:
    """Cancel the instruction given under a client's number; False when there is none."""
    one = instruction_of(floor, key)
    if one is None:
        return False
    floor.state.instructions.remove(one)
    gone = msgspec.structs.replace(one.view, status=OrderStatus.CANCELLED)
    floor.emit([OrderChanged(view=gone), OrderNoticed(key=key, notice=notices.canceled())])
    return True


def _instruction(floor: Floor, request: ExerciseRequest) -> Instruction | Notice:
    order = _as_order(request, request.contract, request.account)
    account = checks.account_of(floor, order)
    if isinstance(account, Notice):
        return account
    contract = resolve(floor, order)
    if isinstance(contract, Notice):
        return contract
    if contract.sec_type is not SecType.OPTION:
        return notices.UNSUPPORTED_TYPE
    holding = floor.book(account).holdings.get(contract.con_id)
    if holding is None or not 0 < request.quantity <= holding.quantity:
        return NOT_ENOUGH
    perm_id = intake.take_perm_id(floor)
    instruction = Instruction(
        perm_id=perm_id,
        account=account,
        con_id=contract.con_id,
        quantity=request.quantity,
        exercise=request.exercise,
        view=OrderView(
            perm_id=perm_id,
            request=_as_order(request, ContractQuery(con_id=contract.con_id), account),
            contract=contract,
            status=OrderStatus.PRE_SUBMITTED,
            remaining=request.quantity,
            placed_at_ns=floor.now_ns,
        ),
    )
    if instruction.exercise and any(
        (one.account, one.con_id, one.exercise) == (account, contract.con_id, True)
        for one in floor.state.instructions
    ):
        return notices.ALREADY_EXERCISED
    if not request.override and _against_the_rule(floor, contract, instruction):
        return AGAINST_THE_RULE
    return instruction


def _against_the_rule(floor: Floor, contract: Contract, one: Instruction) -> bool:
    exposure = appraisal.exposure(floor, contract, one.quantity)
    inside = appraisal.intrinsic(contract, exposure.under_price) >= assignment.EXERCISED_FROM
    return inside != one.exercise


def _as_order(request: ExerciseRequest, query: ContractQuery, account: str) -> OrderRequest:
    return OrderRequest(
        key=request.key,
        contract=query,
        action=Action.BUY if request.exercise else Action.SELL,
        quantity=request.quantity,
        order_type="EXERCISE" if request.exercise else "LAPSE",
        tif="DAY",
        account=account,
    )

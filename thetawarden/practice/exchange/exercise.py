"""Takes instructions to exercise or lapse long options; they are carried out overnight.

Each shows up as an order of its own, which cannot be filled, only cancelled before the night.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    contract, instruction = answer
    assignment.instruct(floor, instruction)
    floor.emit([OrderChanged(view=_view(floor, request, contract, instruction))])


def _instruction(floor: Floor, request: ExerciseRequest) -> tuple[Contract, Instruction] | Notice:
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
    instruction = Instruction(
        perm_id=intake.take_perm_id(floor),
        account=account,
        con_id=contract.con_id,
        quantity=request.quantity,
        exercise=request.exercise,
    )
    if instruction.exercise and any(
        (one.account, one.con_id, one.exercise) == (account, contract.con_id, True)
        for one in floor.state.instructions
    ):
        return notices.ALREADY_EXERCISED
    if not request.override and _against_the_rule(floor, contract, instruction):
        return AGAINST_THE_RULE
    return contract, instruction


def _against_the_rule(floor: Floor, contract: Contract, one: Instruction) -> bool:
    exposure = appraisal.exposure(floor, contract, one.quantity)
    inside = appraisal.intrinsic(contract, exposure.under_price) >= assignment.EXERCISED_FROM
    return inside != one.exercise


def _view(
    floor: Floor, request: ExerciseRequest, contract: Contract, one: Instruction
) -> OrderView:
    return OrderView(
        perm_id=one.perm_id,
        request=_as_order(request, ContractQuery(con_id=contract.con_id), one.account),
        contract=contract,
        status=OrderStatus.PRE_SUBMITTED,
        remaining=one.quantity,
        placed_at_ns=floor.now_ns,
    )


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

"""What is planted in the exchange itself, so that its listings tell the same (O01 to O18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage


@fault("O01", "refuse", "the next order never works: Inactive and 201 at once")
def refuse(stage: Stage, *, text: str = "Refused by the practice gateway") -> Undo:
    """Refuse one order before it is acknowledged."""
    return _plant(stage, "reject_next", _told(text), "")


@fault("O02", "rest-cancelled", "a market's partial fill comes, then the broker cancels the rest")
def rest_cancelled(stage: Stage) -> Undo:
    """End the next order that may fill in part."""
    return _plant(stage, "cancel_next_after_partial_fill", value=True, healthy=False)


@fault("O07", "unbooked-commission", "the exchange books costs late or never (delay_s=0)")
def unbooked_commission(stage: Stage, *, delay_s: float = 0.0) -> Undo:
    """Keep costs from reports and from reqExecutions alike, for so much market time."""
    if delay_s < 0:
        raise RefusedError(f"delay_s is {delay_s}, 0 or more allowed")
    return _plant(stage, "commission_delay_s", delay_s, None)


@fault("O09", "second-perm-id", "the next order gets another perm id right after its first")
def second_perm_id(stage: Stage) -> Undo:
    """Rename one order for good."""
    return _plant(stage, "second_perm_id_next", value=True, healthy=False)


@fault("O11", "what-if-numbers", "what-if orders are answered with numbers and 201 as well")
def what_if_numbers(stage: Stage, *, text: str = "Margin preview.") -> Undo:
    """Preview and refuse in one breath."""
    return _plant(stage, "refuse_what_ifs", _told(text), "")


@fault("O14", "slow-cancel", "cancellations take seconds of market time, in which fills may win")
def slow_cancel(stage: Stage, *, seconds: float = 5.0) -> Undo:
    """Let cancellations wait."""
    if seconds < 0:
        raise RefusedError(f"seconds is {seconds}, 0 or more allowed")
    return _plant(stage, "cancel_delay_s", seconds, None)


@fault("O17", "child-refused", "the next child of a bracket is refused: Inactive and 201")
def child_refused(stage: Stage, *, text: str = "Refused by the practice gateway") -> Undo:
    """Leave a bracket without one of its parts."""
    return _plant(stage, "reject_next_child", _told(text), "")


@fault("O18", "leg-by-leg", "the next combination trades leg by leg, guaranteed or not")
def leg_by_leg(stage: Stage) -> Undo:
    """Let a combination be legged by the market."""
    return _plant(stage, "leg_next_combination", value=True, healthy=False)


def _plant(stage: Stage, name: str, value: Any, healthy: Any) -> Undo:
    faults = stage.exchange_levers().faults
    setattr(faults, name, value)
    return lambda: setattr(faults, name, healthy)


def _told(text: str) -> str:
    if not text:
        raise RefusedError("text is empty, a reason wanted")
    return text

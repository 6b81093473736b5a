"""Picks the executions a client asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thetawarden.practice.exchange.state import ExecutionRecord
    from thetawarden.practice.model import CommissionReport, Execution, ExecutionFilter


def selected(
    records: list[ExecutionRecord], wanted: ExecutionFilter
) -> tuple[tuple[Execution, CommissionReport | None], ...]:
    """Return what matches, with its cost as far as that has been told."""
    return tuple(
        (one.execution, one.report if one.reported else None)
        for one in records
        if _matches(one.execution, wanted)
    )


def _matches(one: Execution, wanted: ExecutionFilter) -> bool:
    checks = (
        (wanted.client_id, one.key.client_id),
        (wanted.account, one.account),
        (wanted.symbol, one.contract.symbol),
        (wanted.sec_type, one.contract.sec_type.value),
        (wanted.exchange, one.exchange),
        (wanted.side, one.side),
    )
    since = wanted.since_ns
    if since is not None and one.at_ns < since:
        return False
    return all(not asked or asked == found for asked, found in checks)

"""What the desk was told of its orders: by reports, fills and whole books, as they were recorded.

What nobody told it, it cannot repair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from thetawarden.domain.broker.orders import (
    BrokerOrder,
    BrokerOrderState,
    Execution,
    as_it_counts,
    execution_stem,
    revision_of,
)
from thetawarden.messages.base import Message
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported

TELLS = (BookFetched, ExecutionReported, OrderReported)
_LIVES = frozenset(
    {BrokerOrderState.PENDING, BrokerOrderState.WORKING, BrokerOrderState.CANCELLING}
)


class Heard:
    """Which of our orders work, and what they brought, by what the desk was told last."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}
        self._spoken_of: set[str] = set()
        self._fills: dict[str, dict[str, Execution]] = {}

    def take(self, body: Message) -> None:
        """Take in what was told."""
        match body:
            case OrderReported(order=order):
                self._order(order)
            case ExecutionReported(execution=execution):
                self._fill(execution)
            case BookFetched(missing=missing, orders=orders, executions=executions):
                if not missing:
                    self._left.clear()
                for order in orders:
                    self._order(order)
                for execution in executions:
                    self._fill(execution)
            case _:
                pass

    def knows(self, ref: str) -> bool:
        """Whether the broker ever spoke of an order."""
        return ref in self._spoken_of

    def working(self) -> Iterator[tuple[str, int]]:
        """Orders that work, and how much of each is left."""
        yield from self._left.items()

    def brought(self, ref: str) -> Mapping[int, int]:
        """What one order brought of each contract."""
        found: dict[int, int] = {}
        for one in self._fills.get(ref, {}).values():
            conid = one.instrument.conid
            found[conid] = found.get(conid, 0) + int(as_it_counts(one).quantity)
        return found

    def _order(self, order: BrokerOrder) -> None:
        self._spoken_of.add(order.order_ref)
        if order.state in _LIVES:
            self._left[order.order_ref] = int(abs(order.quantity) - abs(order.filled))
        else:
            self._left.pop(order.order_ref, None)

    def _fill(self, fill: Execution) -> None:
        fills, stem = self._fills.setdefault(fill.order_ref, {}), execution_stem(fill.execution_id)
        before = fills.get(stem)
        if before is None or revision_of(fill.execution_id) >= revision_of(before.execution_id):
            fills[stem] = fill

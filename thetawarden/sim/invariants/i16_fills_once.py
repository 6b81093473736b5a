"""I16: a fill is booked once, as last corrected, and its cost attached once.

A fill is booked again only for news: another revision of it, or its cost. What a process said and
did not write is lost with it: the next one may say it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.broker.orders import Commission, execution_stem, is_bust, revision_of
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import BookFetched, CommissionReported, FillBooked
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Booked:
    """What was last booked of each fill, and which costs the broker told of it."""

    def __init__(self) -> None:
        self._booked: dict[str, FillBooked] = {}
        self._steps: list[tuple[int, str, FillBooked | None]] = []
        self._told_usd: dict[str, set[Decimal]] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Compare each booking with the one before it, with its fill and with what that cost."""
        if not isinstance(entry, Envelope):
            return
        match entry.body:
            case DeskStarted():
                self._forget(after_seq=scene.world.durable_seq)
            case CommissionReported(commission=cost):
                self._hear((cost,))
            case BookFetched(commissions=costs):
                self._hear(costs)
            case FillBooked() as booked:
                before = self._booked.get(booked.fill)
                self._booked[booked.fill] = booked
                self._steps.append((entry.seq, booked.fill, before))
                yield from _amiss(booked)
                yield from self._cost_amiss(booked)
                if before is not None:
                    yield from _repeated(before, booked)
            case _:
                pass

    def _hear(self, costs: Iterable[Commission]) -> None:
        for cost in costs:
            stem = execution_stem(cost.execution_id)
            self._told_usd.setdefault(stem, set()).add(cost.commission_usd)

    def _cost_amiss(self, booked: FillBooked) -> Words:
        """What was held before the book began costs nothing more."""
        if booked.commission_kind is not CommissionKind.REPORTED or not booked.commission_usd:
            return
        told_usd = self._told_usd.get(booked.fill, set())
        if booked.commission_usd not in told_usd:
            told = ", ".join(map(str, sorted(told_usd))) or "nothing"
            yield f"fill {booked.fill} cost {booked.commission_usd}, and the broker told {told}"

    def _forget(self, *, after_seq: int) -> None:
        """Go back to what was written."""
        while self._steps and self._steps[-1][0] > after_seq:
            _, fill, before = self._steps.pop()
            if before is None:
                del self._booked[fill]
            else:
                self._booked[fill] = before


def _amiss(booked: FillBooked) -> Words:
    """A booked fill never has more than the fill itself, nor the other side of it."""
    execution = booked.execution
    if booked.fill != execution_stem(execution.execution_id):
        yield f"fill {execution.execution_id} was booked as {booked.fill}"
    other_side = booked.quantity * execution.quantity < 0 and not is_bust(execution)
    if abs(booked.quantity) > abs(execution.quantity) or other_side:
        yield f"fill {booked.fill} of {execution.quantity} was booked as {booked.quantity}"


def _repeated(before: FillBooked, booked: FillBooked) -> Words:
    was, now = (revision_of(one.execution.execution_id) for one in (before, booked))
    if now < was:
        yield f"fill {booked.fill} was booked at revision {now} after {was}"
    elif _news(before) == _news(booked):
        yield f"fill {booked.fill} was booked twice, and nothing of it was new"


def _news(booked: FillBooked) -> tuple[object, ...]:
    """All of a booking that is the fill's own; what it makes of the position follows from it."""
    kind, cost_usd = booked.commission_kind, booked.commission_usd
    return (booked.execution, booked.quantity, kind, cost_usd, booked.cash_usd)


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I16",
        says="a fill is booked once, and its cost once",
        hears=(BookFetched, CommissionReported, DeskStarted, FillBooked),
        entry=_Booked().entry,
    )

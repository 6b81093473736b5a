"""Gleans from what is said the parts that trades are made of, and how a trade begins."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.chains.view import ChainRows, ChainView, read_rows
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.trades.ledger import Ledger
from thetawarden.domain.trades.trade import Part, Trade
from thetawarden.messages.books import FillBooked, PositionExplained

_KINDS = frozenset({InstrumentKind.OPTION, InstrumentKind.STOCK})
_KNOWN_CAUSES = {cause.value: cause for cause in Cause}


def part_of_fill(booked: FillBooked) -> Part | None:
    """Return a fill as a part; the report of a whole combination is told by its legs."""
    told = booked.execution
    if told.instrument.kind not in _KINDS:
        return None
    return Part(
        key=booked.fill,
        at_ns=told.at_ns,
        instrument=told.instrument,
        quantity=booked.quantity,
        cash_usd=booked.cash_usd,
        commission_usd=booked.commission_usd,
        cause=booked.cause,
        order_ref=told.order_ref,
    )


def part_of_change(explained: PositionExplained, now: UnixNs) -> Part | None:
    """Return what happened without a fill; a fill is told as booked, what has no holding not."""
    instrument = explained.instrument
    cause = _KNOWN_CAUSES.get(explained.cause)
    if explained.fill or instrument is None or cause is None or instrument.kind not in _KINDS:
        return None
    return Part(
        key=f"{cause}/{instrument.conid}/{explained.because_of}/{now}",
        at_ns=now,
        instrument=instrument,
        quantity=explained.after - explained.before,
        cash_usd=explained.cash_usd,
        commission_usd=ZERO,
        cause=cause,
        because_of=explained.because_of,
    )


def booked_quantities(rows: Iterable[PositionRow]) -> dict[int, Decimal]:
    """Return what our book holds of each option and share, over all accounts."""
    found: dict[int, Decimal] = {}
    for row in rows:
        if row.instrument.kind in _KINDS:
            conid = row.instrument.conid
            found[conid] = found.get(conid, ZERO) + row.book_quantity
    return found


def adopted_part(
    ledger: Ledger, rows: Iterable[PositionRow], *, conid: int, gap: Decimal, now: UnixNs
) -> Part | None:
    """Return what the book holds beyond all trades as a part: at its average cost, if it adds."""
    row = next((one for one in rows if one.instrument.conid == conid), None)
    held = [
        one.instrument
        for trade in ledger.trades.values()
        for one in trade.held
        if one.instrument.conid == conid
    ]
    instrument = row.instrument if row is not None else next(iter(held), None)
    if instrument is None:
        return None
    adds = row is not None and row.book_quantity * gap > 0
    return Part(
        key=f"adopted/{conid}/{now}",
        at_ns=now,
        instrument=instrument,
        quantity=gap,
        cash_usd=-row.average_cost_usd * gap if row is not None and adds else ZERO,
        commission_usd=ZERO,
        cause=Cause.OPENING if adds else Cause.ACCEPTED,
    )


def begun(proposal: Proposal, view: ChainView | None, *, vix_points: float, now: UnixNs) -> Trade:
    """Return the trade that an approved order opens, and how the world stood then."""
    short = [leg.instrument.conid for leg in proposal.legs if leg.ratio < 0]
    delta = None
    if view is not None and short:
        delta = _short_delta(read_rows(view), short)
    return Trade(
        name=proposal.trade,
        strategy=proposal.strategy,
        underlying=proposal.underlying,
        opened_ns=now,
        exits=proposal.exits,
        scores=proposal.scores,
        reasons=proposal.reasons,
        entry_delta_per_share=delta,
        entry_vix_points=vix_points if np.isfinite(vix_points) else None,
    )


def _short_delta(rows: ChainRows, conids: list[int]) -> float | None:
    """The largest delta sold, without sign; None where it is unknown."""
    deltas = np.abs(rows.delta_per_share[np.isin(rows.conid, conids)])
    known = deltas[np.isfinite(deltas)]
    return float(known.max()) if known.size else None

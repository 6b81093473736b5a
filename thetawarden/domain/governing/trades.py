"""Follows which trade holds what, so that what is held is told by position, with its margin.

Pure. A trade grows and shrinks by the fills of its own orders; each fill counts once, by its
identity, however often it is told and corrected. What the broker counts beyond or below our trades
is a position of its own, or shrinks the trades that hold the contract, the oldest first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.risk.holdings import Holding
from thetawarden.domain.risk.instrument import ConId, Instrument
from thetawarden.domain.risk.intake import instrument_of
from thetawarden.domain.units import to_float

_NEARLY = 1e-9


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One contract as book and broker count it; `agreed` when they count alike.

    `contracts` is the riskier of the two counts: of options the smaller, of all else the larger.
    """

    instrument: Instrument
    name: str
    contracts: float
    agreed: bool
    mark_usd: float


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """What one trade holds, by contract, the margin it was given, and what it has brought."""

    contracts: dict[ConId, float]
    margin_usd: float
    auto_selected: bool = False
    cash_usd: float = 0.0

    @property
    def size(self) -> float:
        """Contracts of any kind and sign."""
        return math.fsum(map(abs, self.contracts.values()))


def held_rows(rows: Iterable[PositionRow]) -> tuple[HeldRow, ...]:
    """Return what is held of the rows; what the rules have no terms for counts as unknown."""
    found = []
    for row in rows:
        if not row.quantity and not row.book_quantity:
            continue
        counts = (to_float(row.quantity), to_float(row.book_quantity))
        instrument = instrument_of(row.instrument)
        contracts = math.nan
        if instrument is not None:
            contracts = min(counts) if instrument.is_option else max(counts, key=abs)
        found.append(
            HeldRow(
                instrument=instrument
                or Instrument(
                    con_id=ConId(row.instrument.conid),
                    underlying=row.instrument.symbol,
                    kind=PositionKind.LINEAR,
                    multiplier=1.0,
                ),
                name=row.contract,
                contracts=contracts,
                agreed=row.quantity == row.book_quantity,
                mark_usd=math.nan if row.mark_usd is None else to_float(row.mark_usd),
            )
        )
    return tuple(found)


def filled(
    trade: Trade | None,
    *,
    con_id: ConId,
    contracts: float,
    cash_usd: float,
    margin_usd: float = 0.0,
    auto_selected: bool = False,
) -> Trade:
    """Return the trade after a fill; `margin_usd` is what the fill's part of an entry needs."""
    before = trade or Trade(contracts={}, margin_usd=0.0)
    left = dict(before.contracts)
    left[con_id] = left.get(con_id, 0.0) + contracts
    left = {key: count for key, count in left.items() if abs(count) > _NEARLY}
    after = Trade(
        contracts=left,
        margin_usd=before.margin_usd,
        auto_selected=before.auto_selected or auto_selected,
        cash_usd=before.cash_usd + cash_usd,
    )
    if after.size < before.size:
        part = after.size / before.size
        return msgspec.structs.replace(after, margin_usd=before.margin_usd * part)
    return msgspec.structs.replace(after, margin_usd=before.margin_usd + margin_usd)


def holdings_of(
    rows: tuple[HeldRow, ...], trades: Mapping[str, Trade], *, in_pieces: Mapping[ConId, float]
) -> tuple[Holding, ...]:
    """Return every holding by its trade; what no trade claims has an unknown margin.

    `in_pieces` is what a combination has filled of a unit that is not whole yet: it still counts
    with the order it belongs to, and not here.
    """
    found: list[Holding] = []
    told: set[str] = set()
    claims = _claims(trades)
    for row in rows:
        con_id = row.instrument.con_id
        left = row.contracts - in_pieces.get(con_id, 0.0)
        for name, claimed in claims.get(con_id, ()):
            share = _share(left, claimed)
            if not share:
                continue
            margin = 0.0 if name in told else trades[name].margin_usd
            told.add(name)
            found.append(_holding(row, contracts=share, position=name, margin_usd=margin))
            left -= share
        if not abs(left) <= _NEARLY:
            found.append(_holding(row, contracts=left, position=row.name, margin_usd=math.nan))
    return tuple(found)


def auto_select_margin_usd(trades: Mapping[str, Trade]) -> float:
    """Return the margin of everything that was selected automatically."""
    return math.fsum(one.margin_usd for one in trades.values() if one.auto_selected)


def trades_still_held(trades: Mapping[str, Trade], rows: tuple[HeldRow, ...]) -> dict[str, Trade]:
    """Return the trades of which the account still holds something, cut to what it holds.

    While book and broker count differently nothing is cut: a count is on its way.
    """
    if not all(row.agreed for row in rows):
        return dict(trades)
    left = {row.instrument.con_id: row.contracts for row in rows}
    kept: dict[str, Trade] = {}
    for name, trade in list(trades.items())[::-1]:
        shares = {}
        for con_id, contracts in trade.contracts.items():
            share = _share(left.get(con_id, 0.0), contracts)
            left[con_id] = left.get(con_id, 0.0) - share
            if share:
                shares[con_id] = share
        cut = msgspec.structs.replace(trade, contracts=shares)
        if shares:
            part = cut.size / trade.size if trade.size else 1.0
            kept[name] = msgspec.structs.replace(cut, margin_usd=trade.margin_usd * part)
    return {name: kept[name] for name in trades if name in kept}


def _claims(trades: Mapping[str, Trade]) -> dict[ConId, list[tuple[str, float]]]:
    """Which trades hold a contract, the newest first."""
    claims: dict[ConId, list[tuple[str, float]]] = {}
    for name in reversed(list(trades)):
        for con_id, contracts in trades[name].contracts.items():
            claims.setdefault(con_id, []).append((name, contracts))
    return claims


def _share(left: float, wanted: float) -> float:
    """How much of what is left a trade takes: of its own sign, no more than it holds."""
    if not left * wanted > 0.0:
        return 0.0
    return math.copysign(min(abs(left), abs(wanted)), wanted)


def _holding(row: HeldRow, *, contracts: float, position: str, margin_usd: float) -> Holding:
    return Holding(
        instrument=row.instrument, contracts=contracts, position=position, margin_usd=margin_usd
    )

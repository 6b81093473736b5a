"""Adds up, once a book, what the rules would otherwise count again for every candidate."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import msgspec

from thetawarden.domain.risk.exposure import Lot, loss_at_expiry_usd
from thetawarden.domain.risk.holdings import HeldBook, MarketView, PendingOrder
from thetawarden.domain.risk.instrument import ConId


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How many positions end on a date, and their margin."""

    positions: int
    margin_usd: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is held: contracts, positions by the end of their risk, and losses by name.

    `endings` has None for positions that never end. `losses_usd` is the worst at expiry, of what is
    held and of what may yet be, by underlying; `held_losses_usd` of what is held alone.
    """

    contracts: dict[ConId, float]
    positions: int
    endings: dict[dt.date | None, Ending]
    underlyings: frozenset[str]
    held_losses_usd: dict[str, float]
    losses_usd: dict[str, float]

    @property
    def margin_usd(self) -> float:
        """Margin of all positions."""
        return math.fsum(one.margin_usd for one in self.endings.values())


def standing_of(held: HeldBook, market: MarketView) -> Standing:
    """Count what is held, and what every name could lose."""
    contracts: dict[ConId, float] = {}
    positions: dict[str, list[Lot]] = {}
    margins: dict[str, float] = {}
    names: dict[str, list[Lot]] = {}
    for one in held.holdings:
        con_id, lot = one.instrument.con_id, (one.instrument, one.contracts)
        contracts[con_id] = contracts.get(con_id, 0.0) + one.contracts
        positions.setdefault(one.position, []).append(lot)
        margins[one.position] = margins.get(one.position, 0.0) + one.margin_usd
        names.setdefault(one.instrument.underlying, []).append(lot)
    losses = {
        symbol: loss_at_expiry_usd(lots, spot_usd=_spot_usd(market, symbol))
        for symbol, lots in names.items()
    }
    return Standing(
        contracts=contracts,
        positions=len(positions),
        endings=_endings(positions, margins),
        underlyings=frozenset(names),
        held_losses_usd=losses,
        losses_usd=losses,
    )


def with_order(
    standing: Standing, order: PendingOrder, *, held: HeldBook, market: MarketView
) -> Standing:
    """Count one more order that may yet fill; one that only takes away loses nothing alone."""
    if order.takes_away(held):
        return standing
    symbol = order.legs[0].instrument.underlying
    lots = [(leg.instrument, float(leg.ratio * order.units)) for leg in order.legs]
    loss = loss_at_expiry_usd(lots, spot_usd=_spot_usd(market, symbol))
    losses = standing.losses_usd | {symbol: standing.losses_usd.get(symbol, 0.0) + loss}
    return msgspec.structs.replace(standing, losses_usd=losses)


def first_expiry(lots: Sequence[Lot]) -> dt.date | None:
    """Return the first expiry of the shorts; without shorts, of all; of none, None."""
    ends = [(one.expiry, n < 0.0) for one, n in lots if one.expiry is not None]
    shorts = [end for end, short in ends if short]
    return min(shorts or [end for end, _ in ends], default=None)


def _endings(
    positions: dict[str, list[Lot]], margins: dict[str, float]
) -> dict[dt.date | None, Ending]:
    endings: dict[dt.date | None, Ending] = {}
    for name, lots in positions.items():
        end = first_expiry(lots)
        before = endings.get(end, Ending(positions=0, margin_usd=0.0))
        endings[end] = Ending(
            positions=before.positions + 1, margin_usd=before.margin_usd + margins[name]
        )
    return endings


def _spot_usd(market: MarketView, symbol: str) -> float:
    view = market.underlying(symbol)
    return math.nan if view is None else view.spot_usd

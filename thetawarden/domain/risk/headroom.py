"""Keeps room between entries and the limits of R2 for what the market alone may yet do.

A market that falls makes every short put's Greeks larger, so a book that entries have filled to the
brim is over its limits at the next tick. Entries therefore fill a part of each limit only, and from
a larger part on reduction is demanded, down to what entries may fill. Notional does not move with
the market, but with what the account is worth: there a day's loss is kept free, and reduction is
demanded when the limit is passed. Pure; losses and costs in USD are positive.
"""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.risk.holdings import MarketView
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import BookMeasure, Figure
from thetawarden.domain.risk.ruler import Row
from thetawarden.domain.risk.scenarios import SMALL_MOVES


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of R2: what entries may fill of it, and from where reduction is demanded."""

    figure: Figure
    limit: float
    entries: float
    reduce_from: float


class Overfull(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that wants reduction: how much is to go, and what each position adds, the most first.

    Only what adds to it is listed; `used` is the part of the limit that is filled.
    """

    figure: Figure
    used: float
    over_usd: float
    adds_usd: tuple[tuple[str, float], ...]


def rooms_of(limits: RiskLimits) -> tuple[Room, ...]:
    """Return every limit of R2 with its room, in fractions of NLV."""
    greeks = limits.greeks
    of_small_moves = {
        Figure.INDEX_DROP: greeks.index_drop_max_fraction,
        Figure.INDEX_RISE: greeks.index_drop_max_fraction,
        Figure.VIX_RISE: greeks.vega_max_fraction,
        Figure.GAMMA: greeks.gamma_max_fraction,
        Figure.INCOME: greeks.theta_max_fraction,
    }
    fill = min(greeks.entry_fill_fraction, greeks.reduce_from_fraction)
    kept = max(1.0 - limits.brakes.day_loss_fraction, 0.0)
    most = greeks.notional_max_nlv
    return (
        *(
            Room(
                figure=figure,
                limit=limit,
                entries=fill * limit,
                reduce_from=greeks.reduce_from_fraction * limit,
            )
            for figure, limit in of_small_moves.items()
        ),
        Room(figure=Figure.NOTIONAL, limit=most, entries=kept * most, reduce_from=most),
    )


def overfull(
    book: BookMeasure, *, nlv_usd: float, market: MarketView, limits: RiskLimits
) -> Overfull | None:
    """Return the fullest limit of R2 that what is held has filled too far, or None.

    What cannot be measured demands nothing here: it is told as unknown, and lets nothing in.
    """
    if not (math.isfinite(nlv_usd) and nlv_usd > 0.0):
        return None
    found: tuple[float, Room, float] | None = None
    for room in rooms_of(limits):
        held = -float(book.filled[book.scenarios.size + room.figure]) / nlv_usd
        used = held / room.limit if room.limit > 0.0 else math.inf
        if held > room.reduce_from + 1e-12 and (found is None or used > found[0]):
            found = (used, room, held)
    if found is None:
        return None
    used, room, held = found
    adds = _adds_usd(book, room.figure, market)
    return Overfull(
        figure=room.figure,
        used=used,
        over_usd=(held - room.entries) * nlv_usd,
        adds_usd=tuple(sorted(adds.items(), key=lambda one: -one[1])),
    )


def _adds_usd(book: BookMeasure, figure: Figure, market: MarketView) -> dict[str, float]:
    """What each held position adds to a figure; what takes away from it is left out."""
    total: dict[str, float] = {}
    for place, row in enumerate(book.rows[: len(book.held.holdings)]):
        is_notional = figure is Figure.NOTIONAL
        added = _notional_usd(row, market) if is_notional else _of_row(book, place, figure)
        total[row.owner] = total.get(row.owner, 0.0) + added
    return {name: usd for name, usd in total.items() if usd > 0.0}


def _of_row(book: BookMeasure, place: int, figure: Figure) -> float:
    profits = book.profits_usd[place, -len(SMALL_MOVES) :].tolist()
    drop, rise, vix, day = profits
    profit = {
        Figure.INDEX_DROP: drop,
        Figure.INDEX_RISE: rise,
        Figure.VIX_RISE: vix,
        Figure.GAMMA: (drop + rise) / 2.0,
        Figure.INCOME: -day,
    }[figure]
    return 0.0 - float(profit)


def _notional_usd(row: Row, market: MarketView) -> float:
    one = row.instrument
    each = one.strike_usd
    if not one.is_option:
        view = market.underlying(one.underlying)
        each = math.nan if view is None else view.spot_usd
    return abs(row.contracts * one.multiplier) * each

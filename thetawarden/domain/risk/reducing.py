"""Proves that an order reduces risk, by losses and margin before and after; words prove nothing.

Losses are those of every scenario, falls and rises alike, with all that may yet fill. Five proofs
are taken. Buying back short options costs what is paid and can never cost more. The worst loss
shrinks by at least what is paid, or stays while margin shrinks, and no scenario loses more by it
than what is paid: selling the other side is no hedge. What is bought back is replaced by no more of
its own side, across no report of the company and no dividend, and the worst loss shrinks by what is
paid and what any other loss grows by, at least: a roll forgoes profit, which is no loss; so does a
call sold on free shares, whose own price may make no loss larger than half the worst. Or the order
only takes away from what is held, and makes the worst loss larger by no more than it pays. But for
the first, margin after is at most margin before, plus what is paid, and no more is naked than was.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from thetawarden.domain.regime.event_factor import judge_earnings
from thetawarden.domain.risk.candidate import Candidate, Leg
from thetawarden.domain.risk.exposure import is_naked, loss_at_expiry_usd, naked_shares
from thetawarden.domain.risk.finding import usd
from thetawarden.domain.risk.holdings import MarketView, is_shrunk, left_to_close
from thetawarden.domain.risk.measure import (
    AddedMeasure,
    BookMeasure,
    held_rows_of,
    marks_in,
    requirement_now_usd,
)
from thetawarden.domain.risk.ruler import Row, Ruler

_CENT = 0.01
_GROWN_MAX = 0.5  # what volatility alone may make of a covered call, as a part of the worst loss


class Reduction(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order is proved to reduce risk, and by which numbers; None is not known."""

    proved: bool
    words: str
    worst_before_usd: float | None = None
    worst_after_usd: float | None = None
    margin_before_usd: float | None = None
    margin_after_usd: float | None = None
    paid_usd: float | None = None


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do to losses, in USD.

    `saved` is of the worst loss, `worsens` the most that any scenario loses by it, `deepens` the
    most that any becomes worse than what it cost already, `eases` when any scenario gets better.
    `grown` is the largest loss that becomes larger, as a part of the worst that is left.
    """

    saved: float
    paid: float
    worsens: float
    deepens: float
    takes_away: bool
    grown: float
    replaces: bool
    covered: bool
    eases: bool


def prove_reduction(
    candidate: Candidate,
    *,
    added: AddedMeasure,
    book: BookMeasure,
    ruler: Ruler,
    units: int,
    margin_change_usd_per_unit: float | None,
) -> Reduction:
    """Return the proof for so many units, or why there is none.

    The broker's margin, where there is a usable answer, outranks the model's.
    """
    if added.unknown or book.unknown:
        names = ", ".join(dict.fromkeys((*added.unknown, *book.unknown)))
        return _by_payoff(candidate, book=book, ruler=ruler, units=units, unknown=names)
    losses = -book.worst[: book.scenarios.size]
    after = losses - units * added.profits[: book.scenarios.size]
    paid = max(units * added.worth_usd, 0.0)
    if not (np.isfinite(losses).all() and np.isfinite(after).all() and math.isfinite(paid)):
        return Reduction(proved=False, words="the book cannot be revalued")
    worst = (max(float(losses.max()), 0.0), max(float(after.max()), 0.0))
    clear = _crosses_nothing(candidate)
    change = _Change(
        saved=worst[0] - worst[1],
        paid=paid,
        worsens=float((after - losses).max()),
        deepens=float((np.maximum(after, 0.0) - np.maximum(losses, 0.0)).max()),
        takes_away=takes_away(candidate, book=book, units=units),
        grown=float(after[after > losses + _CENT].max(initial=0.0)) / max(worst[1], _CENT),
        replaces=clear and _replaces(candidate, book=book, units=units),
        covered=clear and _covered(candidate, book=book, units=units),
        eases=bool((losses - after > _CENT).any()),
    )
    found = Reduction(
        proved=False,
        words=f"not proved to reduce risk: worst loss {usd(worst[0])} to {usd(worst[1])}",
        worst_before_usd=worst[0],
        worst_after_usd=worst[1],
        paid_usd=paid,
    )
    if change.saved < -_CENT and not change.takes_away:
        return found  # no margin could prove it now
    if _saved_when_all_fills(book, added, units=units) < -paid - _CENT:
        words = f"{found.words}, and larger than before once all that is pending fills"
        return msgspec.structs.replace(found, words=words)
    margin = None if margin_change_usd_per_unit is None else margin_change_usd_per_unit * units
    return _with_margin(
        found, change, candidate=candidate, book=book, ruler=ruler, units=units, broker_usd=margin
    )


def _with_margin(
    found: Reduction,
    change: _Change,
    *,
    candidate: Candidate,
    book: BookMeasure,
    ruler: Ruler,
    units: int,
    broker_usd: float | None,
) -> Reduction:
    """Finish a proof with the margin of the underlying before and after."""
    rows = held_rows_of(book, underlying=candidate.underlying)
    then = _after(candidate, rows, units, ruler.market)
    if _lots_naked(then) > _lots_naked(rows):
        words = f"{found.words}, and more would be naked than is"
        return msgspec.structs.replace(found, words=words)
    before_usd = requirement_now_usd(rows, ruler)
    model_usd = 0.0 if broker_usd is not None else requirement_now_usd(then, ruler) - before_usd
    after_usd = before_usd + (model_usd if broker_usd is None else broker_usd)
    proof = _proof(
        change,
        buys_back=_buys_options(candidate) and change.takes_away,
        freed=before_usd - after_usd,
    )
    told = found.words.partition(": ")[2] if proof else found.words
    margins = f"margin {usd(before_usd)} to {usd(after_usd)}, {usd(change.paid)} paid"
    return msgspec.structs.replace(
        found,
        proved=bool(proof),
        words=f"{proof}: {told}, {margins}" if proof else f"{told}, {margins}",
        margin_before_usd=before_usd,
        margin_after_usd=after_usd,
    )


def takes_away(candidate: Candidate, *, book: BookMeasure, units: int) -> bool:
    """Return whether every leg only takes from what is held and not being closed already."""
    return all(_shrinks(leg, book, units=units) for leg in candidate.legs)


def _shrinks(leg: Leg, book: BookMeasure, *, units: int) -> bool:
    con_id = leg.instrument.con_id
    held = book.standing.contracts.get(con_id, 0.0)
    left = left_to_close(held, pending=book.pending, con_id=con_id)
    return is_shrunk(left, leg.ratio * units)


def _crosses_nothing(candidate: Candidate) -> bool:
    """Whether what is sold lives through no report and no dividend: no scenario knows of those."""
    report = candidate.earnings
    clear = report is None or judge_earnings(report).size_fraction >= 1.0
    return clear and candidate.ex_dividend_tonight is False


def _replaces(candidate: Candidate, *, book: BookMeasure, units: int) -> bool:
    """Whether short options are bought back and no more are sold, of either side by itself."""
    balance: dict[bool, int] = {}
    for leg in candidate.legs:
        kind = leg.instrument
        if not kind.is_option or kind.multiplier != candidate.legs[0].instrument.multiplier:
            return False
        taken = _shrinks(leg, book, units=units)
        if taken == (leg.ratio > 0):  # a short bought back, or one newly sold
            balance[kind.is_call] = balance.get(kind.is_call, 0) + leg.ratio
    return bool(balance) and all(count >= 0 for count in balance.values())


def _covered(candidate: Candidate, *, book: BookMeasure, units: int) -> bool:
    """Whether all it does is to sell calls on shares that nothing else has a claim on."""
    calls = all(leg.instrument.is_call and leg.ratio < 0 for leg in candidate.legs)
    whole = msgspec.structs.replace(candidate, units=units)
    return calls and not is_naked(whole, held=book.held, pending=book.pending)


def _saved_when_all_fills(book: BookMeasure, added: AddedMeasure, *, units: int) -> float:
    """How much the worst loss shrinks in the book as every pending order would leave it.

    What is sold twice would be short: each sale alone takes away from what is held.
    """
    losses = -book.profits_usd.sum(axis=0)
    after = losses - units * added.profits[: book.scenarios.size]
    return max(float(losses.max()), 0.0) - max(float(after.max()), 0.0)


def _buys_options(candidate: Candidate) -> bool:
    return all(leg.ratio > 0 and leg.instrument.is_option for leg in candidate.legs)


def _proof(change: _Change, *, buys_back: bool, freed: float) -> str:
    saved, paid = change.saved, change.paid
    if buys_back and saved >= -paid - _CENT:
        return "it only buys back short options"
    if not math.isfinite(freed) or freed < -paid - _CENT:
        return ""
    bounded = change.takes_away or change.worsens <= paid + _CENT
    if bounded and saved > _CENT and saved >= paid:
        return "the worst loss shrinks"
    if change.replaces and saved > _CENT and saved >= paid + change.deepens:
        return "what is bought back is replaced by less"
    if change.covered and saved > _CENT and change.grown <= _GROWN_MAX:
        return "shares that are held cover what is sold"
    if bounded and saved >= -_CENT and freed > _CENT and paid <= _CENT:
        return "margin shrinks"
    gone = change.takes_away and freed >= -_CENT and (freed > _CENT or change.eases)
    return "it takes away from what is held" if gone and saved >= -paid - _CENT else ""


def _by_payoff(
    candidate: Candidate, *, book: BookMeasure, ruler: Ruler, units: int, unknown: str
) -> Reduction:
    """Without a valuation payoffs are left: taking away, and losing no more at expiry than before.

    What bounded a short option before must still do so after.
    """
    rows = held_rows_of(book, underlying=candidate.underlying)
    after = _after(candidate, rows, units, ruler.market)
    view = ruler.market.underlying(candidate.underlying)
    spot = math.nan if view is None else view.spot_usd
    lots = [[(row.instrument, row.contracts) for row in part] for part in (rows, after)]
    before_usd, after_usd = (loss_at_expiry_usd(part, spot_usd=spot) for part in lots)
    bounded = naked_shares(lots[1]) <= naked_shares(lots[0])
    loses_less = bounded and after_usd <= before_usd
    proved = takes_away(candidate, book=book, units=units) and (
        _buys_options(candidate) or loses_less
    )
    words = "it takes away from what is held" if proved else "not proved to reduce risk"
    return Reduction(proved=proved, words=f"{words}; cannot be valued: {unknown}")


def _lots_naked(rows: tuple[Row, ...]) -> float:
    return naked_shares([(row.instrument, row.contracts) for row in rows])


def _after(
    candidate: Candidate, rows: tuple[Row, ...], units: int, market: MarketView
) -> tuple[Row, ...]:
    """The rows once the order has filled: opposite contracts cancel out, position by position."""
    left = {leg.instrument.con_id: float(leg.ratio * units) for leg in candidate.legs}
    kept = []
    for row in rows:
        con_id = row.instrument.con_id
        change = left.get(con_id, 0.0)
        taken = math.copysign(min(abs(change), abs(row.contracts)), change)
        if change * row.contracts < 0.0:
            left[con_id] = change - taken
            row = msgspec.structs.replace(row, contracts=row.contracts + taken)  # noqa: PLW2901
        kept.append(row)
    added = [
        Row(
            instrument=leg.instrument,
            contracts=left[leg.instrument.con_id],
            marks=marks_in(leg.instrument, market, fallback=leg.marks),
            owner=candidate.key,
        )
        for leg in candidate.legs
    ]
    return tuple(row for row in (*kept, *added) if row.contracts != 0.0)

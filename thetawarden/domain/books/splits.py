"""Recognises a stock split: shares and contracts multiply, what they cost stays.

The unchanged cost is the evidence: nothing that is bought or sold leaves it. Options move to the
series whose strike was divided, or keep their number and get another strike and multiplier. What is
left of a share is paid in cash.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from thetawarden.domain.books.amounts import ZERO, same_cents
from thetawarden.domain.books.change import Change
from thetawarden.domain.books.gaps import Gap, contract_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind

RATIO_MAX = 50
_STRIKE = Decimal("0.01")


def split_changes(gaps: tuple[Gap, ...], *, rest_usd: Decimal) -> tuple[Change, ...] | None:
    """Return one underlying's gaps as a split, None when they are none.

    `rest_usd` is the cash that is not explained otherwise; a split may pay for part of a share.
    """
    shares = [gap for gap in gaps if gap.instrument.kind is InstrumentKind.STOCK]
    options = [gap for gap in gaps if gap.instrument.kind is InstrumentKind.OPTION]
    if len(shares) > 1 or len(shares) + len(options) != len(gaps):
        return None
    for ratio in _ratios(shares, options):
        changes = _options_split(options, ratio)
        if changes is None:
            continue
        for share in shares:
            moved = _share_split(share, ratio, rest_usd=rest_usd)
            if moved is None:
                return None
            changes.append(moved)
        return tuple(changes)
    return None


def _ratios(shares: list[Gap], options: list[Gap]) -> list[Fraction]:
    """New shares for old ones, as the quantities or strikes have it, the simplest first."""
    if shares:
        return _share_ratios(shares[0])
    ratios = []
    for old in options:
        for new in options:
            if _strike(new.instrument.strike) and old.ours.quantity:
                ratio = Fraction(_strike(old.ours.instrument.strike)) / Fraction(
                    _strike(new.instrument.strike)
                )
                ratios.append(ratio.limit_denominator(RATIO_MAX))
    return [ratio for ratio in dict.fromkeys(ratios) if ratio not in {0, 1}]


def _share_ratios(share: Gap) -> list[Fraction]:
    held, now = share.ours.quantity, share.theirs
    if held * now <= 0 or held == now or held != int(held) or now != int(now):
        return []
    fitting = [
        Fraction(new, old)
        for old in range(1, RATIO_MAX + 1)
        for new in range(1, RATIO_MAX + 1)
        if new != old and abs(int(held)) * new // old == abs(int(now))
    ]
    ratios = dict.fromkeys(fitting)
    return sorted(ratios, key=lambda one: one.numerator + one.denominator)


def _share_split(share: Gap, ratio: Fraction, *, rest_usd: Decimal) -> Change | None:
    exact = Fraction(share.ours.quantity) * ratio
    left = abs(exact - Fraction(share.theirs))
    lost = share.ours.cost_usd - share.their_cost_usd
    if not left:
        paid = ZERO
    elif abs(rest_usd) <= abs(share.average_cost_usd) * 10:
        paid = rest_usd
    else:
        return None
    if not same_cents(lost, paid):
        return None
    words = f"split {ratio.numerator} for {ratio.denominator}"
    return Change(
        cause=Cause.SPLIT,
        words=f"{contract_words(share.instrument)}: {words}",
        instrument=share.instrument,
        before=share.ours.quantity,
        after=share.theirs,
        gross_usd=-paid,
        cash_usd=paid,
    )


def _options_split(options: list[Gap], ratio: Fraction) -> list[Change] | None:
    """Every option either restated under its number or moved, cost and all, to its new series."""
    changes: list[Change] = []
    taken: list[Gap] = []
    for gap in options:
        if not gap.moved:
            if not _is_restated(gap, ratio):
                return None
            changes.append(_restated(gap, ZERO))
            taken.append(gap)
        elif gap.theirs == 0:
            new = next((one for one in options if _follows(gap, one, ratio)), None)
            if new is None:
                return None
            cost = gap.ours.cost_usd
            changes += [_restated(gap, -cost), _restated(new, cost)]
            taken += [gap, new]
    return changes if len(taken) == len(options) else None


def _is_restated(gap: Gap, ratio: Fraction) -> bool:
    old, new = gap.ours.instrument, gap.instrument
    grown = Fraction(old.multiplier) * ratio == new.multiplier
    return grown and _is_divided(old.strike, new.strike, ratio)


def _follows(old: Gap, new: Gap, ratio: Fraction) -> bool:
    before, after = old.ours.instrument, new.instrument
    same = (before.expiry, before.right) == (after.expiry, after.right)
    grown = Fraction(old.ours.quantity) * ratio == Fraction(new.moved)
    return (
        new is not old
        and same
        and grown
        and _is_divided(before.strike, after.strike, ratio)
        and same_cents(new.their_cost_usd, new.ours.cost_usd + old.ours.cost_usd)
    )


def _is_divided(old: Decimal | None, new: Decimal | None, ratio: Fraction) -> bool:
    divided = Fraction(_strike(old)) / ratio
    return abs(divided - Fraction(_strike(new))) < Fraction(_STRIKE)


def _restated(gap: Gap, cost_usd: Decimal) -> Change:
    return Change(
        cause=Cause.SPLIT,
        words=f"{contract_words(gap.instrument)}: follows a split of {gap.instrument.symbol}",
        instrument=gap.instrument,
        before=gap.ours.quantity,
        after=gap.theirs,
        gross_usd=cost_usd,
    )


def _strike(strike: Decimal | None) -> Decimal:
    return ZERO if strike is None else strike

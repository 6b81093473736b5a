"""Finds out which options were assigned, exercised or lapsed, from the shares that came and went.

Nothing tells of an assignment but the positions: the option is gone and a hundred shares a contract
have moved, paid for at the strike. Options expired may have lapsed; others can only have been
delivered. When several ways lead to the same shares, those that fit the share's price come first.
"""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, plain, signed
from thetawarden.domain.books.change import Change
from thetawarden.domain.books.gaps import Gap, contract_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.market.contracts import Delivery, Right
from thetawarden.domain.market.products import OPTION_CLASSES, classes_of

OPTIONS_MAX = 10
WAYS_MAX = 64


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the options of an underlying may have ended: contracts delivered of each."""

    gaps: tuple[Gap, ...]
    delivered: tuple[Decimal, ...]
    surprise: Decimal = ZERO

    @property
    def cash_usd(self) -> Decimal:
        """What the shares brought (> 0) or cost."""
        pairs = zip(self.gaps, self.delivered, strict=True)
        return sum((-_shares(gap, count) * _strike(gap) for gap, count in pairs), ZERO)


def is_cash_settled(instrument: Instrument) -> bool:
    """Whether an option pays cash at its end and never shares."""
    terms = OPTION_CLASSES.get(instrument.trading_class)
    if terms is not None:
        return terms.delivery is Delivery.CASH
    return any(one.delivery is Delivery.CASH for one in classes_of(instrument.symbol))


def has_expired(instrument: Instrument, today: dt.date) -> bool:
    """Whether an option's last day has come."""
    return instrument.expiry is not None and instrument.expiry <= today


def ended_options(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Return those gaps that are options delivered in shares, of which there are fewer now."""
    return tuple(
        gap
        for gap in gaps
        if gap.instrument.kind is InstrumentKind.OPTION
        and gap.only_shrank
        and not is_cash_settled(gap.instrument)
    )


def find_ways(
    options: tuple[Gap, ...], *, shares: Decimal, today: dt.date, spot_usd: Decimal | None
) -> tuple[Way, ...]:
    """Return the ways that bring exactly these shares, the least surprising first."""
    if not options or len(options) > OPTIONS_MAX:
        return ()
    whole = [_choices(gap, today) for gap in options]
    found: dict[tuple[Decimal, ...], Way] = {}
    for delivered in itertools.product(*whole):
        for completed in _completed(options, delivered, shares=shares, today=today):
            surprise = _surprise(options, completed, spot_usd)
            way = Way(gaps=options, delivered=completed, surprise=surprise)
            found.setdefault(completed, way)
    return tuple(sorted(found.values(), key=lambda way: way.surprise)[:WAYS_MAX])


def changes_of(way: Way, share: Gap | None) -> tuple[Change, ...]:
    """Return a way as changes of the options and of the share.

    Shares that came and went again may leave nothing that names the share: then what they brought
    is booked to the options.
    """
    changes: list[Change] = []
    held = ZERO if share is None else share.ours.quantity
    for gap, count in zip(way.gaps, way.delivered, strict=True):
        units = _shares(gap, count)
        netted = units * _strike(gap) if share is None else ZERO
        changes += _option_changes(gap, count, netted_usd=netted)
        if units and share is not None:
            changes.append(_share_change(share.instrument, gap, held=held, units=units))
            held += units
    return tuple(changes)


def _choices(gap: Gap, today: dt.date) -> tuple[Decimal, ...]:
    every = abs(gap.moved)
    return (ZERO, every) if has_expired(gap.instrument, today) else (every,)


def _completed(
    options: tuple[Gap, ...], delivered: tuple[Decimal, ...], *, shares: Decimal, today: dt.date
) -> list[tuple[Decimal, ...]]:
    """The choice as it is when it brings the shares, or with one option delivered in part."""
    each = [_shares(gap, count) for gap, count in zip(options, delivered, strict=True)]
    missing = shares - sum(each, ZERO)
    if not missing:
        return [delivered]
    completed = []
    for index, gap in enumerate(options):
        if delivered[index] or not has_expired(gap.instrument, today):
            continue
        part = missing / _shares(gap, Decimal(1))
        if 0 < part < abs(gap.moved) and part == int(part):
            completed.append((*delivered[:index], part, *delivered[index + 1 :]))
    return completed


def _surprise(
    options: tuple[Gap, ...], delivered: tuple[Decimal, ...], spot_usd: Decimal | None
) -> Decimal:
    """How many contracts ended otherwise than the share's price would have it."""
    if spot_usd is None:
        return ZERO
    return sum(
        (
            abs(count - (abs(gap.moved) if _is_inside(gap, spot_usd) else ZERO))
            for gap, count in zip(options, delivered, strict=True)
        ),
        ZERO,
    )


def _is_inside(gap: Gap, spot_usd: Decimal) -> bool:
    above = spot_usd > _strike(gap)
    return above if gap.ours.instrument.right is Right.CALL else not above


def _strike(gap: Gap) -> Decimal:
    return gap.ours.instrument.strike or ZERO


def _shares(gap: Gap, count: Decimal) -> Decimal:
    """Shares that come (> 0) or go when so many contracts are delivered."""
    one = gap.ours.instrument
    holder = 1 if gap.ours.quantity > 0 else -1
    right = 1 if one.right is Right.CALL else -1
    return holder * right * one.multiplier * count


def _option_changes(gap: Gap, delivered: Decimal, *, netted_usd: Decimal) -> list[Change]:
    long = gap.ours.quantity > 0
    name, sign = contract_words(gap.instrument), 1 if long else -1
    lapsed = abs(gap.moved) - delivered
    between = gap.ours.quantity - sign * delivered
    changes = []
    if delivered:
        words = f"{name}: {plain(delivered)} {'exercised' if long else 'assigned'}"
        one = _closing(gap, words=words, before=gap.ours.quantity, after=between)
        cause = Cause.EXERCISE if long else Cause.ASSIGNMENT
        changes.append(
            msgspec.structs.replace(one, cause=cause, gross_usd=netted_usd, cash_usd=-netted_usd)
        )
    if lapsed:
        words = f"{name}: {plain(lapsed)} expired worthless"
        changes.append(_closing(gap, words=words, before=between, after=gap.theirs))
    return changes


def _closing(gap: Gap, *, words: str, before: Decimal, after: Decimal) -> Change:
    return Change(
        cause=Cause.EXPIRY,
        words=words,
        instrument=gap.ours.instrument,
        before=before,
        after=after,
        because_of=gap.instrument.conid,
    )


def _share_change(share: Instrument, gap: Gap, *, held: Decimal, units: Decimal) -> Change:
    strike = _strike(gap)
    long = gap.ours.quantity > 0
    name = contract_words(gap.instrument)
    return Change(
        cause=Cause.EXERCISE if long else Cause.ASSIGNMENT,
        words=f"{contract_words(share)}: {signed(units)} at {plain(strike)} from {name}",
        instrument=share,
        before=held,
        after=held + units,
        gross_usd=units * strike,
        cash_usd=-units * strike,
        because_of=gap.instrument.conid,
    )

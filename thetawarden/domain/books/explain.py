"""Explains how the broker's book came to differ from ours, or says what it cannot explain.

Fills that were missed are folded in before; this is about what no execution tells. Splits are
recognised by their cost, deliveries by the shares, settlements by the cash they paid, transfers
by the cash they did not move; the cash that is left needs a cause of its own. Differences are
explained only when units and cash agree to the cent, and everything else is reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, same_cents
from thetawarden.domain.books.book import Book
from thetawarden.domain.books.cash import CashEvidence, cash_changes, is_about, told_payments
from thetawarden.domain.books.change import Change
from thetawarden.domain.books.deliveries import Way, changes_of, ended_options, find_ways
from thetawarden.domain.books.gaps import Gap, contract_words, gap_words
from thetawarden.domain.books.holding import Cause, Holding
from thetawarden.domain.books.settlements import (
    Group,
    is_worthless,
    paid_usd,
    settled_changes,
    settled_groups,
    settlement_price,
)
from thetawarden.domain.books.splits import split_changes
from thetawarden.domain.broker.instrument import InstrumentKind

TRIES_MAX = 2_000

Gaps = tuple[Gap, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What explains the differences, and in words what is left without an explanation."""

    changes: tuple[Change, ...] = ()
    unexplained: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one account while it is explained; `spots_usd` by underlying, if any."""

    account: str
    book: Book
    holdings: Mapping[str, Holding]
    evidence: CashEvidence
    spots_usd: Mapping[str, Decimal] = {}

    @property
    def mine(self) -> dict[str, Holding]:
        """The account's own holdings."""
        return {key: one for key, one in self.holdings.items() if one.account == self.account}


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one underlying that ended in shares, the share, and how it may have been."""

    gaps: Gaps
    share: Gap | None
    ways: tuple[Way, ...]

    @property
    def moved(self) -> Gaps:
        """Every difference that the deliveries would explain."""
        share = self.share
        return self.gaps if share is None or not share.moved else (*self.gaps, share)


def explain(gaps: Gaps, *, rest_usd: Decimal, case: Case) -> Explanation:
    """Explain one account's differences; `rest_usd` is the broker's cash less ours."""
    splits, gaps = _splits(gaps, rest_usd)
    rest_usd -= _cash(splits)
    ended = _ended(case, gaps)
    taken = {gap.instrument.conid for one in ended for gap in one.moved}
    others = tuple(gap for gap in gaps if gap.instrument.conid not in taken)
    tries = itertools.product(*(one.ways for one in ended))
    for ways in itertools.islice(tries, TRIES_MAX):
        told = _explained(case, others, ended, ways, rest_usd)
        if not told.unexplained:
            return msgspec.structs.replace(told, changes=splits + told.changes)
    sure = tuple(one for one in ended if len(one.ways) == 1)
    doubtful = tuple(gap for one in ended if len(one.ways) != 1 for gap in one.moved)
    only = tuple(one.ways[0] for one in sure)
    told = _explained(case, others + doubtful, sure, only, rest_usd)
    return msgspec.structs.replace(told, changes=splits + told.changes)


def _explained(
    case: Case, others: Gaps, ended: tuple[_Ended, ...], ways: tuple[Way, ...], rest_usd: Decimal
) -> Explanation:
    delivered = tuple(
        change
        for one, way in zip(ended, ways, strict=True)
        for change in changes_of(way, one.share)
    )
    rest_usd -= _cash(delivered)
    told = Explanation()
    for settled, left in _settlements(case, others, rest_usd):
        sure = delivered + settled
        told = _rest_explained(case, sure, left, rest_usd - _cash(settled))
        if not told.unexplained:
            break
    return told


def _rest_explained(
    case: Case, sure: tuple[Change, ...], others: Gaps, left_usd: Decimal
) -> Explanation:
    """With these sure, explain what else differs, and the cash that is left."""
    if others and same_cents(left_usd, ZERO):
        return Explanation(changes=sure + tuple(_transfer(gap) for gap in others))
    words = tuple(gap_words(gap) for gap in others)
    if same_cents(left_usd, ZERO):
        return Explanation(changes=sure, unexplained=words)
    paid = None
    if not others:
        paid = cash_changes(left_usd, book=case.book, holdings=case.mine, evidence=case.evidence)
    if paid is not None:
        return Explanation(changes=sure + paid)
    cash_words = f"cash of {case.account}: {left_usd:+.2f} USD more than our book says"
    return Explanation(changes=sure, unexplained=(*words, cash_words))


def _splits(gaps: Gaps, rest_usd: Decimal) -> tuple[tuple[Change, ...], Gaps]:
    """What splits explain, and the gaps that are none."""
    found: tuple[Change, ...] = ()
    left: list[Gap] = []
    for symbol in dict.fromkeys(gap.instrument.symbol for gap in gaps):
        group = tuple(gap for gap in gaps if gap.instrument.symbol == symbol)
        changes = split_changes(group, rest_usd=rest_usd)
        if changes is None:
            left += group
        else:
            found += changes
    return found, tuple(left)


def _ended(case: Case, gaps: Gaps) -> tuple[_Ended, ...]:
    options = ended_options(gaps)
    symbols = dict.fromkeys(gap.instrument.symbol for gap in options)
    return tuple(_ended_on(case, symbol, gaps, options) for symbol in symbols)


def _ended_on(case: Case, symbol: str, gaps: Gaps, options: Gaps) -> _Ended:
    mine = tuple(gap for gap in options if gap.instrument.symbol == symbol)
    share = _share_of(case, symbol, gaps)
    ways = find_ways(
        mine,
        shares=ZERO if share is None else share.moved,
        today=case.evidence.today,
        spot_usd=case.spots_usd.get(symbol),
    )
    return _Ended(gaps=mine, share=share, ways=ways)


def _share_of(case: Case, symbol: str, gaps: Gaps) -> Gap | None:
    """The share as it differs, or as it is held when it does not."""
    stock = InstrumentKind.STOCK
    for gap in gaps:
        if gap.instrument.kind is stock and gap.instrument.symbol == symbol:
            return gap
    for one in case.mine.values():
        if one.instrument.kind is stock and one.instrument.symbol == symbol:
            return Gap(ours=one, theirs=one.quantity, instrument=one.instrument)
    return None


def _settlements(
    case: Case, gaps: Gaps, rest_usd: Decimal
) -> Iterator[tuple[tuple[Change, ...], Gaps]]:
    """Every likely way in which expired options were settled, and the gaps that are none.

    The same night may have paid what had accrued: then that is not theirs. Where none of them can
    have been worth anything, all the cash is another's. Last, none of them was settled at all.
    """
    groups = settled_groups(gaps, case.evidence.today)
    taken = {gap.instrument.conid for group in groups.values() for gap in group}
    others = tuple(gap for gap in gaps if gap.instrument.conid not in taken)
    priced = {key: case.spots_usd.get(key[0]) for key in groups}
    told = told_payments(case.evidence) if groups else ()
    worthless = _worthless(groups, priced)
    if worthless and any(is_about(rest_usd, one) for one in told):
        yield worthless, others
    for told_usd in (*told, ZERO):
        found = _settled(groups, priced, rest_usd - told_usd)
        if found is not None:
            yield found, others
    if worthless:
        yield worthless, others
    if groups:
        yield (), gaps


def _worthless(
    groups: Mapping[Group, Gaps], priced: Mapping[Group, Decimal | None]
) -> tuple[Change, ...]:
    """All of them ended without a value, or nothing when that is not sure."""
    found: tuple[Change, ...] = ()
    for key, group in groups.items():
        spot = priced[key]
        if spot is None or not is_worthless(group, spot):
            return ()
        found += settled_changes(group, spot)
    return found


def _settled(
    groups: Mapping[Group, Gaps], priced: Mapping[Group, Decimal | None], rest_usd: Decimal
) -> tuple[Change, ...] | None:
    """What became of the settled options if they paid this cash, or None when they cannot have.

    One price can be read off the cash. Of several settlements all but the last are taken at the
    price the index was last seen at, and the last has to account for what remains.
    """
    found: tuple[Change, ...] = ()
    for number, (key, group) in enumerate(groups.items(), start=1):
        spot, cash = priced[key], rest_usd - _cash(found)
        if number < len(groups):
            if spot is None:
                return None
            cash = paid_usd(group, spot)
        price = settlement_price(group, cash_usd=cash, spot_usd=spot)
        if price is None:
            return None
        found += settled_changes(group, price)
    return found


def _transfer(gap: Gap) -> Change:
    words = f"{contract_words(gap.instrument)}: transferred without a trade"
    return Change(
        cause=Cause.TRANSFER,
        words=words,
        instrument=gap.instrument,
        before=gap.ours.quantity,
        after=gap.theirs,
        gross_usd=gap.their_cost_usd - gap.ours.cost_usd,
    )


def _cash(changes: tuple[Change, ...]) -> Decimal:
    return sum((one.cash_usd for one in changes), ZERO)

"""Decides what to ask the broker about a chain: what is listed, and which of it really exists.

Pure. What a day's answers said holds for that day only: a corporate action shows overnight, in
other classes and multipliers. Few questions are open at a time; one that stays without an answer,
or is refused, is put again after a wait that doubles.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.identity import Contracts, Refusal, SeriesKey, terms_of
from thetawarden.domain.chains.plan import WatchedSeries
from thetawarden.domain.chains.settings import Pace, WatchSettings
from thetawarden.domain.chains.windows import choose_expiries
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.contracts import OptionClass
from thetawarden.domain.market.expiry import ExpiryFault, ExpiryTerms, expiry_terms
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.remembering import remembered

SMART = "SMART"
LISTINGS_KEPT, SERIES_KEPT = 256, 8192


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One standard class as the broker lists it."""

    trading_class: str
    exchange: str
    multiplier: int
    expiries: tuple[dt.date, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """When something was last asked, how often in vain, and until when to wait."""

    asked_ns: UnixNs
    failures: int
    wait_until_ns: UnixNs


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of what exists; `day` is when the chain was last found, None for never.

    `questions` are open or failed ones by name, `failing_since_ns` is 0 while all goes well.
    """

    underlying: str
    instrument: Instrument | None = None
    day: dt.date | None = None
    listings: tuple[Listing, ...] = ()
    refused: tuple[tuple[str, Refusal], ...] = ()
    contracts: tuple[Contracts, ...] = ()
    questions: dict[str, Question] = {}
    failing_since_ns: UnixNs = UnixNs(0)
    why: str = ""

    @property
    def is_index(self) -> bool:
        """Whether the underlying is an index."""
        return self.instrument is not None and self.instrument.kind is InstrumentKind.INDEX


CHAIN = "chain"
"""The name of the question after the chain itself; a series' question is named after its key."""


def found_chain(
    search: Search, *, instrument: Instrument, listings: Iterable[Listing], day: dt.date
) -> Search:
    """Return what is known once the broker has listed the chain."""
    refused: dict[str, Refusal] = {}
    standard: dict[str, Listing] = {}
    for listing in listings:
        terms = terms_of(
            trading_class=listing.trading_class,
            multiplier=listing.multiplier,
            underlying=search.underlying,
            is_index=instrument.kind is InstrumentKind.INDEX,
        )
        if isinstance(terms, Refusal):
            refused[listing.trading_class] = terms
        else:
            standard[listing.trading_class] = _joined(standard.get(listing.trading_class), listing)
    return _answered(
        msgspec.structs.replace(
            search,
            instrument=instrument,
            day=day,
            listings=tuple(one for _, one in sorted(standard.items())),
            refused=tuple(sorted(refused.items())),
        ),
        CHAIN,
    )


def found_series(search: Search, contracts: Contracts) -> Search:
    """Return what is known once the broker has named a series' options."""
    kept = [one for one in search.contracts if one.key != contracts.key]
    ordered = sorted((*kept, contracts), key=lambda one: one.key)
    known = msgspec.structs.replace(search, contracts=tuple(ordered))
    return _answered(known, name_of(contracts.key))


def failed(search: Search, name: str, *, why: str, now: UnixNs, pace: Pace) -> Search:
    """Return what is known after a question was answered with a failure, or with nothing."""
    before = search.questions.get(name)
    failures = 1 if before is None else before.failures + 1
    wait_ns = min(pace.retry_ns_min * 2 ** min(failures - 1, 20), pace.retry_ns_max)
    question = Question(asked_ns=UnixNs(0), failures=failures, wait_until_ns=UnixNs(now + wait_ns))
    return msgspec.structs.replace(
        search,
        questions=search.questions | {name: question},
        failing_since_ns=search.failing_since_ns or now,
        why=why,
    )


def asked(search: Search, names: Iterable[str], *, now: UnixNs) -> Search:
    """Return what is known once these questions have been put."""
    put = {
        name: Question(
            asked_ns=now,
            failures=search.questions[name].failures if name in search.questions else 0,
            wait_until_ns=UnixNs(0),
        )
        for name in names
    }
    return msgspec.structs.replace(search, questions=search.questions | put)


def overdue(search: Search, *, now: UnixNs, pace: Pace) -> tuple[str, ...]:
    """Return the open questions that were answered by nothing for too long."""
    return tuple(
        name
        for name, one in search.questions.items()
        if one.asked_ns and now - one.asked_ns > pace.answer_ns_max
    )


def impatient(search: Search, *, now: UnixNs) -> Search:
    """Return the same without waiting: the link is back, what failed may be asked at once."""
    questions = {
        name: msgspec.structs.replace(one, wait_until_ns=now, asked_ns=UnixNs(0))
        for name, one in search.questions.items()
    }
    return msgspec.structs.replace(search, questions=questions)


def wanted_keys(
    search: Search,
    *,
    now: UnixNs,
    interest: Iterable[SeriesKey],
    settings: WatchSettings,
    sessions: Sessions,
) -> tuple[SeriesKey, ...]:
    """Return the series to be watched: those in the windows, and those somebody cares for.

    One that has traded for the last time is none of them: the broker may know it no more.
    """
    if search.instrument is None:
        return ()
    listed, held = _listed(search.listings), set(interest)
    unlisted = [key for key in held if key not in listed]
    last_trades = _last_trades(
        search.listings, sessions, underlying=search.underlying, is_index=search.is_index
    )
    alive = [key for key, last_ns in last_trades.items() if last_ns > now]
    if unlisted:
        ends = ((key, _ends(search, key, sessions)) for key in unlisted)
        alive += [key for key, one in ends if one is not None and one.last_trade_ns > now]
        alive.sort()
    chosen = choose_expiries(
        [key for key in alive if key in listed],
        today=new_york_date(now),
        windows=settings.expiries(search.instrument.kind),
    )
    return tuple(key for key in alive if key in held or key in chosen)


def next_questions(
    search: Search,
    keys: Sequence[SeriesKey],
    *,
    today: dt.date,
    now: UnixNs,
    at_once_max: int,
) -> tuple[SeriesKey | None, ...]:
    """Return what to ask now: None is the chain itself, else a series not qualified today.

    The nearest expiries come first; while the chain was not listed today nothing else is asked.
    """
    if search.day != today:
        return (None,) if _may_ask(search, CHAIN, now) else ()
    qualified = {one.key for one in search.contracts if one.day == today}
    open_ones = sum(1 for one in search.questions.values() if one.asked_ns)
    missing = (key for key in keys if key not in qualified)
    free = [key for key in missing if _may_ask(search, name_of(key), now)]
    return tuple(free[: max(0, at_once_max - open_ones)])


def watched_series(
    search: Search, keys: Iterable[SeriesKey], *, now: UnixNs, sessions: Sessions
) -> tuple[WatchedSeries, ...]:
    """Return the series that have options and have not ended, with the terms of their class."""
    wanted = set(keys)
    found = []
    for contracts in search.contracts:
        if contracts.key not in wanted or not contracts.strikes:
            continue
        terms = class_terms(search, contracts.key.trading_class)
        ends = _ends(search, contracts.key, sessions)
        if isinstance(terms, Refusal) or ends is None or ends.last_trade_ns <= now:
            continue
        found.append(
            WatchedSeries(
                contracts=contracts,
                settlement=terms.settlement,
                style=terms.style,
                settles_ns=ends.settlement_ns,
                last_trade_ns=ends.last_trade_ns,
            )
        )
    return tuple(found)


def class_terms(search: Search, trading_class: str) -> OptionClass | Refusal:
    """Return the terms of a class of this underlying."""
    return terms_of(
        trading_class=trading_class,
        multiplier=100,
        underlying=search.underlying,
        is_index=search.is_index,
    )


def exchange_of(search: Search, key: SeriesKey) -> str:
    """Return where a series is asked for."""
    places: Mapping[str, str] = {one.trading_class: one.exchange for one in search.listings}
    return places.get(key.trading_class, SMART)


def name_of(key: SeriesKey) -> str:
    """Return the name of the question after a series."""
    return f"{key.expiry} {key.trading_class}"


@remembered(LISTINGS_KEPT)
def _listed(listings: tuple[Listing, ...]) -> Mapping[SeriesKey, None]:
    """The listed series in order."""
    keys = {
        SeriesKey(expiry=expiry, trading_class=listing.trading_class)
        for listing in listings
        for expiry in listing.expiries
    }
    return dict.fromkeys(sorted(keys))


@remembered(LISTINGS_KEPT)
def _last_trades(
    listings: tuple[Listing, ...], sessions: Sessions, /, *, underlying: str, is_index: bool
) -> Mapping[SeriesKey, UnixNs]:
    """When each listed series trades for the last time, of those whose end we know."""
    ends = (
        (key, _end_of(sessions, key=key, underlying=underlying, is_index=is_index))
        for key in _listed(listings)
    )
    return {key: one.last_trade_ns for key, one in ends if one is not None}


def _ends(search: Search, key: SeriesKey, sessions: Sessions) -> ExpiryTerms | None:
    """When a series ends; None for a class we do not know or a day that is no expiry."""
    return _end_of(sessions, key=key, underlying=search.underlying, is_index=search.is_index)


@remembered(SERIES_KEPT)
def _end_of(
    sessions: Sessions, /, *, key: SeriesKey, underlying: str, is_index: bool
) -> ExpiryTerms | None:
    terms = terms_of(
        trading_class=key.trading_class,
        multiplier=100,
        underlying=underlying,
        is_index=is_index,
    )
    if isinstance(terms, Refusal):
        return None
    ends = expiry_terms(option_class=terms, expiry=key.expiry, sessions=sessions)
    return None if isinstance(ends, ExpiryFault) else ends


def _answered(search: Search, name: str) -> Search:
    questions = {other: one for other, one in search.questions.items() if other != name}
    failing = any(one.failures for one in questions.values())
    return msgspec.structs.replace(
        search,
        questions=questions,
        failing_since_ns=search.failing_since_ns if failing else UnixNs(0),
        why=search.why if failing else "",
    )


def _may_ask(search: Search, name: str, now: UnixNs) -> bool:
    question = search.questions.get(name)
    return question is None or (not question.asked_ns and question.wait_until_ns <= now)


def _joined(known: Listing | None, listing: Listing) -> Listing:
    """One class listed at several exchanges: routed smartly, every expiry of any of them."""
    if known is None:
        return listing
    first, second = (known, listing) if known.exchange == SMART else (listing, known)
    expiries = tuple(sorted({*first.expiries, *second.expiries}))
    return msgspec.structs.replace(first, expiries=expiries)

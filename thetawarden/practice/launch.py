"""Puts a whole practice gateway together: market, exchange, server, from a few plain choices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.domain.market.calendar import session_on_or_after, session_row
from thetawarden.domain.market.sessions import Exchange as Venue
from thetawarden.domain.market.sessions import load_sessions
from thetawarden.errors import EXIT_USAGE, RefusedError, ThetawardenError
from thetawarden.practice.account.book import AccountTerms, MarginRule
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.exchange.terms import ExchangeTerms
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.market.scenario import ScenarioName

CHOICES_FILE = "choices.json"
DEFAULT_SEED = 1
DEFAULT_CASH_USD = 1_000_000
FIRST_ACCOUNT = 1_000_001
BEFORE_THE_BELL_NS = 5 * NS_PER_MINUTE
SESSIONS_PASSED_OVER_MAX = 5


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose; `scenario` is a name or the path of a CSV of daily closes.

    So many accounts are opened, each with that cash and under that rule of margin. It begins at a
    time of the day, New York's, or just before the bell.
    """

    day: dt.date
    begin: dt.time | None = None
    seed: int = DEFAULT_SEED
    scenario: str = str(ScenarioName.NORMAL)
    accounts: int = 1
    cash: int = DEFAULT_CASH_USD
    margin: str = str(MarginRule.REG_T)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for this time; None takes what the market was begun with, or the default.

    When a day begins is asked of a new market alone: one that has begun is past that.
    """

    day: dt.date | None = None
    begin: dt.time | None = None
    seed: int | None = None
    scenario: str | None = None
    accounts: int | None = None
    cash: int | None = None
    margin: str | None = None


class OtherMarketError(RefusedError):
    """The folder holds another market than the one asked for. The person picks one of the two."""

    def __init__(self, folder: Path, *, what: str, begun: object, asked: object) -> None:
        super().__init__(
            f"the practice market in {folder} was begun with {what} {begun}, {asked} was asked;"
            f" leave {what} out to go on with it, or begin anew (run --fresh, or another --state)"
        )


def settle_choices(asked: Asked, *, today: dt.date, state: Path | None) -> Choices:
    """What a gateway is to be made with; a folder with a market in it decides what is not asked."""
    begun = None if state is None else _begun(state)
    if begun is None or state is None:
        wanted = {name: value for name, value in _fields(asked) if value is not None}
        choices = Choices(**({"day": today} | wanted))
        _start_ns(choices)
        _times(choices.scenario)
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
            (state / CHOICES_FILE).write_bytes(msgspec.json.encode(choices))
        return choices
    for what, wanted in _fields(msgspec.structs.replace(asked, begin=None)):
        kept = getattr(begun, what)
        if wanted is not None and wanted != kept:
            raise OtherMarketError(state, what=what, begun=kept, asked=wanted)
    return begun


def _fields(asked: Asked) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(asked, name)) for name in Asked.__struct_fields__)


def _begun(state: Path) -> Choices | None:
    try:
        return msgspec.json.decode((state / CHOICES_FILE).read_bytes(), type=Choices)
    except (OSError, msgspec.MsgspecError):
        return None


class UnknownScenarioError(ThetawardenError):
    """There is neither a scenario nor a file of that name. The person picks one."""

    exit_code = EXIT_USAGE

    def __init__(self, found: str) -> None:
        names = ", ".join(ScenarioName)
        super().__init__(
            f"scenario {found!r} is neither a name nor a file; allowed: {names},"
            " or the path of a CSV of daily closes"
        )


def build_exchange(choices: Choices) -> PracticeExchange:
    """A market on the day, or on the next session after it."""
    name, path = _times(choices.scenario)
    terms = Terms(seed=choices.seed, start_ns=_start_ns(choices), scenario=name, path=path)
    accounts = tuple(
        AccountTerms(
            account=f"DU{FIRST_ACCOUNT + number}",
            deposit_usd=Decimal(choices.cash),
            margin=MarginRule(choices.margin),
        )
        for number in range(choices.accounts)
    )
    exchange_terms = ExchangeTerms(seed=choices.seed, accounts=accounts)
    return PracticeExchange(PracticeMarket(terms), exchange_terms)


class NoSessionThenError(ThetawardenError):
    """No session lasts until that time of the day. The person picks an earlier one."""

    exit_code = EXIT_USAGE

    def __init__(self, begin: dt.time) -> None:
        super().__init__(f"begin {begin:%H:%M} found; allowed: a time before the close, 16:00")


def _start_ns(choices: Choices) -> int:
    """Five minutes before the bell, or the time asked for of the first session that lasts until it.

    Half days end at 13:00.
    """
    sessions, begin = load_sessions(Venue.NYSE), choices.begin
    day = session_on_or_after(choices.day, sessions)
    if begin is None:
        return int(sessions.open_ns[session_row(day, sessions)]) - BEFORE_THE_BELL_NS
    for _ in range(SESSIONS_PASSED_OVER_MAX):
        start_ns = int(new_york_ns(day, begin))
        if start_ns < sessions.close_ns[session_row(day, sessions)]:
            return start_ns
        day = session_on_or_after(day + dt.timedelta(days=1), sessions)
    raise NoSessionThenError(begin)


def _times(scenario: str) -> tuple[ScenarioName, str | None]:
    """The scenario's name, or the path of the user's own closes in its place."""
    if scenario in set(ScenarioName):
        return ScenarioName(scenario), None
    path = Path(scenario)
    if not path.is_file():
        raise UnknownScenarioError(scenario)
    return ScenarioName.NORMAL, str(path.absolute())

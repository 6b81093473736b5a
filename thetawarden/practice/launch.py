"""Puts a whole practice gateway together: market, exchange, server, from a few plain choices."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.market.calendar import session_on_or_after, session_row
from thetawarden.domain.market.sessions import Exchange as Venue
from thetawarden.domain.market.sessions import load_sessions
from thetawarden.errors import EXIT_USAGE, RefusedError, ThetawardenError
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.exchange.terms import ExchangeTerms
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.market.scenario import ScenarioName

CHOICES_FILE = "choices.json"
DEFAULT_SEED = 1
BEFORE_THE_BELL_NS = 5 * NS_PER_MINUTE


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose; `scenario` is a name or the path of a CSV of daily closes."""

    day: dt.date
    seed: int = DEFAULT_SEED
    scenario: str = str(ScenarioName.NORMAL)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for this time; None takes what the market was begun with, or the default."""

    day: dt.date | None = None
    seed: int | None = None
    scenario: str | None = None


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
        choices = Choices(
            day=asked.day or today,
            seed=DEFAULT_SEED if asked.seed is None else asked.seed,
            scenario=asked.scenario or str(ScenarioName.NORMAL),
        )
        _times(choices.scenario)
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
            (state / CHOICES_FILE).write_bytes(msgspec.json.encode(choices))
        return choices
    for what in ("day", "seed", "scenario"):
        wanted, kept = getattr(asked, what), getattr(begun, what)
        if wanted is not None and wanted != kept:
            raise OtherMarketError(state, what=what, begun=kept, asked=wanted)
    return begun


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
    """A market five minutes before the opening bell of the day, or of the next session after it."""
    sessions = load_sessions(Venue.NYSE)
    row = session_row(session_on_or_after(choices.day, sessions), sessions)
    start_ns = int(sessions.open_ns[row]) - BEFORE_THE_BELL_NS
    name, path = _times(choices.scenario)
    terms = Terms(seed=choices.seed, start_ns=start_ns, scenario=name, path=path)
    return PracticeExchange(PracticeMarket(terms), ExchangeTerms(seed=choices.seed))


def _times(scenario: str) -> tuple[ScenarioName, str | None]:
    """The scenario's name, or the path of the user's own closes in its place."""
    if scenario in set(ScenarioName):
        return ScenarioName(scenario), None
    path = Path(scenario)
    if not path.is_file():
        raise UnknownScenarioError(scenario)
    return ScenarioName.NORMAL, str(path.absolute())

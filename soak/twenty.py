"""Many trading days of a desk left alone, in virtual time, on markets of several kinds.

Nobody but the desk trades and nothing is forced: what happens comes of the market's own moves. All
that is checked is read off the message log and the exchange's own books: every evening, and every
morning, once the broker's work of the night has been done.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from soak.twenty_world import LINES, wide, write_companies
from thetawarden.actors.keeping import rows_of
from thetawarden.config.schema import Config
from thetawarden.domain.books.amounts import to_cents
from thetawarden.domain.books.book import cash_usd
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.managing.decision import Action, Rule
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import PositionExplained
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProtectionChanged,
    ReviseExits,
    SubmitOrder,
)
from thetawarden.messages.steward import PositionDecided, TradeChanged
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.disk import Entry
from thetawarden.sim.settings import BEFORE_THE_BELL, FIRST_DAY, SPEED, WorldSettings, small_config
from thetawarden.sim.world import World

SCENARIOS = (ScenarioName.NORMAL, ScenarioName.SELLOFF, ScenarioName.VOL_SPIKE_2018_LIKE)
WANTED = (
    *("expiry", "assignment", "wheel cycle", "roll", "profit-target change"),
    *("rebalance", "hedge", "spread switch"),
)
UNPROTECTED_S_MAX = 5.0
MORNING, EVENING = dt.time(9, 15), dt.time(17, 30)
SLICE_NS = 15 * 60 * NS_PER_SECOND
INDEX, FUND, UNITS = "XSP", "IWM", 4


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How many days of each scenario, from which seed; the desk begins after `skip` days of it."""

    days: int = 20
    skip: int = 0
    seed: int = 1
    scenarios: tuple[ScenarioName, ...] = SCENARIOS


class Verdict(msgspec.Struct, kw_only=True):
    """Figures, what happened how often, and everything that was wrong, in words."""

    figures: dict[str, str] = {}
    happened: Counter[str] = msgspec.field(default_factory=Counter)
    days: Counter[str] = msgspec.field(default_factory=Counter)
    wrong: list[str] = []

    @property
    def missing(self) -> tuple[str, ...]:
        """What should have happened at least once, and did not."""
        return tuple(name for name in WANTED if not self.happened[name])


class Observer:
    """Hears every entry of the log of one world."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.unprotected_s: list[float] = []
        self.messages = 0
        self._submitted: set[str] = set()
        self._announced: set[str] = set()
        self._lacking: dict[str, UnixNs] = {}
        self._asked: dict[str, Action] = {}
        self._defined_only = False

    def __call__(self, entry: Entry) -> None:
        """Take in one entry."""
        if isinstance(entry, Envelope):
            self.messages += 1
            self._hear(entry.body, entry.at_ns)

    @property
    def announced(self) -> tuple[str, ...]:
        """What was said to be intended, and whose intent never came."""
        return tuple(sorted(self._announced))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The trades that still miss an exit."""
        return tuple(self._lacking)

    def _hear(self, body: Message, at_ns: UnixNs) -> None:
        match body:
            case SubmitOrder():
                self._submit(body)
            case OrderStageChanged():
                self._stage(body)
            case ProtectionChanged():
                self._protection(body, at_ns)
            case PositionDecided(decision=decision, proposal_key=key):
                self._asked[key] = decision.action
                self.happened[f"decided {decision.action}: {decision.rule}"] += 1
                if decision.rule is Rule.NEW_TARGET:
                    self.happened["profit-target change"] += 1
            case ReviseExits():
                self.happened["exits moved"] += 1
            case PositionExplained(cause=cause):
                self.happened["expiry" if cause in {"expiry", "settlement"} else cause] += 1
            case TradeChanged(event=event, reason=reason):
                self.happened[f"trade {event}"] += 1
                self.happened["wheel cycle"] += "wheel cycle over" in reason
            case RegimeAssessed(regime=regime):
                self._defined_only = regime.entries is EntryPolicy.DEFINED_RISK_ONLY
            case OrderApproved(proposal=proposal):
                self.happened[f"approved {proposal.strategy}"] += 1
                switched = proposal.strategy == "put_spreads" and self._defined_only
                self.happened["spread switch"] += switched
            case OrderRefused(proposal=proposal, review=review):
                rules = () if review is None else review.binding
                for name in dict.fromkeys(rules) or ("no review",):
                    self.happened[f"refused {proposal.purpose} by {name}"] += 1
            case TradingHalted():
                self.happened["halted"] += 1
            case _:
                pass

    def _submit(self, body: SubmitOrder) -> None:
        for one in (body.intent, *body.exits):
            if one.order_ref in self._submitted:
                self.wrong.append(f"{one.order_ref} was submitted twice")
            self._submitted.add(one.order_ref)
            self._announced.discard(one.order_ref)
            self.happened["orders"] += 1

    def _stage(self, body: OrderStageChanged) -> None:
        if body.order_ref not in self._submitted:
            self._unintended(body)
        if body.stage is not Stage.FILLED:
            return
        self.happened[f"filled {body.role}"] += 1
        self.happened["roll"] += body.role is OrderRole.ROLL
        action = self._asked.get(body.proposal_key)
        self.happened["rebalance"] += action is Action.REBALANCE
        self.happened["hedge"] += action is Action.HEDGE

    def _unintended(self, body: OrderStageChanged) -> None:
        """What is intended is announced in the same breath as its intent, and withheld without."""
        if body.stage is Stage.INTENDED:
            self._announced.add(body.order_ref)
        elif body.stage is not Stage.WITHHELD:
            self.wrong.append(f"{body.order_ref} is {body.stage} and has no intent")

    def _protection(self, body: ProtectionChanged, at_ns: UnixNs) -> None:
        if not body.complete:
            self._lacking.setdefault(body.trade, body.since_ns or at_ns)
            return
        since = self._lacking.pop(body.trade, None)
        if since is not None:
            self.unprotected_s.append((at_ns - since) / NS_PER_SECOND)


def run_twenty(terms: Terms, *, progress: Callable[[str], None]) -> Verdict:
    """Live through every scenario, and add up what was found."""
    verdict = Verdict()
    for scenario in terms.scenarios:
        with tempfile.TemporaryDirectory() as folder:
            _scenario(terms, scenario, Path(folder), verdict, progress)
    return verdict


def _scenario(
    terms: Terms,
    scenario: ScenarioName,
    folder: Path,
    verdict: Verdict,
    progress: Callable[[str], None],
) -> None:
    observer, began = Observer(), time.monotonic()
    world = World(settings_of(terms, scenario, folder), folder, watch=observer)
    days = days_of(terms)
    agreed = 0
    for at, day in enumerate(days):
        before = Counter(observer.happened)
        differing = _live(world, day)
        agreed += not differing
        observer.wrong += [f"{scenario} {day}: {words}" for words in differing]
        new = observer.happened - before
        verdict.days += Counter(dict.fromkeys(new, 1))
        wanted = ", ".join(f"{name} {new[name]}" for name in WANTED if new[name]) or "nothing else"
        done = time.monotonic() - began
        progress(
            f"{scenario} day {at + 1} of {len(days)}, {observer.messages} messages, {done:.0f} s;"
            f" {new['filled entry']} entries, {wanted}; {len(observer.wrong)} wrong"
        )
    observer.wrong += [f"{scenario}: {one} still misses an exit" for one in observer.lacking]
    observer.wrong += [f"{scenario}: {one} was never intended" for one in observer.announced]
    world.stop()
    late = [seconds for seconds in observer.unprotected_s if seconds > UNPROTECTED_S_MAX]
    verdict.happened += observer.happened
    verdict.wrong += observer.wrong
    verdict.figures |= {
        f"{scenario}: evenings and mornings that agreed": f"{agreed} of {len(days)} days",
        f"{scenario}: orders": str(observer.happened["orders"]),
        f"{scenario}: protection missing, repaired": str(len(observer.unprotected_s)),
        f"{scenario}: of them longer than 5 s": str(len(late)),
        f"{scenario}: the longest, market s": f"{max(late, default=0.0):.0f}",
        f"{scenario}: messages": str(observer.messages),
        f"{scenario}: machine seconds": f"{time.monotonic() - began:.0f}",
    }


def days_of(terms: Terms) -> tuple[dt.date, ...]:
    """Return the sessions that are lived through."""
    many = dt.timedelta(days=2 * (terms.skip + terms.days) + 7)
    found = sessions_between(FIRST_DAY, FIRST_DAY + many, load_sessions(Exchange.NYSE))
    return tuple(found[terms.skip : terms.skip + terms.days])


def settings_of(terms: Terms, scenario: ScenarioName, folder: Path) -> WorldSettings:
    """The world of one scenario, the same alone and beside others.

    What is known of companies is written down in the folder.
    """
    seed, companies = terms.seed + SCENARIOS.index(scenario), folder / "companies.csv"
    settings = WorldSettings(
        config=wide(universe(small_config()), companies),
        seed=seed,
        market_seed=seed,
        scenario=scenario,
        start_ns=new_york_ns(days_of(terms)[0], BEFORE_THE_BELL),
        habits=BrokerHabits(quotes_every_ns=round(SPEED * NS_PER_SECOND), lines_max=LINES),
    )
    write_companies(companies, seed=seed, start_ns=settings.market_start_ns, scenario=scenario)
    return settings


def universe(config: Config) -> Config:
    """The small configuration with a fund beside the index, more of both, and strangles."""
    replace, strategy = msgspec.structs.replace, config.strategy
    expiries = replace(
        config.chains.index, near_days_max=7, near_min=3, near_max=4, far_days_min=15
    )
    return replace(
        config,
        watch=replace(config.watch, price_age_s=3600.0),  # a quiet VIX stands still for an hour
        chains=replace(
            config.chains,
            underlyings=(INDEX, FUND),
            index=expiries,
            share=expiries,
            strikes=replace(config.chains.strikes, count_min=12, count_max=30),
            cadence=replace(config.chains.cadence, scan_s=8.0),
        ),
        strategy=replace(
            strategy,
            index_puts=replace(strategy.index_puts, underlyings=(INDEX, FUND), units=UNITS),
            put_spreads=replace(strategy.put_spreads, underlyings=(INDEX, FUND), units=UNITS),
            strangles=replace(strategy.strangles, enabled=True, underlyings=(INDEX,), units=UNITS),
        ),
    )


def _live(world: World, day: dt.date) -> tuple[str, ...]:
    """One day from its morning to its evening, and how the books differ then, in words."""
    world.run_until(new_york_ns(day, MORNING))
    found = differences(world) if world.alive else ()
    early = tuple(f"in the morning {words}" for words in found)
    end_ns = new_york_ns(day, EVENING)
    while (now_ns := world.clock.true_ns()) < end_ns:
        world.run_until(min(now_ns + SLICE_NS, end_ns))
    return (*early, *differences(world))


def differences(world: World) -> tuple[str, ...]:
    """Return how the keeper's book differs from the exchange's own, in words."""
    keeper = world.desk.state_of("keeper")
    exchange = world.gateway.exchange
    if keeper is None:
        return ("the keeper does not answer",)
    ours = {row.instrument.conid: row.book_quantity for row in rows_of(keeper) if row.book_quantity}
    theirs = {
        one.contract.con_id: Decimal(one.quantity) for one in exchange.positions() if one.quantity
    }
    found = []
    if ours != theirs:
        apart = sorted(set(ours.items()) ^ set(theirs.items()))
        found.append(f"positions differ in {apart[:4]}")
    for account in exchange.accounts():
        own = to_cents(cash_usd(keeper.book, account))
        true = to_cents(exchange.floor.state.books[account].cash_usd)
        if own != true:
            found.append(f"cash is {true}, our book says {own}")
    return tuple(found)

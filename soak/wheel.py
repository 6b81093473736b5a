"""A put left to its end, the shares it brings, and the call sold on them, over real sockets.

`python -m soak wheel` runs a gateway and a desk as processes of their own. A put on a fund is sold
in the last hour of a day, for the next; the fund falls, the put ends in the money, is assigned in
the night, the shares are found and explained, and in the morning a covered call is asked for and
sold. The desk is away while nights are hurried through, up when anything happens; none is forced.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from soak.kill_truth import read_truth
from soak.processes import GatewayLine, Process, free_port
from soak.twenty_world import write_companies
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, iso, new_york_ns
from thetawarden.domain.managing.decision import Action
from thetawarden.domain.market.calendar import next_session
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.infra.journal.follow import Follower
from thetawarden.infra.journal.reader import Wanted
from thetawarden.messages.books import FillBooked, PositionExplained
from thetawarden.messages.orders import OrderRefused, ProposeOrder
from thetawarden.messages.steward import PositionDecided
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice.admin import Command, ask
from thetawarden.practice.market.scenario import ScenarioName

BEGIN, LAST_HALF_HOUR, CLOSED = dt.time(14, 50), dt.time(15, 30), dt.time(16, 10)
BEFORE_NIGHT_RUN, AFTER_NIGHT_RUN = dt.time(2, 20), dt.time(3, 30)
MORNING, LATE = dt.time(9, 26), dt.time(11, 30)
HURRY = 3000.0
LOOK_S = 0.25
LAGS_S = 900.0
"""How long each step may take a machine that is busy with other things."""
HEARD = (FillBooked, PositionExplained, PositionDecided, ProposeOrder, OrderRefused, TradingHalted)
CONFIGURATION = """\
practice: {{gateway: false, port: {port}, speed: {speed:g}, same_day: false}}
guardian: {{enabled: false}}
watch: {{price_age_s: 3600}}
chains:
  underlyings: [IWM]
  strikes: {{puts_max: 20, calls_max: 20}}
  quotes: {{age_s_max: 600, spot_age_s_max: 600, jump_fraction: 1.0, frozen_widths_min: 100}}
  cadence: {{fit_american_s: 5}}
risk:
  known: {{companies: "{companies}"}}
  sizing: {{short_delta_per_share_max: 0.6, index_short_delta_per_share_max: 0.6}}
  margin: {{answer_age_s_max: 600, account_age_s_max: 1800}}
  stress: {{age_s_max: 1800}}
  orders: {{quote_age_s_max: 600, approval_s: 60}}
  book: {{age_s_max: 600}}
strategy:
  entries:
    times: ["15:00", "15:05", "15:10", "15:15", "15:20"]
    again_market_s: 30
    same_again_market_s: 60
    answer_s: 90
    quote_age_s_max: 600
  index_puts: {{enabled: false}}
  put_spreads: {{enabled: false}}
  condors: {{enabled: false}}
  stock_puts: {{enabled: true, underlyings: [IWM], dte_min: 1, dte_max: 1, target_delta: 0.38,
    low_delta: 0.2, high_delta: 0.5, otm_fraction_min: 0.0, premium_usd_min: 0.05, units: 4}}
managing:
  exits: {{loss_exit_fraction: 0, exit_delta: 1.0, trailing_from_fraction: 0, vix_rise_points: 0}}
  band: {{delta_per_share: 1.0}}
  wheel: {{shares_nlv_fraction_max: 0.5}}
"""
"""A desk that sells puts near the money and lets them end: it wants the shares."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Which day of which market; the usual one is followed by one on which the fund falls."""

    folder: Path
    speed: float = 30.0
    seed: int = 2
    start: str = "2026-03-04"
    scenario: ScenarioName = ScenarioName.NORMAL


class Verdict(msgspec.Struct, kw_only=True):
    """What was seen, step by step, and what was wrong."""

    figures: dict[str, str] = {}
    wrong: list[str] = []


class Seen(msgspec.Struct, kw_only=True):
    """What the message log told so far; contracts by number, > 0 bought."""

    seq: int = 0
    puts: dict[int, Decimal] = {}
    calls: dict[int, Decimal] = {}
    explained: list[PositionExplained] = []
    covers: list[str] = []
    refused: list[str] = []
    halts: list[str] = []
    fills: set[str] = set()
    keys: set[str] = set()

    @property
    def assigned(self) -> bool:
        """Whether puts were assigned, and shares came of it."""
        kinds = {one.instrument.kind for one in self._of_assignment if one.instrument is not None}
        return {InstrumentKind.OPTION, InstrumentKind.STOCK} <= kinds

    @property
    def _of_assignment(self) -> list[PositionExplained]:
        return [one for one in self.explained if one.cause == Cause.ASSIGNMENT]

    def take(self, body: object) -> None:
        """Take in one message."""
        match body:
            case FillBooked(execution=execution) if execution.execution_id not in self.fills:
                self.fills.add(execution.execution_id)  # said again once its commission is known
                sides = {Right.PUT: self.puts, Right.CALL: self.calls}
                side = sides.get(execution.instrument.right or Right.PUT, self.puts)
                if execution.instrument.kind is InstrumentKind.OPTION:
                    conid = execution.instrument.conid
                    side[conid] = side.get(conid, Decimal()) + execution.quantity
            case PositionExplained():
                self.explained.append(body)
            case PositionDecided(decision=decision, proposal_key=key):
                if decision.action is Action.COVER and key:
                    self.keys.add(key)
            case ProposeOrder(proposal=proposal) if proposal.key in self.keys:
                self.covers.append("; ".join(proposal.reasons[:1]))
            case OrderRefused(words=words):
                self.refused.append(words[:160])
            case TradingHalted(halt=halt):
                self.halts.append(halt.reason)
            case _:
                pass


def run_wheel(terms: Terms, *, progress: Callable[[str], None]) -> Verdict:
    """Live through an evening, a night and a morning."""
    stage = _Stage(terms, progress)
    try:
        stage.live()
    finally:
        stage.end()
    return stage.verdict


class _Stage:
    """A gateway, a desk, what its log tells, and the steps in their order."""

    def __init__(self, terms: Terms, progress: Callable[[str], None]) -> None:
        self.verdict = Verdict()
        self._terms, self._progress, self._seen = terms, progress, Seen()
        self._port = free_port()
        home = terms.folder
        home.mkdir(parents=True, exist_ok=True)
        self._day = dt.date.fromisoformat(terms.start)
        companies = home / "companies.csv"
        write_companies(
            companies,
            seed=terms.seed,
            start_ns=new_york_ns(self._day, BEGIN),
            scenario=terms.scenario,
        )
        text = CONFIGURATION.format(port=self._port, speed=terms.speed, companies=companies)
        (home / "thetawarden.yaml").write_text(text)
        market = ["--speed", f"{terms.speed:g}", "--seed", str(terms.seed), "--start", terms.start]
        market += ["--begin", f"{BEGIN:%H:%M}", "--scenario", terms.scenario.value]
        state = ["gateway", "--port", str(self._port), "--state", str(home / "gateway")]
        self._gateway = Process([*state, *market], home=home, log=home / "gateway.log")
        self._desk = Process(["run"], home=home, log=home / "desk.log")
        self._line = GatewayLine(self._port)
        self._log = Follower(home / "practice" / "log")

    def live(self) -> None:
        """Every step; what does not come ends it."""
        sessions = load_sessions(Exchange.NYSE)
        last = next_session(self._day, sessions)
        night, after = last + dt.timedelta(days=1), next_session(last, sessions)
        self._gateway.start()
        self._line.wait()
        self._desk.start()
        if not self._until(lambda seen: any(seen.puts.values()), self._day, dt.time(15, 55)):
            return self._miss("a put was sold")
        self._hurry(last, LAST_HALF_HOUR)
        self._wait_until(last, CLOSED)
        self._hurry(night, BEFORE_NIGHT_RUN)
        if not self._until(lambda seen: seen.assigned, night, AFTER_NIGHT_RUN):
            return self._miss("the put was assigned and its shares were explained")
        self._hurry(after, MORNING)
        if not self._until(lambda seen: bool(seen.covers), after, LATE):
            return self._miss("a covered call was asked for")
        if not self._until(lambda seen: any(seen.calls.values()), after, LATE):
            return self._miss("the covered call was sold")
        return self._judge()

    def end(self) -> None:
        """Leave nothing running."""
        self._desk.end()
        self._gateway.end()

    def _miss(self, what: str) -> None:
        seen = self._seen
        self._look()
        self.verdict.wrong.append(f"never seen: {what}")
        self.verdict.wrong += [f"refused: {words}" for words in dict.fromkeys(seen.refused)][-5:]
        self.verdict.wrong += [f"halted: {reason}" for reason in seen.halts]

    def _judge(self) -> None:
        seen, truth = self._seen, read_truth(self._port)
        shares = sum(q for conid, q in truth.positions.items() if conid not in truth.shorts)
        calls = {conid: quantity for conid, quantity in seen.calls.items() if quantity}
        there = {conid: truth.positions[conid] for conid in truth.shorts}
        if any(there.get(conid, Decimal()) > quantity for conid, quantity in calls.items()):
            self.verdict.wrong.append(f"calls {calls} are not at the gateway: {truth.positions}")
        if shares < -100 * sum(there.values()):
            self.verdict.wrong.append(f"{shares} shares do not cover {there}")
        self.verdict.wrong += [f"halted: {reason}" for reason in seen.halts]
        self.verdict.figures |= {
            "puts sold": str(-sum(seen.puts.values())),
            "explained": "; ".join(
                f"{one.contract or one.conid} {one.before} to {one.after}: {one.cause}"
                for one in seen.explained
            ),
            "shares at the gateway": str(shares),
            "asked for": seen.covers[0],
            "calls sold": str(-sum(calls.values())),
        }

    def _hurry(self, day: dt.date, at: dt.time) -> None:
        """Let the market run while the desk is away."""
        self._look()
        self._desk.end()
        asyncio.run(ask(Command(do="speed", speed=HURRY), port=self._port))
        self._wait_until(day, at)
        asyncio.run(ask(Command(do="speed", speed=self._terms.speed), port=self._port))
        self._desk.start()

    def _wait_until(self, day: dt.date, at: dt.time) -> None:
        self._until(lambda _seen: False, day, at)

    def _until(self, done: Callable[[Seen], bool], day: dt.date, at: dt.time) -> bool:
        """Whether it came before that time of the market."""
        ends_ns, gives_up = new_york_ns(day, at), time.monotonic() + LAGS_S
        while time.monotonic() < gives_up:
            self._look()
            now_ns = int(self._line.wait()["market_ns"])
            if done(self._seen):
                self._progress(f"{iso(UnixNs(now_ns))}: as hoped for")
                return True
            if now_ns >= ends_ns:
                self._progress(f"{iso(UnixNs(now_ns))}: it is {at:%H:%M}")
                return False
            left_s = (ends_ns - now_ns) / NS_PER_SECOND
            time.sleep(min(LOOK_S, max(left_s / HURRY, 0.01)))
        return False

    def _look(self) -> None:
        """Read on in the log."""
        kinds = tuple(one.__name__ for one in HEARD)
        batch = self._log.read(Wanted(kinds=kinds, after_seq=self._seen.seq))
        for envelope in batch.messages:
            self._seen.take(envelope.body)
        self._seen.seq = batch.last_seq

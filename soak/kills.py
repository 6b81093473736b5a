"""Kills the desk at moments around its order flow, and the gateway too, and looks for harm.

`python -m soak kills` runs a desk and a practice gateway as processes of their own on one market
session after another, ends one of them with SIGKILL at seeded moments, starts it again, waits until
the desk is reconciled, and compares the message log with the gateway: nothing lost, nothing sent
twice, nothing short without an order that buys it back, nothing in doubt, books equal to the cent.

Most of a kill is waiting: for an order to move, and for two books ten seconds apart. So several
lanes of desks and gateways, each by itself, are killed side by side.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from soak import kill_checks
from soak.kill_record import Reader, Record
from soak.kill_truth import Truth, read_truth
from soak.processes import GatewayLine, Process, free_port
from thetawarden.domain.instants import NS_PER_SECOND, new_york_clock
from thetawarden.errors import ThetawardenError
from thetawarden.infra.control.client import ControlClient

READY_S = 240.0
SETTLE_S = 240.0
FLOW_S_MAX = 45.0
RESUME_EVERY_S = 5.0
LOOK_S = 0.01
UNPROTECTED_MARKET_S_MAX = 300.0
LATEST = dt.time(15, 20)
FIRST_ENTRY, LAST_ENTRY, ENTRIES = dt.time(9, 40), dt.time(15, 20), 50
BEGIN = "09:36"  # the desk is up as the first entry comes
NEAR_S_MAX, FAR_S_MAX, AWAY_S_MAX = 0.15, 3.0, 1.5
NEAR_SHARE, FLATTEN_SHARE = 0.75, 0.3
LANE_SEEDS = 1000

CONFIGURATION = """\
practice: {{gateway: false, port: {port}, speed: {speed:g}, same_day: false}}
guardian: {{enabled: false}}
watch: {{price_age_s: 3600}}
chains:
  underlyings: [XSP, SPY]
  quotes: {{age_s_max: 600, spot_age_s_max: 600}}
risk:
  concentration: {{positions_max: 60}}
  margin: {{answer_age_s_max: 600, account_age_s_max: 1800}}
  stress: {{age_s_max: 1800}}
  orders: {{quote_age_s_max: 600, approval_s: 60}}
  book: {{age_s_max: 600}}
strategy:
  entries:
    times: [{times}]
    again_market_s: 30
    same_again_market_s: 60
    answer_s: 90
    quote_age_s_max: 600
  index_puts: {{underlyings: [XSP, SPY], units: 2}}
  put_spreads: {{underlyings: [XSP], units: 2}}
  condors: {{enabled: false}}
"""
"""A desk that enters all day, on little, and is not kept from it by a machine that lags."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How many kills in how many lanes, on which market, from which seed."""

    folder: Path
    lanes: int = 3
    desk_kills: int = 300
    gateway_kills: int = 50
    speed: float = 10.0
    seed: int = 1
    start: str = "2026-03-02"


class Verdict(msgspec.Struct, kw_only=True):
    """What was done and found; `wrong` is empty after a good campaign."""

    seed: int
    kills: dict[str, int] = {}
    wrong: list[str] = []
    halts: list[str] = []
    orders: int = 0
    fills: int = 0
    doubted: int = 0
    flattened: int = 0
    sessions: int = 0
    flow_s: list[float] = []
    reconciled_s: list[float] = []
    settled_s: list[float] = []
    unprotected_market_s: list[float] = []

    @property
    def figures(self) -> dict[str, object]:
        """The report, line by line."""
        return {
            "seed": self.seed,
            "desk kills": self.kills.get("desk", 0),
            "gateway kills": self.kills.get("gateway", 0),
            "market sessions begun": self.sessions,
            "orders intended": self.orders,
            "fills booked": self.fills,
            "orders that were in doubt, all resolved": self.doubted,
            "flattened in between": self.flattened,
            "halts (lifted by this test)": len(self.halts),
            "waited for order flow, median (s)": _median(self.flow_s),
            "until the desk was reconciled, median (s)": _median(self.reconciled_s),
            "until all was settled, median (s)": _median(self.settled_s),
            "until all was settled, longest (s)": round(max(self.settled_s, default=0.0), 1),
            "short without exit, longest (market s)": round(
                max(self.unprotected_market_s, default=0.0), 1
            ),
            "violations": len(self.wrong),
        }

    def take(self, other: Verdict) -> None:
        """Add what another lane found."""
        for name, value in msgspec.structs.asdict(other).items():
            mine = getattr(self, name)
            if name == "kills":
                self.kills = dict(Counter(mine) + Counter(value))
            elif name != "seed":
                setattr(self, name, mine + value)


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds), 1) if seconds else 0.0


class Scene:
    """One market session: a gateway that remembers, a desk, and what is known of both."""

    def __init__(self, terms: Terms, number: int) -> None:
        self.home = terms.folder / f"session-{number}"
        self.home.mkdir(parents=True)
        self.port = free_port()
        market = ["--speed", f"{terms.speed:g}", "--seed", str(terms.seed + number)]
        state = ["--state", str(self.home / "gateway"), "--start", terms.start, "--begin", BEGIN]
        self.gateway = Process(
            ["gateway", "--port", str(self.port), *state, *market],
            home=self.home,
            log=self.home / "gateway.log",
        )
        self.desk = Process(["run"], home=self.home, log=self.home / "desk.log")
        _configure(self.home, port=self.port, speed=terms.speed)
        store = self.home / "practice"
        self.reader = Reader(store / "log")
        self.control = ControlClient(store, timeout_s=20.0)

    def start(self) -> None:
        """Start both, and wait until the desk is ready."""
        self.gateway.start()
        GatewayLine(self.port).wait()
        self.desk.start()
        until = time.monotonic() + READY_S
        while not self.reader.look().is_settled:
            if time.monotonic() > until:
                raise TimeoutError("the desk did not come to be ready")
            time.sleep(0.5)

    @property
    def is_late(self) -> bool:
        """Whether too little is left of the session for orders to flow."""
        market_ns = int(GatewayLine(self.port).wait()["market_ns"])
        return new_york_clock(market_ns).time() >= LATEST

    def await_flow(self) -> str:
        """Return as soon as an order moves, or after a while without one; say which."""
        before, began = self.reader.look().flow_seq, time.monotonic()
        resume_s = RESUME_EVERY_S
        while (waited_s := time.monotonic() - began) < FLOW_S_MAX:
            if self.reader.look().flow_seq > before:
                return "in flow"
            if waited_s >= resume_s:  # a machine that lags makes the watchdog halt
                resume_s += RESUME_EVERY_S
                self.resume()
            time.sleep(LOOK_S)
        return "at rest"

    def flatten(self) -> bool:
        """Have everything closed, so that closing orders are on their way as well."""
        valued = self.reader.look().valued
        if valued is None or not any(one.quantity for one in valued.positions):
            return False
        with contextlib.suppress(ThetawardenError):
            self.control.flatten("the soak closes all", "")
            return True
        return False

    def resume(self) -> None:
        """Lift a halt, as a person would after having looked."""
        if self.reader.look().halted:
            with contextlib.suppress(ThetawardenError):
                self.control.resume("the soak goes on", None)

    def end(self) -> None:
        """End both."""
        self.reader.close()
        self.desk.kill()
        self.gateway.kill()


def run_kills(terms: Terms, *, progress: Callable[[str], None]) -> Verdict:
    """Kill as often as was asked, side by side, on as many sessions as that takes.

    Interrupted, it ends after the kills that are under way, and tells what was found until then.
    """
    verdict, stopping = Verdict(seed=terms.seed), threading.Event()
    lanes = [lane_of(terms, number) for number in range(terms.lanes)]
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(_run_lane, lane, progress, stopping) for lane in lanes]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            progress("interrupted: the kills under way are seen to their end")
        finally:
            stopping.set()
    for one in running:
        verdict.take(one.result())
    return verdict


def lane_of(terms: Terms, number: int) -> Terms:
    """A lane's share of the kills, with markets and moments of its own."""
    share, lanes = msgspec.structs.replace, terms.lanes
    return share(
        terms,
        folder=terms.folder / f"lane-{number}",
        seed=terms.seed + LANE_SEEDS * number,
        desk_kills=len(range(number, terms.desk_kills, lanes)),
        gateway_kills=len(range(number, terms.gateway_kills, lanes)),
    )


def _run_lane(terms: Terms, progress: Callable[[str], None], stopping: threading.Event) -> Verdict:
    chance, verdict = random.Random(terms.seed), Verdict(seed=terms.seed)
    plan = ["desk"] * terms.desk_kills + ["gateway"] * terms.gateway_kills
    chance.shuffle(plan)
    number = 0
    while plan and not stopping.is_set():
        scene = Scene(terms, number)
        verdict.sessions, number = verdict.sessions + 1, number + 1
        try:
            scene.start()
            while plan and not scene.is_late and not stopping.is_set():
                _kill(scene, plan.pop(), chance, verdict, progress)
        except (TimeoutError, OSError) as error:
            verdict.wrong.append(f"seed {terms.seed}, session {number}: {error}")
            break
        finally:
            record = scene.reader.look()
            verdict.orders += len(record.intents)
            verdict.fills += len(record.booked)
            verdict.doubted += len(record.doubted)
            verdict.halts += record.halts
            scene.end()
    return verdict


def _kill(
    scene: Scene,
    what: str,
    chance: random.Random,
    verdict: Verdict,
    progress: Callable[[str], None],
) -> None:
    """One kill at a moment the seed chose, and what is left behind."""
    near = chance.random() < NEAR_SHARE
    wait_s = chance.uniform(0.0, NEAR_S_MAX if near else FAR_S_MAX)
    away_s, flatten = chance.uniform(0.0, AWAY_S_MAX), chance.random() < FLATTEN_SHARE
    if flatten:
        verdict.flattened += scene.flatten()
    asked = time.monotonic()
    moment = scene.await_flow()
    verdict.flow_s.append(time.monotonic() - asked)
    time.sleep(wait_s)
    victim = scene.desk if what == "desk" else scene.gateway
    victim.kill()
    time.sleep(away_s)
    starts = scene.reader.look().starts
    victim.start()
    began = time.monotonic()
    found = _settled(scene, verdict, starts + 1 if what == "desk" else starts)
    took_s = time.monotonic() - began
    verdict.settled_s.append(took_s)
    verdict.kills[what] = verdict.kills.get(what, 0) + 1
    count = sum(verdict.kills.values())
    name = f"seed {verdict.seed}, kill {count} ({what}, {moment} + {wait_s:.3f} s)"
    verdict.wrong += [f"{name}: {words}" for words in found if not _is_known(words, verdict)]
    record = scene.reader.look()
    state = "settled" if not found else f"{len(found)} FOUND"
    progress(
        f"{name}: {state} in {took_s:.1f} s; session {verdict.sessions}:"
        f" {len(record.intents)} orders, {len(record.booked)} fills, {len(record.doubted)} doubted"
    )
    scene.resume()


def _is_known(words: str, verdict: Verdict) -> bool:
    """What never heals would else be told again after each kill."""
    return any(one.endswith(f": {words}") for one in verdict.wrong)


def _settled(scene: Scene, verdict: Verdict, starts: int) -> list[str]:
    """Wait until all is well; what is not well in the end, in words."""
    began = time.monotonic()
    until, found = began + SETTLE_S, ["the desk did not come to be reconciled"]
    bare_since_ns, waited = 0, False
    while time.monotonic() < until:
        record = scene.reader.look()
        if not scene.desk.is_running:
            return ["the desk ended by itself: see desk.log"]
        truth = _truth(scene) if record.starts >= starts and record.is_settled else None
        if truth is None:
            time.sleep(0.5)
            continue
        if not waited:
            verdict.reconciled_s.append(time.monotonic() - began)
            waited = True
        record = scene.reader.look()
        bare = list(kill_checks.unprotected(truth))
        bare_since_ns = (bare_since_ns or truth.market_ns) if bare else 0
        if bare_since_ns:
            verdict.unprotected_market_s.append((truth.market_ns - bare_since_ns) / NS_PER_SECOND)
        forever = [*kill_checks.repeated(record, truth), *kill_checks.lost_intents(record, truth)]
        found = [*forever, *_open_matters(record, truth), *bare]
        too_long = verdict.unprotected_market_s[-1:] > [UNPROTECTED_MARKET_S_MAX]
        if not found or forever or (bare and too_long):
            return found
        time.sleep(0.5)
    return found


def _open_matters(record: Record, truth: Truth) -> list[str]:
    return [
        *kill_checks.in_doubt(record),
        *kill_checks.lost(record, truth),
        *kill_checks.books(record, truth),
    ]


def _truth(scene: Scene) -> Truth | None:
    try:
        return read_truth(scene.port)
    except (OSError, TimeoutError, ValueError):
        return None


def _configure(home: Path, *, port: int, speed: float) -> None:
    """Write what the desk is to keep to."""
    first = FIRST_ENTRY.hour * 60 + FIRST_ENTRY.minute
    last = LAST_ENTRY.hour * 60 + LAST_ENTRY.minute
    minutes = [first + (last - first) * number // (ENTRIES - 1) for number in range(ENTRIES)]
    times = ", ".join(f'"{one // 60:02}:{one % 60:02}"' for one in minutes)
    text = CONFIGURATION.format(port=port, speed=speed, times=times)
    (home / "thetawarden.yaml").write_text(text)

"""One seed of chaos: a world drawn from it, days of trading under faults, and the referee's word.

After the faults the world is healed, a person lifts what halt stands, and the desk must converge.
The same seed, days and faults give the same history; a schedule can be given in the place of the
drawn one, which is how a failure is made small.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import logging
import math
import traceback
from pathlib import Path

import msgspec
import numpy as np

from thetawarden.config.broker import COMPETING_AGAIN_S, BrokerConfig
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.link.states import LinkState
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.faults.kinds import A_DAY_MIN, Family, Planned
from thetawarden.sim.faults.people import accept_untold, resume
from thetawarden.sim.faults.schedule import SESSION_MIN, Stage, draw_schedule
from thetawarden.sim.folders import world_folder
from thetawarden.sim.invariants.referee import Referee, Violation
from thetawarden.sim.runtime import LivelockError
from thetawarden.sim.settings import SPEED, WorldSettings, at_pace, small_config, with_limits
from thetawarden.sim.sometimes import Sometimes
from thetawarden.sim.trader import SimTrader
from thetawarden.sim.world import World

ALL = frozenset(Family)
_encode_into = msgspec.msgpack.Encoder().encode_into
MARKETS = (
    (1, ScenarioName.NORMAL),
    (2, ScenarioName.NORMAL),
    (3, ScenarioName.CHOPPY),
    (4, ScenarioName.SELLOFF),
)
PACES = (1, 2, 3)
"""In machine seconds: between two looks at the lines, and two views of the chain."""
CLOSED_MIN = 60
"""So rarely the lines are looked at while New York is closed: nothing is traded on them."""
REST_FROM_MIN, REST_UNTIL_MIN = 450, 1380
"""From the evening to before the bell some desks do not run; minutes of the world's day."""
RESTS_OF, RESTS = 3, 2
"""Of three worlds two rest: a night is half of the work, and hardly anything happens in it."""
HEAL_MIN = 120
"""So long before the end nothing more goes wrong; of a short day a third."""
SLICE_MIN = 15
BEGUN_MIN = 30
"""After so long a desk that was killed runs again, and hears a person."""
LOOKS_AGAIN_MIN = math.ceil(COMPETING_AGAIN_S * SPEED / 60.0) + SLICE_MIN
"""A desk that another session keeps from the market tries it again after so long."""
LINKS_AGAIN_MIN = math.ceil(BrokerConfig().backoff_max_s * SPEED / 60.0) + SLICE_MIN
"""A link that ended late, of a probe that a fault swallowed, is opened again within so long."""
TRADES_FROM_MIN, TRADES_UNTIL_MIN = 25, 375
HEARD_MAX = 1 << 16
"""So many bytes are digested at once."""
logging.getLogger("thetawarden").addHandler(logging.NullHandler())  # nobody runs these desks


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be simulated; `schedule` is None to have it drawn from the seed.

    The last day ends after so many minutes of its session.
    """

    seed: int
    days: int = 2
    session_min: int = SESSION_MIN
    families: frozenset[Family] = ALL
    schedule: tuple[Planned, ...] | None = None

    @property
    def end_min(self) -> int:
        """The last minute of the last session."""
        return (self.days - 1) * A_DAY_MIN + self.session_min

    @property
    def heal_min(self) -> int:
        """From this minute on nothing goes wrong any more: no fault begins."""
        return self.end_min - min(HEAL_MIN, self.session_min // 3)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a plan; `digest` stands for every entry of every process's log."""

    plan: Plan
    seed: int
    days: int
    schedule: tuple[Planned, ...]
    violations: tuple[Violation, ...]
    looks: dict[str, int]
    sometimes: dict[str, int]
    messages: int
    processes: int
    digest: str


def settings_of(seed: int) -> WorldSettings:
    """The world of a seed: its market, its limits and its timings are drawn."""
    rng = np.random.default_rng([seed, 7])
    market_seed, scenario = MARKETS[seed % len(MARKETS)]
    config, replace = small_config(), msgspec.structs.replace
    broker = replace(
        config.broker,
        agree_apart_s=float(rng.choice([1.0, 2.0, 4.0])),
        book_refresh_s=float(rng.choice([30.0, 60.0, 300.0])),
        probe_every_s=float(rng.choice([2.0, 5.0, 10.0])),
    )
    delay_min_ns = int(rng.choice([1, 10, 50])) * NS_PER_SECOND // 1000
    delay_mean_ns = int(rng.choice([5, 40, 300])) * NS_PER_SECOND // 1000
    values_every_ns = round(SPEED * NS_PER_SECOND * int(rng.choice([2, 5])))
    snapshot_every, pace = int(rng.choice([50, 500, 5000])), int(rng.choice(PACES))
    habits = BrokerHabits(
        client_id=config.broker.client_id,
        delay_min_ns=delay_min_ns,
        delay_mean_ns=delay_mean_ns,
        quotes_every_ns=round(SPEED * NS_PER_SECOND) * pace,
        closed_every_ns=CLOSED_MIN * NS_PER_MINUTE,
        account_every_ns=values_every_ns,
    )
    risk = with_limits(config.risk, np.random.default_rng([seed, 19]))
    return WorldSettings(
        config=replace(config, broker=broker, chains=at_pace(config.chains, pace), risk=risk),
        seed=seed,
        market_seed=market_seed,
        scenario=scenario,
        habits=habits,
        snapshot_every=snapshot_every,
    )


def simulate(plan: Plan) -> Outcome:
    """Run one seed to its end, or to the first violation; a run that itself fails is one."""
    gc.disable()
    try:
        with world_folder() as folder:
            return _Run(plan, folder).outcome()
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()  # what is left, markets and code, lives on: nobody looks through it again


class _Run:
    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        rng = np.random.default_rng([plan.seed, 11])
        self._schedule = plan.schedule
        if self._schedule is None:
            drawn = draw_schedule(rng, days=plan.days, families=plan.families)
            self._schedule = tuple(one for one in drawn if one.at_min < plan.heal_min)
        night = np.random.default_rng([plan.seed, 17])
        self._rests = int(night.integers(RESTS_OF)) < RESTS
        self._referee, self._sometimes = Referee(), Sometimes()
        self._digest = hashlib.blake2b(digest_size=16)
        self._heard = bytearray()
        self._world = World(settings_of(plan.seed), folder, watch=self._watch)
        self._trader = SimTrader(
            rng=np.random.default_rng([plan.seed, 13]),
            say=lambda message: self._world.say(message, sender="strategist"),
            speed=self._world.settings.speed,
            varies=True,
        )
        self._referee.attend(self._world)
        self._sometimes.attend(self._world)
        self._stage = Stage(self._world)

    def outcome(self) -> Outcome:
        """Let it all happen; whatever fails belongs to the seed, which must not be lost with it."""
        plan, referee = self._plan, self._referee
        try:
            self._play()
        except Exception as error:  # noqa: BLE001  # a finding, whatever it is
            referee.find("I29", f"the run failed: {_where(error)}")
            with contextlib.suppress(Exception):  # the first failure is the one to tell
                self._world.stop()
        return Outcome(
            plan=plan,
            seed=plan.seed,
            days=plan.days,
            schedule=self._schedule or (),
            violations=tuple(referee.violations[:5]),
            looks=referee.looks,
            sometimes=self._sometimes.counts,
            messages=referee.scene.messages,
            processes=self._world.processes,
            digest=self._digested(),
        )

    def _play(self) -> None:
        plan, referee = self._plan, self._referee
        end_min, heal_min = plan.end_min, plan.heal_min
        self._stage.plan(self._schedule or (), until_min=heal_min)
        if self._go(0, heal_min):
            self._world.meddler.calm()
            self._stage.heal()
            runs_min = heal_min if self._stays() else heal_min + BEGUN_MIN
            if self._go(heal_min, runs_min, trade=False):
                accept_untold(self._world)
                resume(self._world)
                self._go(runs_min, end_min, trade=False)
            more_min = 0 if referee.violations else self._link_takes_min()
            if more_min:
                self._go(end_min, end_min + more_min, trade=False)
        if not referee.violations:
            referee.end()
        self._sometimes.finish(self._world)
        self._world.stop()

    def _stays(self) -> bool:
        """Whether a process runs, and nobody is about to begin another."""
        return self._world.alive and not self._world.desk.leaves

    def _link_takes_min(self) -> int:
        """How much longer the desk's own time for a link may be that is not ready yet."""
        connection = self._world.desk.state_of("connection") if self._world.alive else None
        if connection is None or connection.state is LinkState.READY:
            return 0
        competing = connection.state is LinkState.COMPETING
        return LOOKS_AGAIN_MIN if competing else LINKS_AGAIN_MIN

    def _go(self, from_min: int, until_min: int, *, trade: bool = True) -> bool:
        """Go on in slices, with a proposal now and then; false once something was violated.

        After the faults nobody trades and nobody rests: the desk has to converge.
        """
        start_ns = self._world.settings.start_ns
        for minute in range(from_min + SLICE_MIN, until_min + 1, SLICE_MIN):
            night = REST_FROM_MIN < minute % A_DAY_MIN <= REST_UNTIL_MIN
            rests = self._rests and trade and night
            go_on = self._world.rest_until if rests else self._world.run_until
            try:
                go_on(start_ns + minute * NS_PER_MINUTE)
            except LivelockError as error:
                self._referee.find("I29", str(error))
            if self._referee.violations:
                return False
            in_session = TRADES_FROM_MIN <= minute % A_DAY_MIN <= TRADES_UNTIL_MIN
            if trade and in_session and self._world.alive:
                self._trader.act(self._world.clock.now_ns())
        return True

    def _digested(self) -> str:
        self._digest.update(self._heard)
        self._heard.clear()
        return self._digest.hexdigest()

    def _watch(self, entry: Entry) -> None:
        heard = self._heard
        _encode_into(_written(entry), heard, -1)
        if len(heard) > HEARD_MAX:
            self._digest.update(heard)
            heard.clear()
        self._referee.hear(entry)
        self._sometimes.hear(entry)
        self._trader.hear(entry)


def _written(entry: Entry) -> object:
    """What of an entry is news: a delivery tells of a message that was told before."""
    if not isinstance(entry, Numbered):
        return entry
    one = entry.delivery
    return (
        entry.n,
        one.envelope.seq,
        one.actor,
        one.incarnation,
        one.at_ns,
        one.outcome,
        one.merged,
    )


def _where(error: Exception) -> str:
    """An exception in one line, with the place it was raised at."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"

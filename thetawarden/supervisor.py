"""The tree: who is started, in which order, and how each is restarted.

Read `desk_tree` from top to bottom: that is the start order, the stop order is its exact reverse.
What a restart means is decided in `domain/restart.py` and carried out in `actors/overseer.py`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from thetawarden import __version__
from thetawarden.actors.archivist import Archivist, ArchivistSettings
from thetawarden.actors.chain import Chain
from thetawarden.actors.connection import Connection
from thetawarden.actors.context import Context
from thetawarden.actors.executor import Executor
from thetawarden.actors.futures import Futures
from thetawarden.actors.governing import GovernorSettings
from thetawarden.actors.governor import Governor
from thetawarden.actors.keeper import Keeper
from thetawarden.actors.keeping import KeeperSettings
from thetawarden.actors.notifier import Notifier
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.regime import RegimeActor
from thetawarden.actors.scheduler import Scheduler
from thetawarden.actors.slots import Slots
from thetawarden.actors.steward import Steward
from thetawarden.actors.stewarding import VIEWS_EVERY_NS, StewardSettings
from thetawarden.actors.strategist import Strategist
from thetawarden.actors.tree import Group, Template, Tree
from thetawarden.actors.universe import Universe
from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.alerts import alert_rules
from thetawarden.config.broker import BrokerConfig, link_rules, on_practice_market
from thetawarden.config.events import load_macro_dates
from thetawarden.config.executing import executor_settings
from thetawarden.config.lines import line_limits
from thetawarden.config.loader import fingerprint
from thetawarden.config.regime import regime_limits
from thetawarden.config.risk import limits_of, on_fast_market
from thetawarden.config.schema import Config, Mode, RestartConfig, ScheduleConfig
from thetawarden.config.selling import strategy_settings
from thetawarden.config.tending import managing_limits
from thetawarden.config.underlyings import load_companies, load_underlyings
from thetawarden.config.watch import freshness_limits, vital_limits
from thetawarden.config.watching import watch_settings
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.governing.terms import Terms
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.products import classes_of
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.restart import GiveUp, Policy, Strategy
from thetawarden.domain.risk import interlock
from thetawarden.domain.timetable import DayPlan

ADAPTERS = ("alerts", "broker", "children", "halt_flag", "lake", "log_rotation", "stress")
WATCHERS = "chain"  # the role of which there is one for each underlying
CONTEXT_MACHINE_S_MIN = 3.0
SILENT_HEARTBEATS = 6
BUSY_S = 5.0  # nothing is fetched as a whole more often than this, however fast the market runs
LOOK_S = 5.0  # how often the governor measures the book by the market
KEEP_MARKS_S = 1800.0  # what is held is valued by what was last known while its chain is blind
SAY_RISK_S, SAY_RISK_MARKET_S = 5.0, 60.0  # of the machine, and of the market: the longer counts
BROKER_ANSWERS_S = 8.0  # for a margin or a book that a proposal waits for
GRACE_S = 5.0  # an approval used in its last moment is heard of later
SETTLE_S = 60.0  # after which an order that is over has nothing more on its way
REBUILD_AGAIN_S = 3600.0  # a table that is damaged again this soon has another cause


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What records say of how they came about: the configuration and the software."""

    fingerprint: str
    software: str = __version__


def desk_tree(
    config: Config, *, speed: float = 1.0, account: str = "", mark: Mark | None = None
) -> Tree:
    """Every actor of the desk, in start order; `speed` is how fast market time runs.

    `account` is the one spelled on the command line, if any: real money asks for it. `mark` is
    that of an earlier process, where its records are made again.

    Groups are restarted one for one. When even that does not hold, the desk halts, tells the
    person and exits with 70, so that the service manager starts it anew, halted.
    """
    mark = mark or Mark(fingerprint=fingerprint(config))
    return Tree(
        root=_policy(config.supervisor.root, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
        groups=(
            _watch(config, speed),
            _trading(config, speed, account, mark),
            _market(config, speed),
            _advisory(config, speed, mark),
        ),
    )


def _watch(config: Config, speed: float) -> Group:
    """Outside the groups that trade: it must see them fail."""
    silence_ns = market_ns(SILENT_HEARTBEATS * config.desk.heartbeat_s, speed=speed)
    watching = {
        "limits": vital_limits(config.watch, config.desk),
        "silence_ns_max": silence_ns,
        "sessions": load_sessions(Exchange.NYSE),
        "freshness": freshness_limits(config.watch, speed=speed),
        "erring_ns": market_ns(config.watch.erring_s, speed=speed),
    }
    return Group(
        name="watch",
        policy=_policy(config.supervisor.trading, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
        actors=(_actor(config, "watchdog", Watchdog, watching),),
    )


def _trading(config: Config, speed: float, account: str, mark: Mark) -> Group:
    """Each depends on those before it: what comes after a failed one is restarted with it."""
    broker = broker_settings(config)
    real_money = config.mode is Mode.LIVE
    rules = link_rules(broker, real_money=real_money, speed=speed)
    keeping = KeeperSettings(
        client_id=broker.client_id,
        refresh_ns=max(KeeperSettings(client_id=0).refresh_ns, market_ns(BUSY_S, speed=speed)),
        confirm_ns=market_ns(broker.agree_apart_s, speed=speed),
        settle_ns=market_ns(1.0, speed=speed),
        value_ns=max(KeeperSettings(client_id=0).value_ns, market_ns(1.0, speed=speed)),
    )
    governing = {"settings": _governing(config, speed, account)}
    return Group(
        name="trading",
        policy=_policy(config.supervisor.trading, Strategy.REST_FOR_ONE, GiveUp.ESCALATE),
        actors=(
            _actor(config, "connection", Connection, {"rules": rules}, fatal_if_hung=True),
            _actor(config, "keeper", Keeper, {"settings": keeping}, fatal_if_hung=True),
            _actor(config, "governor", Governor, governing, fatal_if_hung=True),
            _actor(config, "executor", Executor, _executing(config, speed), fatal_if_hung=True),
            _actor(config, "steward", Steward, {"settings": _stewarding(config, speed, mark)}),
        ),
    )


def _terms(config: Config) -> Terms:
    known = load_underlyings(config.risk.known.underlyings)
    return Terms(
        sessions=load_sessions(Exchange.NYSE),
        betas=known.betas,
        sectors=known.sectors,
        companies=load_companies(config.risk.known.companies),
    )


def _governing(config: Config, speed: float, account: str) -> GovernorSettings:
    """The limits, with ages told in market time, and what the desk was told to trade."""
    broker = broker_settings(config)
    return GovernorSettings(
        limits=on_fast_market(limits_of(config.risk), speed=speed),
        terms=_terms(config),
        connection=interlock.Connection(
            live_mode=config.mode is Mode.LIVE,
            confirmed=broker.i_mean_live,
            port=0 if config.mode is Mode.PRACTICE else broker.port,
            account="",
            configured_account=broker.account,
            command_line_account=account,
        ),
        look_ns=market_ns(LOOK_S, speed=speed),
        keep_ns=market_ns(KEEP_MARKS_S, speed=speed),
        say_ns=max(market_ns(SAY_RISK_S, speed=speed), _ns(SAY_RISK_MARKET_S)),
        answer_ns=market_ns(BROKER_ANSWERS_S, speed=speed),
        grace_ns=market_ns(GRACE_S, speed=speed),
        settle_ns=market_ns(SETTLE_S, speed=speed),
    )


def _executing(config: Config, speed: float) -> dict[str, Any]:
    settings = executor_settings(
        config.execution,
        quote_age_s_max=config.risk.orders.quote_age_s_max,
        apart_s=broker_settings(config).agree_apart_s,
        speed=speed,
    )
    return {"settings": settings, "sessions": load_sessions(Exchange.NYSE)}


def _stewarding(config: Config, speed: float, mark: Mark) -> StewardSettings:
    return StewardSettings(
        limits=managing_limits(
            config.managing,
            strategy=config.strategy,
            orders=config.risk.orders,
            speed=speed,
        ),
        sessions=load_sessions(Exchange.NYSE),
        view_ns=max(VIEWS_EVERY_NS, market_ns(1.0, speed=speed)),
        fingerprint=mark.fingerprint,
        software=mark.software,
    )


def _market(config: Config, speed: float) -> Group:
    """What looks at the market; each goes on without the others."""
    regime = config.regime
    context = {
        "sessions": load_sessions(Exchange.NYSE),
        "macro": load_macro_dates(regime.events.macro_dates),
        "underlyings": {name: instrument_kind(name) for name in _watched(config)},
        "every_ns": _context_ns(regime.look_every_s, speed),
    }
    verdicts = {
        "limits": regime_limits(regime),
        "every_ns": market_ns(regime.say_every_s, speed=speed),
    }
    return Group(
        name="market",
        policy=_policy(config.supervisor.market, Strategy.ONE_FOR_ONE, GiveUp.DEGRADE),
        actors=(
            _actor(config, "slots", Slots, {"limits": line_limits(config.lines, speed=speed)}),
            _actor(config, "context", Context, context),
            _actor(config, "futures", Futures, {"sessions": load_sessions(Exchange.NYSE)}),
            _actor(config, "regime", RegimeActor, verdicts),
            _actor(config, "universe", Universe, {"chosen": _watched(config)}),
        ),
        template=Template(
            role=WATCHERS, kind=Chain, make=lambda underlying: _watcher(config, speed, underlying)
        ),
    )


def _watched(config: Config) -> tuple[str, ...]:
    """Everything a person chose to watch, and everything a strategy may sell."""
    sold = strategy_settings(config.strategy).underlyings
    return tuple(dict.fromkeys((*config.chains.underlyings, *sold)))


def _watcher(config: Config, speed: float, underlying: str) -> ActorSpec:
    settings = watch_settings(config.chains, speed=speed)
    watching = {"underlying": underlying, "settings": settings}
    return _actor(config, f"{WATCHERS}/{underlying}", Chain, watching)


def _advisory(config: Config, speed: float, mark: Mark) -> Group:
    """Helpful, not vital: giving up means no new risk, what is open is still looked after."""
    scheduling = {
        "sessions": load_sessions(Exchange.NYSE),
        "turns_at": config.schedule.rotate_at,
        "plan": _day_plan(config.schedule),
    }
    return Group(
        name="advisory",
        policy=_policy(config.supervisor.advisory, Strategy.ONE_FOR_ONE, GiveUp.DEGRADE),
        actors=(
            _actor(config, "strategist", Strategist, _strategy(config, speed, mark)),
            _actor(config, "archivist", Archivist, {"settings": _archiving(config, speed)}),
            _actor(config, "scheduler", Scheduler, scheduling),
            _actor(
                config, "notifier", Notifier, {"rules": alert_rules(config.alerts, speed=speed)}
            ),
        ),
    )


def _strategy(config: Config, speed: float, mark: Mark) -> dict[str, Any]:
    settings = strategy_settings(
        config.strategy, speed=speed, say_regime_s=config.regime.say_every_s
    )
    return {
        "settings": settings,
        "sessions": load_sessions(Exchange.NYSE),
        "companies": load_companies(config.risk.known.companies),
        "software": mark.software,
        "fingerprint": mark.fingerprint,
    }


def _day_plan(schedule: ScheduleConfig) -> DayPlan:
    return DayPlan(
        pre_market_ns=_ns(60 * schedule.pre_market_min),
        intraday_ns=_ns(60 * schedule.intraday_min),
        reconcile_ns=_ns(60 * schedule.reconcile_min),
        stress_ns=_ns(60 * schedule.stress_min),
        learn_ns=_ns(60 * schedule.learn_min),
    )


def _archiving(config: Config, speed: float) -> ArchivistSettings:
    return ArchivistSettings(
        flush_ns=market_ns(config.lake.flush_s, speed=speed),
        maintain_after_ns=_ns(config.lake.maintain_after_s),
        rebuild_again_ns=market_ns(REBUILD_AGAIN_S, speed=speed),
    )


def broker_settings(config: Config) -> BrokerConfig:
    """What a person set about the broker, as far as it holds in this mode."""
    practice = config.mode is Mode.PRACTICE
    return on_practice_market(config.broker) if practice else config.broker


def actor_names(tree: Tree) -> tuple[str, ...]:
    """The names of the actors that are always there, in start order."""
    return tuple(spec.name for spec in tree.fixed())


def actor_roles(tree: Tree) -> tuple[str, ...]:
    """The roles whose instances come and go."""
    return tuple(template.role for template in tree.templates())


def _actor(
    config: Config,
    name: str,
    kind: type[Any],
    settings: dict[str, Any] | None = None,
    *,
    fatal_if_hung: bool = False,
) -> ActorSpec:
    return ActorSpec(
        name=name,
        kind=kind,
        settings=settings or {},
        stop_deadline_ns=_ns(config.desk.stop_deadline_s),
        fatal_if_hung=fatal_if_hung,
    )


def _policy(restarts: RestartConfig, strategy: Strategy, give_up: GiveUp) -> Policy:
    return Policy(
        strategy=strategy,
        give_up=give_up,
        intensity=restarts.intensity,
        period_ns=_ns(restarts.period_s),
        backoff_min_ns=_ns(restarts.backoff_min_s),
        backoff_max_ns=_ns(restarts.backoff_max_s),
        jitter_fraction=restarts.jitter_fraction,
    )


def instrument_kind(underlying: str) -> InstrumentKind:
    """What an underlying is to the broker; a name we have no class for is a stock's."""
    classes = classes_of(underlying)
    if classes and classes[0].underlying_kind is UnderlyingKind.INDEX:
        return InstrumentKind.INDEX
    return InstrumentKind.STOCK


def _context_ns(look_every_s: float, speed: float) -> int:
    """How often the market's context is told, by which the VIX is known to be alive.

    As configured, in market time; on a fast market not more often than the machine can.
    """
    least_ns = market_ns(CONTEXT_MACHINE_S_MIN, speed=speed)
    return min(market_ns(look_every_s, speed=speed), max(_ns(look_every_s), least_ns))


def market_ns(machine_s: float, *, speed: float) -> int:
    """A duration of machine time as actors are told it: in market time."""
    return round(machine_s * speed * NS_PER_SECOND)


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

"""The tree: who is started, in which order, and how each is restarted.

Read `desk_tree` from top to bottom: that is the start order, the stop order is its exact reverse.
What a restart means is decided in `domain/restart.py` and carried out in `actors/overseer.py`.
"""

from __future__ import annotations

from typing import Any

from thetawarden.actors.governor import Governor
from thetawarden.actors.notifier import Notifier
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.scheduler import Scheduler
from thetawarden.actors.tree import Group, Tree
from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.schema import Config, RestartConfig
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.restart import GiveUp, Policy, Strategy
from thetawarden.domain.vitals import VitalLimits

ADAPTERS = ("alerts", "children", "halt_flag", "log_rotation")
WATCHERS = "chain"  # the role of which there is one for each underlying
SILENT_HEARTBEATS = 6


def desk_tree(config: Config, *, speed: float = 1.0) -> Tree:
    """Every actor of the desk, in start order; `speed` is how fast market time runs.

    Groups are restarted one for one. When even that does not hold, the desk halts, tells the
    person and exits with 70, so that the service manager starts it anew, halted.
    """
    return Tree(
        root=_policy(config.supervisor.root, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
        groups=(_watch(config, speed), _trading(config), _advisory(config)),
    )


def _watch(config: Config, speed: float) -> Group:
    """Outside the groups that trade: it must see them fail."""
    limits = VitalLimits(busy_ns_max=_ns(config.desk.handler_budget_s))
    silence_ns = market_ns(SILENT_HEARTBEATS * config.desk.heartbeat_s, speed=speed)
    watching = {"limits": limits, "silence_ns_max": silence_ns}
    return Group(
        name="watch",
        policy=_policy(config.supervisor.trading, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
        actors=(_actor(config, "watchdog", Watchdog, watching),),
    )


def _trading(config: Config) -> Group:
    """Each depends on those before it: what comes after a failed one is restarted with it."""
    return Group(
        name="trading",
        policy=_policy(config.supervisor.trading, Strategy.REST_FOR_ONE, GiveUp.ESCALATE),
        actors=(_actor(config, "governor", Governor, fatal_if_hung=True),),
    )


def _advisory(config: Config) -> Group:
    """Helpful, not vital: giving up means no new risk, what is open is still looked after."""
    scheduling = {"turns_at": config.schedule.rotate_at}
    return Group(
        name="advisory",
        policy=_policy(config.supervisor.advisory, Strategy.ONE_FOR_ONE, GiveUp.DEGRADE),
        actors=(
            _actor(config, "scheduler", Scheduler, scheduling),
            _actor(config, "notifier", Notifier),
        ),
    )


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


def market_ns(machine_s: float, *, speed: float) -> int:
    """A duration of machine time as actors are told it: in market time."""
    return round(machine_s * speed * NS_PER_SECOND)


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

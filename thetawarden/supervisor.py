"""The tree: who is started, in which order, and how each is restarted.

Read `desk_tree` from top to bottom: that is the start order, the stop order is its exact reverse.
What a restart means is decided in `domain/restart.py` and carried out in `actors/overseer.py`.
"""

from __future__ import annotations

from thetawarden.actors.governor import Governor
from thetawarden.actors.notifier import Notifier
from thetawarden.actors.overseer import Group, Tree
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.scheduler import Scheduler
from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.schema import Config, RestartConfig
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.restart import GiveUp, Policy, Strategy
from thetawarden.domain.vitals import VitalLimits

ADAPTERS = ("alerts", "halt_flag", "log_rotation")
SILENT_HEARTBEATS = 6


def desk_tree(config: Config) -> Tree:
    """Every actor of the desk."""
    restarts = config.supervisor
    stop_ns = _ns(config.desk.stop_deadline_s)
    limits = VitalLimits(busy_ns_max=_ns(config.desk.handler_budget_s))
    silence_ns = _ns(SILENT_HEARTBEATS * config.desk.heartbeat_s)
    return Tree(
        # Groups are restarted one for one. When even that does not hold, the desk halts, tells
        # the person and exits with 70, so that the service manager starts it anew, halted.
        root=_policy(restarts.root, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
        groups=(
            # Outside the groups that trade: it must see them fail.
            Group(
                name="watch",
                policy=_policy(restarts.trading, Strategy.ONE_FOR_ONE, GiveUp.ESCALATE),
                actors=(
                    ActorSpec(
                        name="watchdog",
                        kind=Watchdog,
                        settings={"limits": limits, "silence_ns_max": silence_ns},
                        stop_deadline_ns=stop_ns,
                    ),
                ),
            ),
            # Each depends on those before it: what comes after a failed one is restarted with it.
            Group(
                name="trading",
                policy=_policy(restarts.trading, Strategy.REST_FOR_ONE, GiveUp.ESCALATE),
                actors=(
                    ActorSpec(
                        name="governor",
                        kind=Governor,
                        stop_deadline_ns=stop_ns,
                        fatal_if_hung=True,
                    ),
                ),
            ),
            # Helpful, not vital: giving up means no new risk, what is open is still looked after.
            Group(
                name="advisory",
                policy=_policy(restarts.advisory, Strategy.ONE_FOR_ONE, GiveUp.DEGRADE),
                actors=(
                    ActorSpec(
                        name="scheduler",
                        kind=Scheduler,
                        settings={"turns_at": config.schedule.rotate_at},
                        stop_deadline_ns=stop_ns,
                    ),
                    ActorSpec(name="notifier", kind=Notifier, stop_deadline_ns=stop_ns),
                ),
            ),
        ),
    )


def actor_names(tree: Tree) -> tuple[str, ...]:
    """All names, in start order."""
    return tuple(spec.name for group in tree.groups for spec in group.actors)


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


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_SECOND)

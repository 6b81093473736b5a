"""Turns the section `execution` into what the executor keeps to; apart, as it loads the models."""

from __future__ import annotations

from thetawarden.config.execution import ExecutionConfig, WalkConfig
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.orders.building import ExitTerms
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.walking import WalkRules

ANSWERED_S = 0.5
"""No broker is expected to have answered sooner, in machine time."""
LOOK_S = 0.02


def executor_settings(
    config: ExecutionConfig, *, quote_age_s_max: float, apart_s: float, speed: float = 1.0
) -> ExecutorSettings:
    """Return how orders are executed on a market that runs `speed` times as fast as we do."""

    def machine(seconds: float) -> int:
        return round(seconds * speed * NS_PER_SECOND)

    def market(seconds: float) -> int:
        return max(round(seconds * NS_PER_SECOND), machine(ANSWERED_S))

    def walk(rules: WalkConfig) -> WalkRules:
        return WalkRules(
            step_ns=market(rules.step_s),
            ticks=rules.step_ticks_max,
            steps_max=rules.steps_max,
            rest_ns=market(rules.rest_s),
        )

    return ExecutorSettings(
        walk=walk(config.walk),
        urgent=walk(config.urgent),
        exits=ExitTerms(
            profit_target_fraction=config.exits.profit_target_fraction,
            stop_multiple=config.exits.stop_multiple,
            stop_slack_fraction=config.exits.stop_slack_fraction,
        ),
        urgent_slack_fraction=config.urgent_slack_fraction,
        quote_ns_max=machine(quote_age_s_max),
        ack_ns=machine(config.ack_s),
        cancel_ns=machine(config.cancel_s),
        ask_ns=machine(config.answer_s),
        protect_ns=market(config.protect_s),
        legs_ns=market(config.legs_s),
        apart_ns=machine(apart_s),
        settle_ns=machine(config.settle_s),
        query_ns=machine(apart_s) + machine(1.0),
        orders_max=config.orders_per_s_max,
        pace_ns=machine(1.0),
        kept_ns=round(config.kept_s * NS_PER_SECOND),
        flatten_tries=config.flatten_tries_max,
        look_ns=machine(LOOK_S),
    )

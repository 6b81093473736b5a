"""Gathers what a person may set about the execution of orders."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_SECOND
from thetawarden.domain.orders.building import ExitTerms
from thetawarden.domain.orders.walking import WalkRules


class ExecutorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long everything may take, in the time the actor is told, and how positions are ended.

    Word of an order must come within `ack_ns`, of a cancel within `cancel_ns`, of a proposal of
    ours within `ask_ns`. Without its exits a position is worth a critical alert after
    `protect_ns`; legs may differ for `legs_ns`. Whole books count as two when they lie `apart_ns`
    apart. At most `orders_max` orders and changes leave within `pace_ns`. No timer is shorter than
    `look_ns`.
    """

    walk: WalkRules = WalkRules(
        step_ns=10 * NS_PER_SECOND, ticks=1, steps_max=12, rest_ns=60 * NS_PER_SECOND
    )
    urgent: WalkRules = WalkRules(
        step_ns=3 * NS_PER_SECOND, ticks=2, steps_max=20, rest_ns=10 * NS_PER_SECOND
    )
    exits: ExitTerms = ExitTerms()
    urgent_slack_fraction: float = 0.2
    quote_ns_max: int = 5 * NS_PER_SECOND
    ack_ns: int = 10 * NS_PER_SECOND
    cancel_ns: int = 5 * NS_PER_SECOND
    ask_ns: int = 60 * NS_PER_SECOND
    protect_ns: int = 5 * NS_PER_SECOND
    legs_ns: int = 15 * NS_PER_SECOND
    apart_ns: int = 10 * NS_PER_SECOND
    settle_ns: int = 5 * NS_PER_SECOND
    query_ns: int = 11 * NS_PER_SECOND
    orders_max: int = 10
    pace_ns: int = NS_PER_SECOND
    kept_ns: int = 24 * NS_PER_HOUR
    flatten_tries: int = 5
    look_ns: int = NS_PER_SECOND // 100

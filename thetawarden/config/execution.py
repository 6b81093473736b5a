"""Every number of the execution of orders that a person may set.

Waits for the broker's word are seconds of the machine, whatever the market's speed. The walk of a
price and the time a position may be without protection are seconds of market time, but never so
short that the broker could not answer.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class WalkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a price walks from where it starts towards what the market asks for."""

    step_s: Annotated[float, Meta(ge=0.1, le=3600, description="Market seconds between two steps.")]
    step_ticks_max: Annotated[
        int, Meta(ge=1, le=100, description="Ticks of each step, unless it has arrived before.")
    ]
    steps_max: Annotated[
        int, Meta(ge=0, le=1000, description="Steps, also those on which the price stayed.")
    ]
    rest_s: Annotated[
        float,
        Meta(ge=0.1, le=86400, description="Market seconds after the last; then it is given up."),
    ]


class ExitsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what was sold is ended where its strategy does not say."""

    profit_target_fraction: Annotated[
        float, Meta(ge=0.01, le=0.99, description="Bought back at this profit, of the credit.")
    ] = 0.5
    stop_multiple: Annotated[
        float, Meta(ge=0, le=50, description="Bought back at so many credits; 0 for no stop.")
    ] = 0.0
    stop_slack_fraction: Annotated[
        float, Meta(ge=0, le=5, description="A stop may pay this much more than its trigger.")
    ] = 0.25


class ExecutionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How orders are sent, followed, protected and given up."""

    walk: Annotated[WalkConfig, Meta(description="Of ordinary orders.")] = WalkConfig(
        step_s=10.0, step_ticks_max=1, steps_max=12, rest_s=60.0
    )
    urgent: Annotated[
        WalkConfig, Meta(description="Of orders that close by command or for want of protection.")
    ] = WalkConfig(step_s=3.0, step_ticks_max=2, steps_max=20, rest_s=10.0)
    urgent_slack_fraction: Annotated[
        float,
        Meta(ge=0, le=2, description="An urgent order pays at most this more than is asked."),
    ] = 0.2
    exits: Annotated[ExitsConfig, Meta(description="The usual exits.")] = ExitsConfig()
    ack_s: Annotated[
        float, Meta(ge=0.5, le=600, description="No word of an order for so long: it is in doubt.")
    ] = 10.0
    cancel_s: Annotated[
        float,
        Meta(ge=0.5, le=600, description="An unanswered cancel is repeated after this."),
    ] = 5.0
    answer_s: Annotated[
        float, Meta(ge=1, le=600, description="The governor's time to answer a proposal of ours.")
    ] = 20.0
    protect_s: Annotated[
        float,
        Meta(ge=0.1, le=600, description="Market seconds without exits: a critical alert."),
    ] = 5.0
    legs_s: Annotated[
        float,
        Meta(ge=1, le=3600, description="Market seconds in which a combination's legs may differ."),
    ] = 15.0
    settle_s: Annotated[
        float,
        Meta(ge=0.5, le=120, description="A book this soon after word of an order is no proof."),
    ] = 3.0
    orders_per_s_max: Annotated[
        int, Meta(ge=1, le=40, description="Orders and changes sent within a second, at most.")
    ] = 10
    kept_s: Annotated[
        float,
        Meta(ge=60, le=604_800, description="Market seconds an ended order is remembered."),
    ] = 86_400.0
    flatten_tries_max: Annotated[
        int, Meta(ge=1, le=100, description="Closing orders of one trade; then a person is told.")
    ] = 5

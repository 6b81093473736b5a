"""Defines what can be decided about something held, and which rule may decide it.

Rules stand in the order in which they win: the first that finds something to do is the decision,
and everything below it waits for the next look. One action at a time per trade.
"""

from __future__ import annotations

import enum

import msgspec


class Action(enum.StrEnum):
    """What is done with a trade now."""

    HOLD = "hold"
    CLOSE = "close"
    REDUCE = "reduce"
    ROLL = "roll"
    REBALANCE = "rebalance"
    HEDGE = "hedge"
    COVER = "cover"


class Rule(enum.StrEnum):
    """Why, the most urgent first."""

    MANUAL = "manual"
    BUSY = "busy"
    BLIND = "blind"
    DEMANDED = "demanded"
    DELIVERED = "delivered"
    HEDGE_NEEDED = "hedge_needed"
    HEDGE_UNNEEDED = "hedge_unneeded"
    LAST_DAY = "last_day"
    DELTA = "delta"
    LOSS = "loss"
    STOP = "stop"
    VOLATILITY = "volatility"
    TRAILING = "trailing"
    PROFIT_TARGET = "profit_target"
    DAYS_LEFT = "days_left"
    TIME_OF_DAY = "time_of_day"
    BAND = "band"
    NEW_TARGET = "new_target"
    WATCHED = "watched"


class Alarm(enum.StrEnum):
    """What a person should know of, though nothing is done about it yet."""

    LOSS = "loss"
    DELTA = "delta"
    MOVE = "move"
    NEAR_STOP = "near_stop"
    BLIND = "blind"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about one trade; reasons for people, the most telling first.

    `numbers` are what it was decided on, all finite. `units` is how many units a REDUCE takes away
    or a CLOSE closes. `alarms` are told beside it, whatever is done.
    """

    trade: str
    action: Action
    rule: Rule
    reasons: tuple[str, ...]
    numbers: tuple[tuple[str, float], ...] = ()
    units: int = 0
    alarms: tuple[Alarm, ...] = ()

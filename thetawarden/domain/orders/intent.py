"""Defines an order as it is to leave: durable before it is sent, and named so that it is sent once.

`order_ref` is our name of it at the broker, unique per attempt: `TRADE.PURPOSE.NUMBER.ATTEMPT` in
letters the broker keeps. A parent and its exits leave together: the last of them lets all go.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.proposal import OrderLeg


class OrderRole(enum.StrEnum):
    """What an order is to its trade."""

    ENTRY = "entry"
    EXIT = "exit"
    ROLL = "roll"
    HEDGE = "hedge"
    TAKE_PROFIT = "take_profit"
    STOP = "stop"


class OrderStyle(enum.StrEnum):
    """How the broker is to execute it."""

    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    ADAPTIVE = "adaptive"


class Lifetime(enum.StrEnum):
    """How long it stays."""

    DAY = "day"
    GOOD_TILL_CANCELLED = "gtc"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One order, completely: prices per share of a unit, a credit negative; units > 0 always.

    A child names its parent's reference and leaves with it. Of one `oca_group` a fill cancels or
    shrinks the others. `reducing` orders only take from what is held.
    """

    order_ref: str
    trade: str
    strategy: str
    role: OrderRole
    legs: tuple[OrderLeg, ...]
    units: int
    style: OrderStyle
    lifetime: Lifetime
    limit_usd: Decimal | None
    stop_usd: Decimal | None = None
    parent_ref: str = ""
    oca_group: str = ""
    reducing: bool = False


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What must still be true at the very last moment before an order leaves.

    `quoted_ns` is when the oldest quote it rests on was seen, 0 where it rests on none: an exit
    with a fixed price. An order that adds risk leaves only while nothing is halted and in the halt
    epoch of its approval; one that reduces leaves while halted too, unless exits are frozen.
    """

    approval_key: str
    halt_epoch: int
    expires_ns: UnixNs
    quoted_ns: UnixNs
    quote_age_ns_max: int


class Withheld(enum.StrEnum):
    """Why an order did not leave; nothing of it was sent."""

    HALTED = "halted"
    OTHER_EPOCH = "other_epoch"
    EXPIRED = "expired"
    QUOTES_TOO_OLD = "quotes_too_old"
    NOT_LIVE = "not_live"
    NO_LINK = "no_link"
    LINK_MUTE = "link_mute"
    SENT_ALREADY = "sent_already"
    MORE_THAN_INTENDED = "more_than_intended"
    NOT_SENDABLE = "not_sendable"
    TAKEN_BACK = "taken_back"

"""Defines an order as the broker shows it, an execution, and its commission.

Quantities are signed contracts or shares: above zero buys. Identity of an order is `order_ref`
(ours, empty for anybody else's) and `perm_id`; the broker's order number is only an address. An
execution's identity is the part of its id before the last dot: a higher last part corrects it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs

_FIRST_REVISION = 1


class BrokerOrderState(enum.StrEnum):
    """What the broker last said of an order, in our words."""

    PENDING = "pending"
    WORKING = "working"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FILLED = "filled"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"


class BrokerLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a combination: contracts per unit, > 0 bought by who buys the unit."""

    conid: int
    ratio: int


class BrokerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the broker shows it; None where it said nothing.

    `words` is why it waits or how it ended, as the broker puts it. A combination has `legs`, and
    its quantity and what is filled of it are units. `average_usd` is what was paid so far.
    """

    perm_id: int
    order_id: int
    client_id: int
    order_ref: str
    instrument: Instrument
    state: BrokerOrderState
    quantity: Decimal
    filled: Decimal
    order_type: str
    limit_usd: Decimal | None = None
    stop_usd: Decimal | None = None
    time_in_force: str = "DAY"
    parent_perm_id: int = 0
    oca_group: str = ""
    words: str = ""
    account: str = ""
    average_usd: Decimal | None = None
    legs: tuple[BrokerLeg, ...] = ()


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """A fill; `price_usd` is per share, the cash is price x quantity x multiplier."""

    execution_id: str
    instrument: Instrument
    quantity: Decimal
    price_usd: Decimal
    at_ns: UnixNs
    perm_id: int
    order_id: int
    client_id: int
    order_ref: str
    account: str
    liquidation: bool = False


class Commission(msgspec.Struct, frozen=True, kw_only=True):
    """What a fill cost, as told later or never; `realised_usd` is the broker's figure, if any."""

    execution_id: str
    commission_usd: Decimal
    realised_usd: Decimal | None = None


def revision_of(execution_id: str) -> int:
    """Return which revision of a fill an execution id means; 1 when it does not say."""
    stem, _, last = execution_id.rpartition(".")
    return int(last) if stem and last.isdecimal() else _FIRST_REVISION


def is_bust(execution: Execution) -> bool:
    """Whether a fill was taken back: it comes again with no quantity, or with no price."""
    again = revision_of(execution.execution_id) > _FIRST_REVISION
    return not execution.quantity or (again and not execution.price_usd)


def as_it_counts(execution: Execution) -> Execution:
    """Return the fill with the quantity it moves: none of one that was taken back."""
    if not execution.quantity or not is_bust(execution):
        return execution
    return msgspec.structs.replace(execution, quantity=Decimal(0))


def execution_stem(execution_id: str) -> str:
    """Return what a fill and all its corrections have in common."""
    return execution_id.rpartition(".")[0] or execution_id


def latest_revisions(executions: Iterable[Execution]) -> tuple[Execution, ...]:
    """Return each fill once, as it was last corrected, in the order they were first told."""
    latest: dict[str, Execution] = {}
    for one in executions:
        stem = execution_stem(one.execution_id)
        known = latest.get(stem)
        if known is None or _revision(one) >= _revision(known):
            latest[stem] = one
    return tuple(latest.values())


def _revision(execution: Execution) -> tuple[int, str]:
    """Revisions count up; one that is no number sorts by its text."""
    last = execution.execution_id.rpartition(".")[2]
    return (int(last), "") if last.isascii() and last.isdigit() else (0, last)

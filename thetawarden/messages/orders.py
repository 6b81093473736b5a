"""An order's way: proposed, judged, intended, sent, followed to its end.

A `SubmitOrder` is the durable intent itself: it reaches the broker only once it is on disk. What
the broker tells of orders and fills is in `books`.
"""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import Gate, Intent, OrderRole, Withheld
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Proposal
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.risk.ledger import Approval
from thetawarden.domain.risk.review import Review
from thetawarden.messages.base import Command, Event


class ProposeOrder(Command, frozen=True, kw_only=True):
    """Ask the governor to let an order through."""

    proposal: Proposal


class OrderRefused(Event, frozen=True, kw_only=True):
    """The governor lets nothing of this through, and why, rule by rule.

    There is no review where it never came to one.
    """

    proposal: Proposal
    review: Review | None
    words: str


class OrderApproved(Event, frozen=True, kw_only=True):
    """Leave to send so many units of a proposal once; limits are reserved for it from now on.

    The exits of the proposal are approved with it: they only take away what it brings.
    """

    proposal: Proposal
    approval: Approval
    review: Review


class PreviewMargin(Command, frozen=True, kw_only=True):
    """Ask the broker what an order would do to margin; nothing is sent to a market."""

    epoch: int
    asked_by: str
    key: str
    legs: tuple[OrderLeg, ...]
    units: int
    limit_usd: Decimal


class MarginPreviewed(Event, frozen=True, kw_only=True):
    """The broker's answer; None with words when it gave none that can be used."""

    epoch: int
    asked_by: str
    key: str
    answer: WhatIf | None
    words: str


class SubmitOrder(Command, frozen=True, kw_only=True):
    """Send this order, with its exits, once: the intent, durable before anything leaves."""

    epoch: int
    intent: Intent
    exits: tuple[Intent, ...]
    gate: Gate


class ModifyOrder(Command, frozen=True, kw_only=True):
    """Change price or size of an order that works; `number` counts the changes of it."""

    epoch: int
    intent: Intent
    gate: Gate
    number: int


class CancelOrder(Command, frozen=True, kw_only=True):
    """Take an order back. It is never refused and never waits behind data."""

    epoch: int
    order_ref: str
    perm_id: int
    reason: str


class OrderSent(Event, frozen=True, kw_only=True):
    """The order's bytes have left, under this number; it may or may not have arrived."""

    epoch: int
    order_ref: str
    order_id: int
    number: int = 0


class OrderWithheld(Event, frozen=True, kw_only=True):
    """The last gate did not let the order, or this change of it, out; nothing was sent."""

    epoch: int
    order_ref: str
    why: Withheld
    words: str
    number: int = 0


class OrderTroubled(Event, frozen=True, kw_only=True):
    """The broker said this about an order; whether the order lives is told elsewhere.

    Of a change or a cancel as well as of the order itself: the broker does not say which.
    """

    epoch: int
    order_ref: str
    order_id: int
    code: int
    words: str


class OrderStageChanged(Event, frozen=True, kw_only=True):
    """An order of ours is at another stage of its life, or more of it is filled.

    `units_filled` counts whole units of all fills so far. `approval_key` is empty for an exit that
    left with its parent.
    """

    order_ref: str
    trade: str
    strategy: str
    role: OrderRole
    approval_key: str
    proposal_key: str
    stage: Stage
    units: int
    units_filled: int
    perm_id: int
    words: str


class OrdersReconciled(Event, frozen=True, kw_only=True):
    """Every order of ours was compared with the broker's; `unknown` are still in doubt."""

    epoch: int
    settled: tuple[str, ...]
    unknown: tuple[str, ...]


class ProtectionChanged(Event, frozen=True, kw_only=True):
    """The exits that guard a trade are complete, or are missing since an instant, and why."""

    trade: str
    complete: bool
    since_ns: UnixNs
    words: str


class ReviseExits(Command, frozen=True, kw_only=True):
    """Move the working exits of a trade to these prices: modified where they work, not doubled.

    A side that is None here stays as it is. Where an exit is missing it is placed anew at this
    price, as any repair. Not taken while a closing order of the trade works.
    """

    trade: str
    exits: Exits
    reasons: tuple[str, ...]

"""Orders, fills, positions and money, as the broker tells them and as the keeper holds them."""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.profit import Result
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.orders import BrokerOrder, Commission, Execution
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Command, Event


class BookFetched(Event, frozen=True, kw_only=True):
    """All the broker knows of us, asked for at once; `missing` names what did not come in time."""

    epoch: int
    round: int
    missing: tuple[str, ...]
    orders: tuple[BrokerOrder, ...]
    completed: tuple[BrokerOrder, ...]
    executions: tuple[Execution, ...]
    commissions: tuple[Commission, ...]
    positions: tuple[BrokerPosition, ...]
    values: AccountValues | None


class OrderReported(Event, frozen=True, kw_only=True):
    """The broker spoke of an order."""

    epoch: int
    order: BrokerOrder


class ExecutionReported(Event, frozen=True, kw_only=True):
    """A fill, a repeated one, or the correction of one."""

    epoch: int
    execution: Execution


class CommissionReported(Event, frozen=True, kw_only=True):
    """What a fill cost."""

    epoch: int
    commission: Commission


class PositionReported(Event, frozen=True, kw_only=True):
    """The broker's count of one holding changed."""

    epoch: int
    position: BrokerPosition


class AccountReported(Event, frozen=True, kw_only=True):
    """The account's values changed."""

    epoch: int
    values: AccountValues


class RefreshBook(Command, frozen=True, kw_only=True):
    """Fetch the book anew: the keeper's copy is due, or something does not fit."""

    reason: str


class BookJudged(Event, frozen=True, kw_only=True):
    """The keeper compared a fetched book with its own; `unexplained` is empty when they agree.

    While anything is unexplained or missing, no new risk is taken. `accepted` is by how much each
    holding was changed, by contract, because a person took the broker's word for it.
    """

    epoch: int
    round: int
    agreed: bool
    unexplained: tuple[str, ...]
    accepted: tuple[tuple[int, Decimal], ...] = ()


class PositionExplained(Event, frozen=True, kw_only=True):
    """A holding changed, and this is why: a trade of ours or by hand, an expiry, a split.

    `fill` names the fill that did it, if one did: it is told as booked as well. `because_of` is the
    option that was delivered, of the shares it brought.
    """

    account: str
    conid: int
    contract: str
    before: Decimal
    after: Decimal
    cause: str
    cash_usd: Decimal
    words: str
    instrument: Instrument | None = None
    because_of: int = 0
    fill: str = ""


class MarkObserved(Event, frozen=True, kw_only=True):
    """What something we hold is worth a share; `delta_per_share` where somebody computed it."""

    epoch: int
    conid: int
    mark_usd: Decimal
    at_ns: UnixNs
    delta_per_share: float | None = None


class AcceptBook(Command, frozen=True, kw_only=True):
    """Take the broker's word for everything that is unexplained. Only a person says it."""

    reason: str
    by: str


class FillBooked(Event, frozen=True, kw_only=True):
    """A fill stands in the book as follows; said again when a correction or its cost comes.

    `fill` is its identity over all revisions. A bust has a quantity of 0.
    """

    fill: str
    execution: Execution
    cause: Cause
    quantity: Decimal
    commission_usd: Decimal
    commission_kind: CommissionKind
    cash_usd: Decimal
    position_after: Decimal
    average_cost_usd: Decimal
    realised_usd: Decimal


class PositionsValued(Event, frozen=True, kw_only=True):
    """All positions as they stand, and the account; `results` by underlying, of all under ''.

    `agreed_ns` is when book and broker last agreed, 0 for never.
    """

    agreed_ns: UnixNs
    reconciled: bool
    positions: tuple[PositionRow, ...]
    results: dict[str, Result]
    cash_usd: dict[str, Decimal]
    values: tuple[AccountValues, ...]
    working_orders: int

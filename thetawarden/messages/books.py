"""Orders, fills, positions and money, as the broker tells them and as the keeper holds them."""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.orders import BrokerOrder, Commission, Execution
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

    While anything is unexplained or missing, no new risk is taken.
    """

    epoch: int
    round: int
    agreed: bool
    unexplained: tuple[str, ...]


class PositionExplained(Event, frozen=True, kw_only=True):
    """A holding changed, and this is why: a trade of ours or by hand, an expiry, a split."""

    account: str
    conid: int
    contract: str
    before: Decimal
    after: Decimal
    cause: str
    cash_usd: Decimal
    words: str

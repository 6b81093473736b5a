"""What one client subscribed to, one small class a kind; each remembers what it sent last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.practice.model import (
        AccountRow,
        Bar,
        BarRequest,
        Contract,
        Depth,
        Pnl,
        PortfolioRow,
        Quote,
    )
    from thetawarden.practice.wire.requests.simple import Scanner


class Line:
    """One line of market data: a contract, or the legs of a combination."""

    __slots__ = (
        "contract",
        "delayed",
        "frozen",
        "generics",
        "last",
        "owes_greeks",
        "req_id",
        "wants_frozen",
    )

    def __init__(
        self,
        *,
        req_id: int,
        contract: Contract,
        generics: frozenset[int],
        delayed: bool,
        wants_frozen: bool = False,
    ) -> None:
        self.req_id = req_id
        self.contract = contract
        self.generics = generics
        self.delayed = delayed
        self.wants_frozen = wants_frozen
        self.frozen = False
        self.last: Quote | None = None
        self.owes_greeks = True

    @property
    def data_type(self) -> int:
        """What is shown: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""
        return (3 if self.delayed else 1) + self.frozen

    def con_ids(self) -> tuple[int, ...]:
        """The contracts whose quotes make this line."""
        legs = self.contract.legs
        return tuple(leg.con_id for leg in legs) if legs else (self.contract.con_id,)


class Book:
    """A subscription to market depth."""

    __slots__ = ("con_id", "last", "req_id", "rows", "smart")

    def __init__(self, *, req_id: int, con_id: int, rows: int, smart: bool) -> None:
        self.req_id = req_id
        self.con_id = con_id
        self.rows = rows
        self.smart = smart
        self.last: Depth | None = None


class TickStream:
    """A tick-by-tick subscription; `since_ns` is the last instant that was sent."""

    __slots__ = ("con_id", "kind", "req_id", "since_ns")

    def __init__(self, *, req_id: int, con_id: int, kind: str, since_ns: int) -> None:
        self.req_id = req_id
        self.con_id = con_id
        self.kind = kind
        self.since_ns = since_ns


class RealTimeBarStream:
    """A subscription to five-second bars; `next_ns` is the start of the next one to send."""

    __slots__ = ("next_ns", "req_id", "request")

    def __init__(self, *, req_id: int, request: BarRequest, next_ns: int) -> None:
        self.req_id = req_id
        self.request = request
        self.next_ns = next_ns


class KeptBars:
    """A historical request that is kept up to date; `last` is the bar sent last."""

    __slots__ = ("date", "last", "req_id", "request")

    def __init__(
        self, *, req_id: int, request: BarRequest, last: Bar, date: Callable[[int], str]
    ) -> None:
        self.req_id = req_id
        self.request = request
        self.last = last
        self.date = date


class AccountFeed:
    """The one reqAccountUpdates subscription a client may have."""

    __slots__ = ("account", "portfolio", "rows")

    def __init__(self, account: str) -> None:
        self.account = account
        self.rows: dict[tuple[str, str], AccountRow] = {}
        self.portfolio: dict[int, PortfolioRow] = {}


class RowFeed:
    """A summary or a per-account subscription: which rows it wants, and which it has."""

    __slots__ = ("account", "keys", "ledger", "req_id", "rows")

    def __init__(
        self, *, req_id: int, account: str, keys: frozenset[str] | None, ledger: bool
    ) -> None:
        self.req_id = req_id
        self.account = account
        self.keys = keys
        self.ledger = ledger
        self.rows: dict[tuple[str, str, str], AccountRow] = {}


class PnlFeed:
    """A subscription to the result of an account, or of one position of it."""

    __slots__ = ("account", "con_id", "last", "req_id")

    def __init__(self, *, req_id: int, account: str, con_id: int | None) -> None:
        self.req_id = req_id
        self.account = account
        self.con_id = con_id
        self.last: Pnl | None = None


class ScanFeed:
    """A scanner subscription."""

    __slots__ = ("last", "req_id", "request")

    def __init__(self, *, req_id: int, request: Scanner) -> None:
        self.req_id = req_id
        self.request = request
        self.last: tuple[int, ...] | None = None


class Subscriptions:
    """Everything one client is subscribed to, by request id."""

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        self.books: dict[int, Book] = {}
        self.ticks: dict[int, TickStream] = {}
        self.realtime_bars: dict[int, RealTimeBarStream] = {}
        self.kept_bars: dict[int, KeptBars] = {}
        self.summaries: dict[int, RowFeed] = {}
        self.account_multi: dict[int, RowFeed] = {}
        self.positions_multi: dict[int, str] = {}
        self.pnls: dict[int, PnlFeed] = {}
        self.scans: dict[int, ScanFeed] = {}
        self.account: AccountFeed | None = None
        self.positions = False
        self.bulletins = False
        self.wsh_meta = False

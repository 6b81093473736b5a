"""Keeps every approval's reservation from the moment it is given until the book shows its end.

An approval is used once and expires unused. What is reserved counts in full while the order is
reserved, in flight, working or unknown; when it is over, what it filled counts until the book has
it. So a fill is counted once, whichever message comes first. Pure; keys are minted in order and
never again.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.holdings import PendingLeg, PendingOrder
from thetawarden.domain.risk.instrument import QuoteSeen


class OrderState(enum.StrEnum):
    """Where an approved order stands."""

    RESERVED = "reserved"
    IN_FLIGHT = "in_flight"
    WORKING = "working"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABSENT = "absent"


TERMINAL = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.ABSENT,
    }
)


class LedgerRefusal(enum.StrEnum):
    """Why the ledger does not take something."""

    NO_SUCH_APPROVAL = "no_such_approval"
    USED = "used"
    EXPIRED = "expired"
    OTHER_EPOCH = "other_epoch"
    NOT_RUNNING = "not_running"
    OVER_ALREADY = "over_already"
    NOT_SENT = "not_sent"
    NONSENSE = "nonsense"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to send so many units once, before it expires, and what it rests on."""

    key: str
    candidate_key: str
    units: int
    approved_ns: UnixNs
    expires_ns: UnixNs
    halt_epoch: int
    quotes: tuple[QuoteSeen, ...]
    stress_key: str
    stress_at_ns: UnixNs
    worst_loss_usd: float
    book_version: str
    reducing: bool


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """An approval with what it keeps free and what has come of it."""

    approval: Approval
    strategy: str
    legs: tuple[PendingLeg, ...]
    margin_usd_per_unit: float
    auto_selected: bool
    state: OrderState = OrderState.RESERVED
    units_filled: int = 0
    units_booked: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more can fill."""
        return self.state in TERMINAL

    @property
    def units_counted(self) -> int:
        """Units that are not in the book and may be held: all that may fill, or has."""
        may_fill = 0 if self.is_over else self.approval.units
        return max(may_fill, self.units_filled) - self.units_booked

    @property
    def is_overfilled(self) -> bool:
        """Whether the broker says more filled than was approved."""
        return self.units_filled > self.approval.units


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Every reservation that still counts, by the approval's key."""

    minted: int = 0
    reservations: dict[str, Reservation] = {}


def mint_key(ledger: Ledger) -> str:
    """The key the next approval will have."""
    return f"A{ledger.minted + 1}"


def reserve(ledger: Ledger, reservation: Reservation) -> Ledger:
    """Take a new reservation in; its key is the one just minted."""
    if reservation.approval.key != mint_key(ledger):
        raise ValueError(f"expected approval {mint_key(ledger)}, found {reservation.approval.key}")
    kept = ledger.reservations | {reservation.approval.key: reservation}
    return Ledger(minted=ledger.minted + 1, reservations=kept)


def use(
    ledger: Ledger, key: str, *, now_ns: int, halt_epoch: int, state: TradingState
) -> Ledger | LedgerRefusal:
    """Send by an approval: once, in time, in its own halt epoch, and an entry only while running.

    An approval given before a halt is of another epoch; one given before a caution is not.
    """
    found = ledger.reservations.get(key)
    if found is None:
        return LedgerRefusal.NO_SUCH_APPROVAL
    if found.state is not OrderState.RESERVED:
        return LedgerRefusal.USED
    if now_ns >= found.approval.expires_ns:
        return LedgerRefusal.EXPIRED
    if halt_epoch != found.approval.halt_epoch:
        return LedgerRefusal.OTHER_EPOCH
    if state is not TradingState.RUNNING and not found.approval.reducing:
        return LedgerRefusal.NOT_RUNNING
    return _put(ledger, msgspec.structs.replace(found, state=OrderState.IN_FLIGHT))


def move(ledger: Ledger, key: str, *, state: OrderState) -> Ledger | LedgerRefusal:
    """Note where a sent order stands now; what is over stays over."""
    found = ledger.reservations.get(key)
    if found is None:
        return LedgerRefusal.NO_SUCH_APPROVAL
    if found.is_over:
        return LedgerRefusal.OVER_ALREADY
    if found.state is OrderState.RESERVED and state not in (
        OrderState.EXPIRED,
        OrderState.CANCELLED,
    ):
        return LedgerRefusal.NOT_SENT
    if state is OrderState.RESERVED:
        return LedgerRefusal.NONSENSE
    return _put(ledger, msgspec.structs.replace(found, state=state))


def fill(ledger: Ledger, key: str, *, units_filled: int) -> Ledger | LedgerRefusal:
    """Note how many units are filled in all; corrections may lower it, never below the booked."""
    found = ledger.reservations.get(key)
    if found is None:
        return LedgerRefusal.NO_SUCH_APPROVAL
    if found.state is OrderState.RESERVED:
        return LedgerRefusal.NOT_SENT
    if units_filled < found.units_booked:
        return LedgerRefusal.NONSENSE
    return _put(ledger, msgspec.structs.replace(found, units_filled=units_filled))


def book(ledger: Ledger, key: str, *, units_booked: int) -> Ledger | LedgerRefusal:
    """Note how many of the filled units the book contains by now."""
    found = ledger.reservations.get(key)
    if found is None:
        return LedgerRefusal.NO_SUCH_APPROVAL
    if not found.units_booked <= units_booked <= found.units_filled:
        return LedgerRefusal.NONSENSE
    return _put(ledger, msgspec.structs.replace(found, units_booked=units_booked))


def expire_unused(ledger: Ledger, *, now_ns: int) -> Ledger:
    """Release every approval that ran out before it was used."""
    kept = {
        key: one
        for key, one in ledger.reservations.items()
        if one.state is not OrderState.RESERVED or now_ns < one.approval.expires_ns
    }
    return msgspec.structs.replace(ledger, reservations=kept)


def pending_orders(ledger: Ledger) -> tuple[PendingOrder, ...]:
    """Everything that counts beside the book, in the order of approval."""
    return tuple(
        PendingOrder(
            key=key,
            strategy=one.strategy,
            legs=one.legs,
            units=one.units_counted,
            margin_usd_per_unit=one.margin_usd_per_unit,
            reducing=one.approval.reducing,
            auto_selected=one.auto_selected,
        )
        for key, one in ledger.reservations.items()
        if one.units_counted > 0
    )


def _put(ledger: Ledger, changed: Reservation) -> Ledger:
    """What is over and wholly in the book is forgotten; its key is never minted again."""
    kept = ledger.reservations | {changed.approval.key: changed}
    if changed.is_over and changed.units_counted == 0:
        del kept[changed.approval.key]
    return msgspec.structs.replace(ledger, reservations=kept)

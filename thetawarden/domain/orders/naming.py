"""Names orders for the broker: unique per attempt, in letters it keeps, at most 40 of them.

`TRADE.WHAT.NUMBER.ATTEMPT`: the first part is the trade's, by which fills find their way home. The
number counts all orders of this desk and starts with the second of its first order, so that another
desk's on the same account, or one whose log was lost, never has the same.
"""

from __future__ import annotations

import hashlib
import re

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.orders.intent import OrderRole

LENGTH_MAX = 40
TRADE_LENGTH_MAX = 15
_KEPT = re.compile(r"[A-Za-z0-9_-]+")
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HASH_DIGITS = 6

_WHAT = {
    OrderRole.ENTRY: "open",
    OrderRole.EXIT: "close",
    OrderRole.ROLL: "roll",
    OrderRole.HEDGE: "hedge",
    OrderRole.TAKE_PROFIT: "tp",
    OrderRole.STOP: "stop",
}
_ROLES = {what: role for role, what in _WHAT.items()}
_PARTS = 4


def number_base(now: UnixNs) -> str:
    """Return what all numbers of a desk begin with, whose first order is made now."""
    return to_base36(now // NS_PER_SECOND)


def order_ref(*, trade: str, role: OrderRole, base: str, number: int, attempt: int) -> str:
    """Return the name of one attempt at one order."""
    return f"{trade_part(trade)}.{_WHAT[role]}.{base}{to_base36(number)}.{attempt}"


def role_of_ref(order_ref: str) -> OrderRole | None:
    """Return what an order of this name is to its trade; None for a name that is not ours."""
    parts = order_ref.split(".")
    return _ROLES.get(parts[1]) if len(parts) == _PARTS and all(parts) else None


def trade_part(trade: str) -> str:
    """Return a trade's name as it stands in references; one that cannot stand there is hashed."""
    if len(trade) <= TRADE_LENGTH_MAX and _KEPT.fullmatch(trade):
        return trade
    digest = int.from_bytes(hashlib.blake2b(trade.encode(), digest_size=8).digest(), "big")
    mark = to_base36(digest)[-_HASH_DIGITS:].rjust(_HASH_DIGITS, "0")
    kept = _FOREIGN.sub("-", trade)[: TRADE_LENGTH_MAX - _HASH_DIGITS - 1]
    return f"{kept}-{mark}"


def to_base36(number: int) -> str:
    """Write a number that is not negative in digits and small letters."""
    text = ""
    while True:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
        if not number:
            return text

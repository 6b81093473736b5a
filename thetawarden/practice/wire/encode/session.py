"""Start-up, errors and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire import times
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import message

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_ID = -1


def greeting(*, version: int, at_ns: int) -> bytes:
    """The server's whole handshake: its version and the connection time."""
    return message(version, f"{times.new_york(at_ns):%Y%m%d %H:%M:%S} EST")


def managed_accounts(accounts: Sequence[str]) -> bytes:
    """The accounts of this login."""
    return message(Outgoing.MANAGED_ACCOUNTS, 1, ",".join(accounts))


def next_valid_id(order_id: int) -> bytes:
    """The first order id this client may use."""
    return message(Outgoing.NEXT_VALID_ID, 1, order_id)


def error(req_id: int, code: int, text: str, *, reject_json: str = "") -> bytes:
    """An error, warning or notice; -1 when it is about no request."""
    return message(Outgoing.ERROR, 2, req_id, code, text, reject_json)


def current_time(at_ns: int) -> bytes:
    """The gateway's time in seconds."""
    return message(Outgoing.CURRENT_TIME, 1, at_ns // times.NS_PER_S)


def user_info(req_id: int) -> bytes:
    """The white branding of the login: none."""
    return message(Outgoing.USER_INFO, req_id, "")

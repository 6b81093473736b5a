"""Decides whether this desk may trade real money at all (R16).

Pure. A paper account begins with D (DU, DF and the like), no real one does; a real account behind
a paper port, or the reverse, is a mistake somewhere. Every condition that fails is named.
"""

from __future__ import annotations

import enum
import math

import msgspec

PAPER_PREFIX = "D"
LIVE_PORTS = (4001, 7496)


class InterlockGap(enum.StrEnum):
    """What is missing before real money is traded."""

    MODE_IS_NOT_LIVE = "mode_is_not_live"
    NOT_CONFIRMED = "not_confirmed"
    ACCOUNT_NOT_IN_CONFIGURATION = "account_not_in_configuration"
    ACCOUNT_NOT_ON_COMMAND_LINE = "account_not_on_command_line"
    NOT_READY = "not_ready"
    PAPER_ACCOUNT_IN_LIVE = "paper_account_in_live"
    NO_ACCOUNT = "no_account"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk was told to trade, and the account that the gateway really serves."""

    live_mode: bool
    confirmed: bool
    port: int
    account: str
    configured_account: str
    command_line_account: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The readiness score, None when never computed, and a person's recorded override."""

    points: float | None
    override_reason: str = ""
    override_by: str = ""


def is_real_money(connection: Connection) -> bool:
    """Return whether orders would move real money: by the account or by the port."""
    real_account = bool(connection.account) and not connection.account.startswith(PAPER_PREFIX)
    return real_account or connection.port in LIVE_PORTS


def interlock_gaps(
    connection: Connection, *, readiness: Readiness, readiness_min_points: float
) -> tuple[InterlockGap, ...]:
    """Return everything that forbids trading; nothing for a paper account in paper mode."""
    if not connection.account:
        return (InterlockGap.NO_ACCOUNT,)
    if not is_real_money(connection):
        return (InterlockGap.PAPER_ACCOUNT_IN_LIVE,) if connection.live_mode else ()
    gaps = {
        InterlockGap.MODE_IS_NOT_LIVE: not connection.live_mode,
        InterlockGap.NOT_CONFIRMED: not connection.confirmed,
        InterlockGap.ACCOUNT_NOT_IN_CONFIGURATION: connection.account
        != connection.configured_account,
        InterlockGap.ACCOUNT_NOT_ON_COMMAND_LINE: connection.account
        != connection.command_line_account,
        InterlockGap.PAPER_ACCOUNT_IN_LIVE: connection.account.startswith(PAPER_PREFIX),
        InterlockGap.NOT_READY: not _is_ready(readiness, readiness_min_points),
    }
    return tuple(gap for gap, open_ in gaps.items() if open_)


def _is_ready(readiness: Readiness, least: float) -> bool:
    if readiness.override_reason.strip() and readiness.override_by.strip():
        return True
    points = readiness.points
    return points is not None and math.isfinite(points) and points >= least

"""Codes and texts the gateway sends on its own account; the exchange words those about orders."""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """Error, warning and notice codes."""

    RATE_WARNING = 0
    RATE_EXCEEDED = 100
    TICKERS_MAX = 101
    DUPLICATE_ORDER_ID = 103
    HISTORY = 162
    SCANNER = 165
    NO_DEFINITION = 200
    UNKNOWN_TICKER = 300
    DEPTH_MAX = 309
    UNKNOWN_DEPTH = 310
    READING = 320
    VALIDATING = 321
    PROCESSING = 322
    CLIENT_ID_IN_USE = 326
    NOT_CLIENT_ZERO = 327
    NOT_SUBSCRIBED = 354
    UNKNOWN_SCANNER = 365
    UNKNOWN_HISTORY = 366
    NO_FUNDAMENTALS = 430
    REALTIME_BARS_MAX = 456
    UNSUBSCRIBED = 2100
    NOT_SUBSCRIBABLE = 2101
    FARM_OK = 2104
    HISTORY_FARM_OK = 2106
    DEFINITION_FARM_OK = 2158
    INVALID_POSITION = 2150
    NO_TIME_ZONE = 2174
    HISTORY_TICKS = 10187
    TICK_BY_TICK_MAX = 10190
    DELAYED_SHOWN = 10167
    DELAYED_DISABLED = 10168
    COMPETING = 10197
    KEEP_UP_COMBO = 10177
    KEEP_UP_END = 10178
    FRACTION = 10243
    NEWS_NOT_ALLOWED = 10276
    WSH_NO_META = 10282


def rate_warning(count: int, *, limit: int) -> str:
    """The text of the warning before the limit."""
    return f"Warning: Approaching max rate of {limit} messages per second ({count})"


def validating(cause: str) -> str:
    """The wrapping of a request that is understood but not acceptable."""
    return f"Error validating request.-'bW' : cause - {cause}"


def processing(cause: str) -> str:
    """The wrapping of a request that cannot be carried out."""
    return f"Error processing request.-'bO' : cause - {cause}"


def reading(cause: str) -> str:
    """The wrapping of a request that cannot be read."""
    return f"Error reading request.-'bN' : cause - {cause}"


def history(cause: str) -> str:
    """The wrapping of everything the history service says."""
    return f"Historical Market Data Service error message:{cause}"


NO_DEFINITION_TEXT = "No security definition has been found for the request"
AMBIGUOUS_TEXT = "The contract description specified for {symbol} is ambiguous."
CLIENT_ID_TEXT = "Unable connect as the client id is already in use. Retry with a unique client id."
NOT_CLIENT_ZERO_TEXT = (
    "Only API connections with clientId set to 0 can set the auto bind orders property."
)
RATE_EXCEEDED_TEXT = "Max rate of messages per second has been exceeded:"
TICKERS_MAX_TEXT = "Max number of tickers has been reached"
NOT_SUBSCRIBED_TEXT = (
    "Requested market data is not subscribed. Delayed market data is available."
    "{symbol} {exchange}/TOP/ALL"
)
DELAYED_SHOWN_TEXT = "Requested market data is not subscribed. Displaying delayed market data."
DELAYED_DISABLED_TEXT = (
    "Requested market data is not subscribed. Delayed market data is not enabled."
)
COMPETING_TEXT = "No market data during competing live session"
UNSUBSCRIBED_TEXT = "API client has been unsubscribed from account data."
INVALID_POSITION_TEXT = "Invalid position trade derived value"
READ_ONLY_TEXT = "The API interface is currently in Read-Only mode."
WHAT_IF_TRANSMIT_TEXT = "What-If order should have transmit flag set to TRUE."
FRACTION_TEXT = "Fractional-sized order cannot be placed via API. Please visit portal."
NO_TIME_ZONE_TEXT = (
    "Warning: You submitted request with date-time attributes without explicit time zone. "
    "Please switch to use yyyymmdd-hh:mm:ss in UTC or use instrument timezone, like US/Eastern."
)

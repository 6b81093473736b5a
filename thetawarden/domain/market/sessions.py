"""Opens the one door to exchange_calendars: which days are traded, from when to when.

Answers with plain arrays, loaded once per exchange on first use and read-only ever after; importing
this module costs nothing, the library and its pandas come in with the first call. It knows regular
sessions only; hours before and after them belong to `hours`.

The securities calendar is the New York one for options too: the library's own Cboe calendar lacks
the half days of 3 July and 24 December and calls the four days after 11 September 2001 open.
"""

from __future__ import annotations

import enum
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_DAY = "1990-01-01"
LAST_DAY = "2049-12-31"


class Exchange(enum.StrEnum):
    """Whose sessions are meant: New York for shares and options, CME for index futures."""

    NYSE = "XNYS"
    CME = "CMES"


class Sessions(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One exchange's sessions in order of date, one entry each; instants are UTC nanoseconds."""

    dates: NDArray[np.datetime64]
    open_ns: NDArray[np.int64]
    close_ns: NDArray[np.int64]
    is_half: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for column in (self.dates, self.open_ns, self.close_ns, self.is_half):
            column.flags.writeable = False


@functools.cache
def load_sessions(exchange: Exchange) -> Sessions:
    """Return the exchange's sessions from 1990 to 2049; the first call takes about a second."""
    import exchange_calendars  # noqa: PLC0415  (it pulls pandas; few callers need it)
    import numpy as np  # noqa: PLC0415

    calendar = exchange_calendars.get_calendar(exchange.value, start=FIRST_DAY, end=LAST_DAY)
    dates = calendar.sessions.to_numpy().astype("datetime64[D]")
    is_half = np.isin(dates, calendar.early_closes.to_numpy().astype("datetime64[D]"))
    close_ns = _ns(calendar.closes)
    if exchange is Exchange.CME:
        # The library lets one session run into the next; trading stops an hour earlier,
        # at 17:00 New York, for maintenance.
        close_ns = np.where(is_half, close_ns, close_ns - NS_PER_HOUR)
    return Sessions(dates=dates, open_ns=_ns(calendar.opens), close_ns=close_ns, is_half=is_half)


def _ns(instants: Any) -> NDArray[np.int64]:
    utc: NDArray[np.datetime64] = instants.dt.tz_convert(None).to_numpy()
    return utc.astype("datetime64[ns]").astype("int64")

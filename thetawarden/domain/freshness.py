"""Decides whether the prices that are in use are still alive, and the link and clock with them.

Pure. Instants are market time. A price is expected only while its session is open, and its age
counts from the latest of: its last change, the opening bell, and since when we have wanted it. So
nothing that is closed, has only just opened or has only just been asked for is called stale, and
a link that is gone does not keep a price from growing old.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.domain.chains.view import ROW_TYPES, ChainView
from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_date
from thetawarden.domain.market.calendar import session_row
from thetawarden.domain.vitals import Ailment, Finding

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

_CONID, _AT = (tuple(ROW_TYPES).index(name) for name in ("conid", "at_ns"))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One price in use: when it last changed (0 for never) and since when we have wanted it."""

    at_ns: UnixNs
    wanted_ns: UnixNs
    held: bool = False


class LinkSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the broker takes requests, since when that is so, and how it was last called."""

    up: bool
    since_ns: UnixNs
    words: str = ""


def session_open_ns(now: UnixNs, sessions: Sessions) -> UnixNs | None:
    """When the session that is open now began; None while none is, half days cut short."""
    row = session_row(new_york_date(now), sessions)
    if row is None or not sessions.open_ns[row] <= now < sessions.close_ns[row]:
        return None
    return UnixNs(int(sessions.open_ns[row]))


def held_instants(view: ChainView, conids: Collection[int]) -> dict[int, UnixNs]:
    """When each of these options was last quoted, of those that are in the view."""
    if not conids:
        return {}
    numbers = np.frombuffer(view.columns[_CONID], dtype=ROW_TYPES["conid"]).tolist()
    instants = np.frombuffer(view.columns[_AT], dtype=ROW_TYPES["at_ns"])
    rows = [row for row, conid in enumerate(numbers) if conid in conids]
    return {numbers[row]: UnixNs(int(instants[row])) for row in rows}


def stale_prices(
    prices: Mapping[str, Seen], *, open_ns: UnixNs, now: UnixNs, limits: FreshnessLimits
) -> Iterator[Finding]:
    """What is too old; called only while the session is open, since `open_ns`."""
    for name, seen in sorted(prices.items()):
        allowed_ns = limits.held_ns_max if seen.held else limits.price_ns_max
        if not seen.at_ns:
            allowed_ns = max(allowed_ns, limits.first_ns_max)
        age_ns = now - max(seen.at_ns, open_ns, seen.wanted_ns)
        if age_ns > allowed_ns:
            never = "" if seen.at_ns else " and there never was one"
            words = (
                f"no price of {name} for {age_ns / 1e9:.0f} s{never},"
                f" at most {allowed_ns / 1e9:.0f} s allowed"
            )
            yield Finding(ailment=Ailment.PRICE_STALE, words=words, of=name)


def link_down(
    link: LinkSeen | None, *, open_ns: UnixNs, now: UnixNs, limits: FreshnessLimits
) -> Iterator[Finding]:
    """A link that has been gone for too long of this session; none was ever there says nothing."""
    if link is None or link.up:
        return
    down_ns = now - max(link.since_ns, open_ns)
    if down_ns > limits.link_down_ns_max:
        words = (
            f"no link to the broker for {down_ns / 1e9:.0f} s,"
            f" at most {limits.link_down_ns_max / 1e9:.0f} s allowed: {link.words}"
        )
        yield Finding(ailment=Ailment.LINK_DOWN, words=words)


def skew_ns(*, broker_ns: int, clock_ns: int, round_trip_ns: int) -> int:
    """How far our clock is off at least; the broker tells whole seconds, and the answer travelled.

    Positive when the broker's clock is ahead. 0 while the difference can be explained.
    """
    earliest, latest = broker_ns, broker_ns + NS_PER_SECOND + round_trip_ns
    if clock_ns > latest:
        return latest - clock_ns
    return earliest - clock_ns if clock_ns < earliest else 0


def skewed(skews: tuple[int, ...], limits: FreshnessLimits) -> Iterator[Finding]:
    """A clock that is off, in every one of the latest answers and to the same side."""
    latest = skews[-limits.skews_in_a_row :]
    if len(latest) < limits.skews_in_a_row:
        return
    signs = {math.copysign(1.0, each) for each in latest}
    if len(signs) == 1 and all(abs(each) > limits.clock_skew_ns_max for each in latest):
        words = (
            f"our clock and the broker's are {abs(latest[-1]) / 1e9:.1f} s apart,"
            f" at most {limits.clock_skew_ns_max / 1e9:.1f} s allowed"
        )
        yield Finding(ailment=Ailment.CLOCK_SKEWED, words=words)

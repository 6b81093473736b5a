"""Gathers what a person may set about the link, and decides when somebody has to be woken for it.

All durations are in the time the actor is told, which in practice mode is the market's.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.admission import Terms
from thetawarden.domain.link.backoff import Backoff
from thetawarden.domain.link.night import NightWindow, look_at


class LinkRules(msgspec.Struct, frozen=True, kw_only=True):
    """How long everything may take.

    A probe is asked every `probe_ns`; one unanswered for `probe_overdue_ns` means that even the
    adapter, who gives up earlier, has gone silent.
    `apart_ns` lies between the two fetches that must agree. After a loss of our own the client id
    may look taken by our own ghost for `own_ghost_ns`. The same matter wakes a person again after
    `page_again_ns`.
    """

    terms: Terms
    backoff: Backoff
    night: NightWindow
    retry_slowly_ns: int
    opening_ns: int
    probe_ns: int
    probe_overdue_ns: int
    book_ns: int
    apart_ns: int
    refresh_ns: int
    outage_ns: int
    look_again_ns: int
    pace_ns: int
    own_ghost_ns: int
    page_again_ns: int
    books_in_vain_max: int


def outage_wait_ns(rules: LinkRules, now: UnixNs) -> int:
    """Return after how long a missing link is worth a look: at night, when the night is over."""
    night = look_at(now, rules.night)
    return max(1, night.until_ns - now) if night.excuses_loss else rules.outage_ns


def may_page(rules: LinkRules, pages: Mapping[str, UnixNs], matter: str, now: UnixNs) -> bool:
    """Return whether a person has not been woken for this matter lately."""
    last = pages.get(matter)
    return last is None or now - last >= rules.page_again_ns

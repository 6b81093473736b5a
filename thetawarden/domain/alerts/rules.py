"""What a person set about alerts: who is told by which channel, and what may wait.

Durations are market time. Quiet hours are New York's; from and to the same time are none.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.alerts.matters import RISING, Urgency
from thetawarden.domain.instants import (
    NS_PER_HOUR,
    NS_PER_MINUTE,
    NS_PER_SECOND,
    UnixNs,
    new_york_clock,
    new_york_ns,
)

MIDNIGHT = dt.time()


class AlertRules(msgspec.Struct, frozen=True, kw_only=True):
    """How alerts leave the desk; `remind_ns` 0 says a halt once only."""

    low: tuple[str, ...] = ()
    normal: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()
    escalate_ns: int = 60 * NS_PER_SECOND
    retry_ns_min: int = 5 * NS_PER_SECOND
    retry_ns_max: int = 5 * NS_PER_MINUTE
    give_up_ns: int = 24 * NS_PER_HOUR
    same_ns: int = 15 * NS_PER_MINUTE
    hour_ns: int = NS_PER_HOUR
    per_hour_max: int = 30
    quiet_from: dt.time = MIDNIGHT
    quiet_to: dt.time = MIDNIGHT
    digest_ns: int = 15 * NS_PER_MINUTE
    digest_low: bool = False
    remind_ns: int = 30 * NS_PER_MINUTE

    def channels(self, urgency: Urgency) -> tuple[str, ...]:
        """By which channels this urgency is told; what is critical by any there is without its own.

        A halt that stands in the log alone is told to nobody.
        """
        told: tuple[str, ...] = getattr(self, urgency.value)
        if told or urgency is not Urgency.CRITICAL:
            return told
        return tuple(dict.fromkeys((*self.high, *self.normal, *self.low)))

    def channels_above(self, urgency: Urgency) -> tuple[str, ...]:
        """The channels of everything more urgent; of the most urgent, every channel there is."""
        above = RISING[RISING.index(urgency) + 1 :] or RISING
        return tuple(dict.fromkeys(name for each in above for name in self.channels(each)))


def quiet_until_ns(rules: AlertRules, now: UnixNs) -> UnixNs | None:
    """When the quiet hours end that it is in now; None when it is in none."""
    begins, ends = rules.quiet_from, rules.quiet_to
    if begins == ends:
        return None
    clock = new_york_clock(now)
    at, today = clock.time(), clock.date()
    if begins < ends:
        return new_york_ns(today, ends) if begins <= at < ends else None
    if at >= begins:
        return new_york_ns(today + dt.timedelta(days=1), ends)
    return new_york_ns(today, ends) if at < ends else None


def retry_wait_ns(rules: AlertRules, attempts: int) -> int:
    """How long to wait after so many attempts in vain: twice as long each time, up to a bound."""
    return min(rules.retry_ns_max, rules.retry_ns_min << min(attempts - 1, 20))

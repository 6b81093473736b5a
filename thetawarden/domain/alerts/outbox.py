"""Decides what happens to each alert: told now, counted as a repetition, or held for the digest.

Pure. An alert stays in the outbox until every channel it is for has taken it, so that whoever
begins anew says it again: a person may read it twice, never not. What is critical is never held.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.alerts.matters import RISING, Urgency
from thetawarden.domain.alerts.rules import AlertRules, quiet_until_ns, retry_wait_ns
from thetawarden.domain.instants import UnixNs

LOG = ""
"""The channel that is always there."""
HELD_MAX = 200
RECENT_MAX = 500
DIGEST_LINES = 40
TEXT_MAX = 2_000


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is to be told."""

    urgency: Urgency
    topic: str
    text: str


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One channel an alert still has to leave by: how often tried, when again (0: it is under way).

    What is under way is answered by its adapter, or said again by the next incarnation.
    """

    attempts: int = 0
    again_ns: int = 0


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that has not left by every channel."""

    alert: Alert
    since_ns: UnixNs
    due: dict[str, Due]
    delivered: bool = False
    escalated: bool = False


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """What was last told of a topic, since when, and how often it came again meanwhile."""

    text: str
    urgency: Urgency
    at_ns: UnixNs
    again: int = 0


class Fate(enum.StrEnum):
    """What becomes of an alert besides its line in the log."""

    TELL = "tell"
    REPEATED = "repeated"
    HOLD = "hold"


def judge(
    alert: Alert,
    *,
    recent: dict[str, Recent],
    sent_ns: tuple[int, ...],
    rules: AlertRules,
    now: UnixNs,
) -> Fate:
    """Return what becomes of an alert; `sent_ns` are the instants of the last hour's."""
    before = recent.get(alert.topic)
    if (
        before is not None
        and now - before.at_ns < rules.same_ns
        and before.text == alert.text
        and RISING.index(alert.urgency) <= RISING.index(before.urgency)
    ):
        return Fate.REPEATED
    if alert.urgency is Urgency.CRITICAL:
        return Fate.TELL
    if alert.urgency is Urgency.LOW and rules.digest_low:
        return Fate.HOLD
    if alert.urgency is not Urgency.HIGH and quiet_until_ns(rules, now) is not None:
        return Fate.HOLD
    return Fate.HOLD if len(sent_ns) >= rules.per_hour_max else Fate.TELL


def remember(recent: dict[str, Recent], alert: Alert, now: UnixNs) -> dict[str, Recent]:
    """Note that this was told now; the oldest topics are forgotten."""
    kept = {topic: one for topic, one in recent.items() if topic != alert.topic}
    kept[alert.topic] = Recent(text=alert.text, urgency=alert.urgency, at_ns=now)
    surplus = len(kept) - RECENT_MAX
    return dict(list(kept.items())[max(0, surplus) :])


def counted(recent: dict[str, Recent], topic: str) -> dict[str, Recent]:
    """Note that it came again."""
    before = recent[topic]
    return {**recent, topic: msgspec.structs.replace(before, again=before.again + 1)}


def with_count(alert: Alert, before: Recent | None) -> Alert:
    """The alert, with how often the one before it came again untold."""
    text = alert.text[:TEXT_MAX]
    if before is not None and before.again:
        text = f"{text} (the last one came {before.again} times more)"
    return msgspec.structs.replace(alert, text=text)


def sent_within(sent_ns: tuple[int, ...], rules: AlertRules, now: UnixNs) -> tuple[int, ...]:
    """The instants of what was sent in the last hour."""
    return tuple(at_ns for at_ns in sent_ns if now - at_ns < rules.hour_ns)


def digest(held: tuple[Alert, ...], left_out: int) -> Alert:
    """One alert for all that was held back, as urgent as the most urgent of it."""
    urgency = max((alert.urgency for alert in held), key=RISING.index)
    lines = [f"- {alert.text[:200]}" for alert in held[-DIGEST_LINES:]]
    more = len(held) - len(lines) + left_out
    head = f"{len(held) + left_out} held back:"
    tail = [f"- and {more} more, in the log"] if more else []
    return Alert(urgency=urgency, topic="digest", text="\n".join([head, *lines, *tail]))


def delivered(waiting: Waiting, channel: str) -> Waiting:
    """The alert after a channel has taken it."""
    due = {name: one for name, one in waiting.due.items() if name != channel}
    return msgspec.structs.replace(waiting, due=due, delivered=waiting.delivered or channel != LOG)


def failed(waiting: Waiting, channel: str, *, rules: AlertRules, now: UnixNs) -> Waiting:
    """The alert after a channel has not taken it; one that is not due there stays as it is."""
    before = waiting.due.get(channel)
    if before is None:
        return waiting
    attempts = before.attempts + 1
    again = Due(attempts=attempts, again_ns=now + retry_wait_ns(rules, attempts))
    return msgspec.structs.replace(waiting, due={**waiting.due, channel: again})


def escalated(waiting: Waiting, *, rules: AlertRules, now: UnixNs) -> Waiting:
    """The alert with the more urgent channels too, once none of its own took it in time."""
    overdue = now - waiting.since_ns >= rules.escalate_ns
    if waiting.delivered or waiting.escalated or not overdue or set(waiting.due) <= {LOG}:
        return waiting
    more = [name for name in rules.channels_above(waiting.alert.urgency) if name not in waiting.due]
    due = {**waiting.due, **{name: Due(again_ns=now) for name in more}}
    return msgspec.structs.replace(waiting, due=due, escalated=True)


def due_now(waiting: Waiting, now: UnixNs) -> tuple[str, ...]:
    """The channels to try again now."""
    return tuple(name for name, one in waiting.due.items() if 0 < one.again_ns <= now)


def under_way(waiting: Waiting, channels: tuple[str, ...]) -> Waiting:
    """The alert once it was handed to these channels."""
    due = {
        name: msgspec.structs.replace(one, again_ns=0) if name in channels else one
        for name, one in waiting.due.items()
    }
    return msgspec.structs.replace(waiting, due=due)


def next_look_ns(outbox: dict[int, Waiting], rules: AlertRules) -> int | None:
    """When something of the outbox is due: a channel to try again, or an escalation."""
    dues = [
        one.again_ns
        for waiting in outbox.values()
        for one in waiting.due.values()
        if one.again_ns > 0
    ]
    dues += [
        waiting.since_ns + rules.escalate_ns
        for waiting in outbox.values()
        if not waiting.escalated and not waiting.delivered and not set(waiting.due) <= {LOG}
    ]
    return min(dues, default=None)

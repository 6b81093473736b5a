"""What a person may set about alerts: by which channels, how often, and when not."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.alerts.rules import AlertRules
from thetawarden.domain.instants import NS_PER_SECOND

SECRET_PREFIX = "alert_"  # noqa: S105  # the beginning of a secret's name, not one
TELEGRAM_TOKEN = "telegram_token"  # noqa: S105  # likewise

Channel = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        title="a channel's name, whose address is the secret alert_NAME",
    ),
]
Channels = Annotated[tuple[Channel, ...], Meta(max_length=10, title="a list of channels' names")]


class TelegramConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands by Telegram: status, positions, halt. The bot's token is secret telegram_token."""

    commands: Annotated[bool, Meta(description="Listen for commands at all.")] = False
    allowed_ids: Annotated[
        tuple[Annotated[int, Meta(ge=1, title="a user's number")], ...],
        Meta(max_length=20, title="a list of users' numbers", description="Who may command."),
    ] = ()
    api: Annotated[
        str,
        Meta(
            max_length=300,
            pattern=r"^(https://[^\s]+|http://127\.0\.0\.1(:[0-9]+)?)$",
            title="an https address",
            description="Where Telegram's interface is.",
        ),
    ] = "https://api.telegram.org"
    poll_s: Annotated[
        float, Meta(ge=1, le=50, description="How long one question waits for an answer.")
    ] = 25.0


class AlertsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a person is told. The log always is; a channel's address is the secret alert_NAME."""

    low: Annotated[Channels, Meta(description="For fills and targets.")] = ()
    normal: Annotated[Channels, Meta(description="For warnings.")] = ()
    high: Annotated[Channels, Meta(description="For what should be looked at today.")] = ()
    critical: Annotated[Channels, Meta(description="For a halt, and whatever is as bad.")] = ()
    timeout_s: Annotated[
        float, Meta(ge=0.5, le=120, description="A channel takes an alert within this time.")
    ] = 15.0
    retry_min_s: Annotated[
        float, Meta(ge=0.1, le=600, description="Wait before the second try; doubles each time.")
    ] = 5.0
    retry_max_s: Annotated[
        float, Meta(ge=1, le=3600, description="The longest wait between tries.")
    ] = 300.0
    escalate_s: Annotated[
        float,
        Meta(ge=1, le=86400, description="Taken by no channel for so long: by the next level's."),
    ] = 60.0
    same_s: Annotated[
        float, Meta(ge=0, le=86400, description="The same words again within this are counted.")
    ] = 900.0
    per_hour_max: Annotated[
        int,
        Meta(ge=1, le=10_000, description="More alerts an hour wait for the digest, critical not."),
    ] = 30
    quiet_from: Annotated[
        dt.time, Meta(description="From then low and normal alerts wait; New York's time.")
    ] = dt.time()
    quiet_to: Annotated[
        dt.time, Meta(description="Until then; the same time as `quiet_from` for never.")
    ] = dt.time()
    digest_s: Annotated[
        float, Meta(ge=1, le=86400, description="What was held back is told together this often.")
    ] = 900.0
    digest_low: Annotated[bool, Meta(description="Low alerts always wait for the digest.")] = False
    remind_s: Annotated[
        float,
        Meta(ge=0, le=86400, description="A halt that stands is told again so often; 0: once."),
    ] = 1800.0
    telegram: TelegramConfig = TelegramConfig()

    def channels(self) -> tuple[str, ...]:
        """Every channel that is named, once."""
        named = (*self.low, *self.normal, *self.high, *self.critical)
        return tuple(dict.fromkeys(named))


def alert_rules(alerts: AlertsConfig, *, speed: float) -> AlertRules:
    """What the notifier keeps to; durations of the machine in market time."""

    def market(seconds: float) -> int:
        return round(seconds * speed * NS_PER_SECOND)

    return AlertRules(
        low=alerts.low,
        normal=alerts.normal,
        high=alerts.high,
        critical=alerts.critical,
        escalate_ns=market(alerts.escalate_s),
        retry_ns_min=market(alerts.retry_min_s),
        retry_ns_max=market(alerts.retry_max_s),
        give_up_ns=market(86400.0),
        same_ns=market(alerts.same_s),
        hour_ns=market(3600.0),
        per_hour_max=alerts.per_hour_max,
        quiet_from=alerts.quiet_from,
        quiet_to=alerts.quiet_to,
        digest_ns=market(alerts.digest_s),
        digest_low=alerts.digest_low,
        remind_ns=market(alerts.remind_s),
    )

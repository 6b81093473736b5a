"""The one door to apprise: channels by name, each an address that is a secret.

An address is never shown, and neither is any part of it: whoever reads a log could use it. What is
sent is plain text, cleaned of secrets like a log line, so that nothing the broker wrote is taken
for markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import apprise
from apprise import NotifyFormat, NotifyType

from thetawarden.config.alerts import SECRET_PREFIX
from thetawarden.config.problems import ConfigError, Problem
from thetawarden.config.secrets import LENGTH_MIN, Secret
from thetawarden.domain.alerts.matters import Urgency
from thetawarden.infra.redaction import Redactor

PAUSE_S = 0.2  # between two alerts by one channel; how many there are is the notifier's business
TITLE = "Thetawarden"
_KINDS = {
    Urgency.LOW: NotifyType.INFO,
    Urgency.NORMAL: NotifyType.INFO,
    Urgency.HIGH: NotifyType.WARNING,
    Urgency.CRITICAL: NotifyType.FAILURE,
}
_NO_MARKUP = str.maketrans("<>[]`", "()()'")
_PIECES = re.compile(r"[/?&=:@,]+")


class Channel:
    """One way to reach a person."""

    def __init__(self, name: str, service: apprise.NotifyBase, redactor: Redactor) -> None:
        self.name = name
        self._service = service
        self._redactor = redactor

    def send(self, *, urgency: Urgency, text: str) -> bool:
        """Whether the service took it; takes no longer than its time allows."""
        title = f"{TITLE}: {urgency}" if urgency is not Urgency.LOW else TITLE
        return bool(
            self._service.notify(
                body=_tame(self._redactor.text(text)),
                title=title,
                notify_type=_KINDS[urgency],
                body_format=NotifyFormat.TEXT,
            )
        )


def _tame(text: str) -> str:
    """The text with nothing in it that a service could take for markup or a command of its own.

    Some services make links of what looks like HTML even when told that it is plain text.
    """
    shown = "".join(one if one.isprintable() or one == "\n" else " " for one in text)
    return shown.translate(_NO_MARKUP)


def open_channels(
    names: Iterable[str], *, secrets: Mapping[str, Secret], timeout_s: float
) -> dict[str, Channel]:
    """The channels of these names; raises ConfigError, which shows no address."""
    channels: dict[str, Channel] = {}
    problems: list[Problem] = []
    redactor = Redactor()
    for name in names:
        secret = secrets.get(SECRET_PREFIX + name)
        service = None if secret is None else _service(secret, timeout_s)
        if service is None:
            problems.append(_unusable(name, missing=secret is None))
        else:
            channels[name] = Channel(name, service, redactor)
    if problems:
        raise ConfigError(problems)
    return channels


def _service(secret: Secret, timeout_s: float) -> apprise.NotifyBase | None:
    address = secret.reveal()
    _hide_parts(address)
    asset = apprise.AppriseAsset(secure_logging=True, app_id=TITLE, app_desc=TITLE)
    made = apprise.Apprise.instantiate(address, asset=asset)
    if not isinstance(made, apprise.NotifyBase):
        return None
    made.socket_connect_timeout = made.socket_read_timeout = timeout_s
    made.request_rate_per_sec = PAUSE_S
    return made


def _hide_parts(address: str) -> None:
    """Have every part of the address redacted that may be a token; a host's name is none."""
    _, _, rest = address.partition("://")
    for piece in _PIECES.split(rest):
        if len(piece) >= LENGTH_MIN and "." not in piece:
            Secret(piece)


def _unusable(name: str, *, missing: bool) -> Problem:
    variable = f"THETAWARDEN_SECRET_{SECRET_PREFIX.upper()}{name.upper()}"
    return Problem(
        where="secrets",
        path=f"alerts channel {name}",
        found="no address" if missing else "an address that names no known service",
        allowed="an address such as tgram://TOKEN/CHAT or mailto://USER:PASSWORD@HOST",
        remedy=f"set {variable}, or {SECRET_PREFIX}{name} in the secrets file",
    )

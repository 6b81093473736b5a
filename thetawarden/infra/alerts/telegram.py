"""Commands by Telegram: what the bot is told by the people on the list, and nobody else.

Asks Telegram for messages (a long poll), so that nothing listens for connections. A message of
anybody who is not listed is not answered at all, and told in the log once in a while. What was
written before the desk began is passed over: an old `halt` must not halt a new day.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

from thetawarden.config.secrets import Secret
from thetawarden.errors import ThetawardenError
from thetawarden.messages.control import Done as DoneView
from thetawarden.messages.control import HaltRequest, Status

TEXT_MAX = 3_500
COMMAND_MAX = 400
ANSWER_BYTES_MAX = 1 << 20
PAUSE_S_MIN, PAUSE_S_MAX = 0.5, 60.0
STRANGERS_KEPT = 100
FAILURES = (OSError, ValueError, http.client.HTTPException)
"""Whatever a far server, or what stands between, may do to a question."""
HELP = "status, positions, halt REASON"
_log = logging.getLogger("thetawarden.telegram")


class Desk(Protocol):
    """What can be asked of the desk from far away. There is no resume: a person comes and looks."""

    def status(self) -> Status:
        """The desk in one look."""
        ...

    def halt(self, request: HaltRequest, *, by: str) -> DoneView:
        """Halt trading."""
        ...


class TelegramCommands:
    """Polls on a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        desk: Desk,
        *,
        token: Secret,
        allowed_ids: tuple[int, ...],
        positions: Callable[[], str],
        api: str,
        poll_s: float,
    ) -> None:
        self._desk = desk
        self._token = token
        self._allowed = frozenset(allowed_ids)
        self._positions = positions
        self._api = api
        self._poll_s = poll_s
        self._next = 0
        self._strangers: dict[int, None] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telegram", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more commands; a poll under way is left to end by itself."""
        self._stopping.set()

    def _run(self) -> None:
        pause_s, first = PAUSE_S_MIN, True
        while not self._stopping.is_set():
            try:
                updates = self._fetch(0.0 if first else self._poll_s, newest=first)
            except FAILURES as error:
                _log.warning("telegram_unreachable", extra={"error": type(error).__name__})
                if self._stopping.wait(pause_s):
                    return
                pause_s = min(PAUSE_S_MAX, 2 * pause_s)
                continue
            pause_s = PAUSE_S_MIN
            for update in updates:
                number = update.get("update_id")
                self._next = max(self._next, number + 1 if isinstance(number, int) else 0)
                if not first and not self._stopping.is_set():
                    self._take(update)
            first = False

    def _fetch(self, wait_s: float, *, newest: bool) -> list[dict[str, Any]]:
        asked = {"timeout": int(wait_s), "offset": -1 if newest else self._next}
        answer = self._call("getUpdates", asked, timeout_s=wait_s + 10.0)
        updates = answer.get("result")
        if not isinstance(updates, list):
            raise ValueError("no list of updates")  # noqa: TRY004  # theirs, like any garbage
        return [update for update in updates if isinstance(update, dict)]

    def _take(self, update: dict[str, Any]) -> None:
        message = update.get("message")
        if not isinstance(message, dict):
            return
        text, who = message.get("text"), _number_of(message.get("from"))
        if who not in self._allowed or not isinstance(text, str):
            self._note_stranger(who)
            return
        answer = self._answer(text[:COMMAND_MAX].strip(), by=f"telegram {who}")
        try:
            chat = _number_of(message.get("chat"))
            self._call("sendMessage", {"chat_id": chat, "text": answer[:TEXT_MAX]})
        except FAILURES as error:
            _log.warning("telegram_answer_lost", extra={"error": type(error).__name__})

    def _answer(self, text: str, *, by: str) -> str:
        verb, _, rest = text.partition(" ")
        verb = verb.removeprefix("/").partition("@")[0].lower()
        try:
            match verb:
                case "status":
                    return _words(self._desk.status())
                case "positions":
                    return self._positions()
                case "halt":
                    reason = rest.strip() or "asked by Telegram, no reason given"
                    return self._desk.halt(HaltRequest(reason=reason), by=by).what
                case _:
                    return f"no such command; there are: {HELP}"
        except ThetawardenError as error:
            return str(error)
        except Exception:  # noqa: BLE001  # a command must not end the listening
            _log.exception("telegram_command_failed")
            return "that failed; the desk's log says why"

    def _note_stranger(self, who: int | None) -> None:
        number = who or 0
        if number in self._strangers or len(self._strangers) >= STRANGERS_KEPT:
            return
        self._strangers[number] = None
        _log.warning("telegram_stranger_ignored", extra={"user": number})

    def _call(
        self, method: str, values: dict[str, Any], *, timeout_s: float = 10.0
    ) -> dict[str, Any]:
        """One question to Telegram; an error never shows the address, which holds the token."""
        address = f"{self._api}/bot{self._token.reveal()}/{method}"
        request = urllib.request.Request(  # noqa: S310  # the configuration allows https only
            address,
            data=json.dumps(values).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
                document = json.loads(answer.read(ANSWER_BYTES_MAX))
        except urllib.error.HTTPError as error:
            raise OSError(f"HTTP {error.code}") from None
        if not isinstance(document, dict):
            raise ValueError("no JSON object")  # noqa: TRY004  # likewise
        return document


def _words(status: Status) -> str:
    """The desk in a few lines."""
    halt = status.halt
    lines = [
        f"{status.mode}: {status.trading_state}, link {status.link.state}",
        f"positions {_shown(status.positions)}, working orders {_shown(status.working_orders)}",
        f"worth {'unknown' if status.nlv_usd is None else f'{status.nlv_usd:,.0f} USD'}",
    ]
    if halt is not None:
        lines.insert(1, f"halted by {halt.by}: {halt.reason} (epoch {halt.epoch})")
    lines += [f"! {words}" for words in status.ailments[:5]]
    return "\n".join(lines)


def _shown(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _number_of(person: object) -> int | None:
    """The number of a person or a chat, as far as what came is one."""
    number = person.get("id") if isinstance(person, dict) else None
    return number if isinstance(number, int) else None

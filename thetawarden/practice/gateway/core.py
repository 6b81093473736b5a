"""The gateway without sockets: takes requests, moves the market on, and tells each client its due.

Everything runs in one thread. Time comes from the caller: `now_s` monotonic, for rates and pushes;
market time for everything else.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import structlog

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.handlers.table import HANDLERS
from thetawarden.practice.gateway.order_ids import OrderIds
from thetawarden.practice.gateway.push import events, feeds
from thetawarden.practice.gateway.push.quotes import QuotePusher
from thetawarden.practice.gateway.rate import Pace
from thetawarden.practice.gateway.seams import Seams
from thetawarden.practice.gateway.timers import Timers
from thetawarden.practice.wire.encode import news as encode_news
from thetawarden.practice.wire.encode import session as encode
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.reader import MalformedError
from thetawarden.practice.wire.requests.table import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.practice.clock import MarketClock
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import Exchange, ExchangeEvent, Market
    from thetawarden.practice.settings import Settings

_log = structlog.get_logger(__name__)
WAITING_MAX = 10_000
"""A paced client's surplus beyond this is no honest use."""
REGULAR_BULLETIN = 1
_TIMELY = frozenset(
    {
        Incoming.PLACE_ORDER,
        Incoming.CANCEL_ORDER,
        Incoming.GLOBAL_CANCEL,
        Incoming.EXERCISE_OPTIONS,
    }
)


class Gateway:
    """All sessions over one exchange."""

    def __init__(self, *, exchange: Exchange, settings: Settings, clock: MarketClock) -> None:
        self.exchange = exchange
        self.settings = settings
        self.clock = clock
        self.seams = Seams()
        self.timers = Timers()
        self.order_ids = OrderIds()
        self.sessions: dict[int, Session] = {}
        self.quotes = QuotePusher(self)
        self.feeds = feeds.FeedPusher(self)
        self.now_s = 0.0
        self.has_unsaved_events = False
        self.keep: Callable[[], None] = _keep_nothing
        self._bulletins = 0
        self._later: deque[Callable[[], None]] = deque()
        exchange.listen(self._on_event)

    @property
    def market(self) -> Market:
        """The market behind the exchange."""
        return self.exchange.market

    @property
    def now_ns(self) -> int:
        """Market time."""
        return self.exchange.now_ns

    def join(self, session: Session) -> bool:
        """Let a client in and greet it, or refuse and close."""
        taken = session.client_id in self.seams.taken_client_ids
        if taken or session.client_id in self.sessions:
            session.notice(Code.CLIENT_ID_IN_USE, codes.CLIENT_ID_TEXT)
            session.close()
            return False
        if len(self.sessions) >= self.settings.clients_max:
            session.close()
            return False
        self.sessions[session.client_id] = session
        session.send(encode.managed_accounts(self.exchange.accounts()))
        session.send(encode.next_valid_id(self.order_ids.next_for(session.client_id)))
        self.announce_farms(session)
        for hook in self.seams.joined:
            hook(session)
        _log.info("client_joined", client_id=session.client_id, version=session.version)
        return True

    def announce_farms(self, session: Session) -> None:
        """Tell that all data farms are there."""
        settings = self.settings
        for farm in settings.farms:
            session.notice(Code.FARM_OK, f"Market data farm connection is OK:{farm}")
        session.notice(
            Code.HISTORY_FARM_OK, f"HMDS data farm connection is OK:{settings.history_farm}"
        )
        session.notice(
            Code.DEFINITION_FARM_OK,
            f"Sec-def data farm connection is OK:{settings.definition_farm}",
        )

    def leave(self, session: Session) -> None:
        """Forget a client; its orders stay."""
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
            self.quotes.drop(session)
            _log.info("client_left", client_id=session.client_id)

    def handle(
        self, session: Session, payload: bytes, *, now_s: float, since_s: float, read_s: float
    ) -> None:
        """Carry out one request of a client; nothing it can send raises.

        It came after `since_s` and was read at `read_s`, by which its sender's pace is judged.
        """
        self.now_s = now_s
        if self.seams.mute:
            return
        if session.paced and (session.waiting or not session.rate.has_room(now_s)):
            self._postpone(session, payload)
        elif self._is_paced(session, since_s=since_s, read_s=read_s):
            self._carry_out(session, payload)

    def _carry_out(self, session: Session, payload: bytes) -> None:
        try:
            incoming, request = decode(
                payload, client_id=session.client_id, version=session.version
            )
        except MalformedError as error:
            session.notice(Code.READING, codes.reading(str(error)))
            return
        if self.seams.swallows(session, incoming, request):
            return
        if incoming in _TIMELY:
            self._catch_up()
        try:
            HANDLERS[incoming](session, request)
        except Exception:  # noqa: BLE001 - one bad request must not end the gateway for all
            _log.exception("request_failed", client_id=session.client_id, message=incoming.name)
            session.notice(Code.PROCESSING, codes.processing("Internal error"))

    def step(self, *, now_s: float) -> None:
        """Move the market on and send everybody what that changed."""
        self.advance(now_s=now_s)
        self.push(now_s=now_s)

    def advance(self, *, now_s: float) -> None:
        """Move the market on to where it should be."""
        self.now_s = now_s
        self._advance(self.clock.target_ns(now_s=now_s, market_ns=self.now_ns))

    def push(self, *, now_s: float) -> None:
        """Send everybody what changed."""
        self._carry_out_waiting(now_s)
        if self._later:
            self._later.popleft()()
        self.quotes.push()
        self.feeds.push(now_s)
        self.flush()

    def later(self, work: Callable[[], None]) -> None:
        """Do a piece of long work after what others wait for: one piece each time round."""
        self._later.append(work)

    def _postpone(self, session: Session, payload: bytes) -> None:
        session.waiting.append(payload)
        if len(session.waiting) > WAITING_MAX:
            session.notice(Code.RATE_EXCEEDED, codes.RATE_EXCEEDED_TEXT)
            session.close()

    def _carry_out_waiting(self, now_s: float) -> None:
        for session in list(self.sessions.values()):
            while session.waiting and session.alive and session.rate.has_room(now_s):
                session.rate.judge(now_s)
                self._carry_out(session, session.waiting.popleft())

    def bulletin(self, text: str) -> None:
        """Publish a news bulletin to whoever subscribed to them."""
        self._bulletins += 1
        for session in self.sessions.values():
            if session.subscriptions.bulletins:
                session.send(encode_news.bulletin(self._bulletins, REGULAR_BULLETIN, text, "IB"))

    def flush(self) -> None:
        """Write everybody's output; what an event changed is kept before anybody is told."""
        if self.has_unsaved_events:
            self.keep()
        for session in list(self.sessions.values()):
            session.pump()
            session.flush()

    def _advance(self, target_ns: int) -> None:
        due_ns = self.timers.next_due_ns()
        while due_ns is not None and due_ns <= target_ns:
            self.exchange.advance(max(due_ns, self.now_ns))
            self.timers.run(self.now_ns)
            due_ns = self.timers.next_due_ns()
        self.exchange.advance(target_ns)

    def _catch_up(self) -> None:
        if self.clock.speed is not None:
            self._advance(self.clock.target_ns(now_s=self.now_s, market_ns=self.now_ns))

    def _is_paced(self, session: Session, *, since_s: float, read_s: float) -> bool:
        pace = session.rate.judge(read_s, since_s=since_s)
        limit = self.settings.messages_per_s_max
        if pace is Pace.FINE:
            return True
        if pace is Pace.WARN:
            text = codes.rate_warning(session.rate.in_last_second, limit=limit)
            session.notice(Code.RATE_WARNING, text)
            return True
        session.notice(Code.RATE_EXCEEDED, codes.RATE_EXCEEDED_TEXT)
        if pace is Pace.DISCONNECT:
            session.close()
        return False

    def _on_event(self, event: ExchangeEvent) -> None:
        self.has_unsaved_events = True
        for told in self.seams.spread(event):
            events.tell(self, told)


def _keep_nothing() -> None:
    """A gateway without a state folder forgets with its process."""

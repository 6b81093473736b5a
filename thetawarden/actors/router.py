"""Carries what was said to whom the routing table names.

Actors address nobody; the table in `messages/registry.py` alone decides. What cannot be taken is
reported, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, Protocol

from thetawarden.actors.mailbox import Mailbox, Put
from thetawarden.actors.memory import Timers
from thetawarden.actors.post import Post
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.lifecycle import MailboxOverflowed, MessageUnclaimed
from thetawarden.messages.registry import (
    EFFECT_PREFIX,
    HOST,
    RECORD,
    ROUTES,
    SENDER,
    Route,
    instance_of,
    role_of,
)
from thetawarden.ports import Clock, MessageLog

REPORT_EVERY_NS = 60 * 1_000_000_000
_NO_ROLES = (SENDER, HOST, RECORD)


class Timekeeper(Protocol):
    """Wakes actors; the threaded desk and the simulation each have one."""

    def obey(self, command: Envelope[Message], /) -> None:
        """Start or cancel the timer that the sender asked for."""
        ...

    def rearm(self, actor: str, timers: Timers, now_ns: UnixNs, /) -> None:
        """Arm what an incarnation remembers as armed and is not; what is overdue fires at once."""
        ...

    def forget(self, actor: str, /) -> None:
        """Cancel all timers of an actor that leaves."""
        ...


class Effects(Protocol):
    """Performs effects on the world once they are durable."""

    def perform(self, adapter: str, envelope: Envelope[Message], /) -> None:
        """Hand the message to the adapter; returns at once."""
        ...


Deliver = Callable[[Envelope[Message]], object]


class Router:
    """Knows every post; used from any thread."""

    def __init__(
        self,
        *,
        log: MessageLog,
        clock: Clock,
        timekeeper: Timekeeper,
        effects: Effects,
        routes: Mapping[type[Message], Route] = ROUTES,
    ) -> None:
        self._log_say = log.say
        self._now_ns = clock.now_ns
        self._monotonic_ns = clock.monotonic_ns
        self._timekeeper = timekeeper
        self._effects = effects
        self._routes = routes
        self._deliver: dict[type[Message], Deliver] = {}
        self._reported: dict[tuple[str, str], int] = {}
        self._known: dict[str, Post] = {}
        self.posts: dict[str, Post] = {}
        self.takes_market_data = True

    def open(self, posts: Iterable[Post]) -> None:
        """Make these posts reachable besides those that are already."""
        self._know(self.posts | {post.name: post for post in posts})

    def shut(self, posts: Iterable[Post]) -> None:
        """Let nobody reach these posts any more; what waits in them stays there."""
        gone = {post.name for post in posts}
        self._know({name: post for name, post in self.posts.items() if name not in gone})

    def _know(self, posts: dict[str, Post]) -> None:
        """Replace, never change: other threads are looking. Who is seen can be reached."""
        self._known = posts
        self._deliver = {kind: self._plan(kind, route) for kind, route in self._routes.items()}
        self.posts = posts

    def say(
        self, body: Message, *, sender: str, incarnation: int = 0, cause_seq: int | None = None
    ) -> Envelope[Message]:
        """Record and deliver something said from outside the actors' own steps."""
        envelope = self._log_say(body, sender, incarnation, cause_seq, self._now_ns())
        self._deliver[type(body)](envelope)
        return envelope

    def tell(self, actor: str, body: Message, *, sender: str, cause_seq: int | None = None) -> None:
        """Record a message and deliver it to one actor only, whatever the table says."""
        envelope = self._log_say(body, sender, 0, cause_seq, self._now_ns())
        self.deliver_again(actor, envelope)

    def route(self, envelope: Envelope[Message]) -> None:
        """Deliver a recorded message to everybody the table names."""
        self._deliver[type(envelope.body)](envelope)

    def deliver_again(self, actor: str, envelope: Envelope[Message]) -> None:
        """Put a recorded message into one actor's mailbox, after its crash or by name."""
        lane, post = self.lane_of(envelope.body), self.posts.get(actor)
        if post is None:
            self.unclaimed(actor, envelope)
            return
        mailbox = post.mailbox
        put = mailbox.putter(lane)(envelope)
        if put is not Put.ACCEPTED:
            self._report(actor, mailbox, envelope, lane, put)

    def backlog(self, actor: str) -> int:
        """How much market data waits for an actor; 0 for one that is not there."""
        post = self.posts.get(actor)
        return 0 if post is None else post.mailbox.depths()[Lane.MARKET]

    def unclaimed(self, actor: str, envelope: Envelope[Message]) -> None:
        """Report, now and then, that a message is for an actor that is not there."""
        lane = self.lane_of(envelope.body)
        if not self._is_news(actor, lane):
            return
        unclaimed = MessageUnclaimed(
            actor=actor,
            lane=lane.name.lower(),
            kind=type(envelope.body).__name__,
            message_seq=envelope.seq,
        )
        self.say(unclaimed, sender="router", cause_seq=envelope.seq)

    def comes_again(self, body: Message) -> bool:
        """Whether a message that was not handled is delivered after a crash of the process."""
        route = self._routes[type(body)]
        return route.after_crash and route.lane is not Lane.MARKET

    def lane_of(self, body: Message) -> Lane:
        """The lane a message travels in."""
        return self._routes[type(body)].lane

    def _plan(self, kind: type[Message], route: Route) -> Deliver:
        """Everything the table says of one kind, made ready to be done."""
        parts = [self._to_post(post, kind, route) for post in self._players(route)]
        if route.key is not None:
            parts += [self._by_key(kind, route, role) for role in self._instanced(route)]
        if HOST in route.to:
            parts.append(self._timekeeper.obey)
        for listener in route.to:
            if listener.startswith(EFFECT_PREFIX):
                adapter = listener.removeprefix(EFFECT_PREFIX)
                parts.append(partial(self._effects.perform, adapter))
        if len(parts) == 1:
            return parts[0]

        def deliver(envelope: Envelope[Message]) -> None:
            for part in parts:
                part(envelope)

        return deliver

    def _players(self, route: Route) -> list[Post]:
        return [
            post
            for name, post in self._known.items()
            if role_of(name) in route.to and (route.key is None or not instance_of(name))
        ]

    def _instanced(self, route: Route) -> list[str]:
        """The roles of which one instance is meant, also while there is no instance at all."""
        return [
            role
            for role in route.to
            if role not in _NO_ROLES
            and role not in self._known
            and not role.startswith(EFFECT_PREFIX)
        ]

    def _by_key(self, kind: type[Message], route: Route, role: str) -> Deliver:
        read = attrgetter(str(route.key))
        instances = {
            instance_of(name): self._to_post(post, kind, route)
            for name, post in self._known.items()
            if role_of(name) == role
        }
        if route.lane is Lane.MARKET:  # nobody watches it: it stands in the log
            nobody: Deliver = _leave_in_the_log
        else:

            def nobody(envelope: Envelope[Message]) -> None:
                self.unclaimed(f"{role}/{read(envelope.body)}", envelope)

        def deliver(envelope: Envelope[Message]) -> None:
            instances.get(read(envelope.body), nobody)(envelope)

        return deliver

    def _to_post(self, post: Post, kind: type[Message], route: Route) -> Deliver:
        name, mailbox, lane = post.name, post.mailbox, route.lane
        if lane is Lane.MARKET:
            return self._to_market_lane(name, mailbox, _key_reader(kind, route.conflate_by))
        return mailbox.putter(
            lane, lambda envelope, put: self._report(name, mailbox, envelope, lane, put)
        )

    def _to_market_lane(
        self, name: str, mailbox: Mailbox, key_of: Callable[[Message], tuple[Any, ...]] | None
    ) -> Deliver:
        put = mailbox.putter(Lane.MARKET)

        def deliver(envelope: Envelope[Message]) -> None:
            if not self.takes_market_data:
                return
            if key_of is None:
                result = put(envelope)
            else:
                result = mailbox.conflate(envelope, key_of(envelope.body))
            if result is not Put.ACCEPTED and result is not Put.CONFLATED:
                self._report(name, mailbox, envelope, Lane.MARKET, result)

        return deliver

    def _report(
        self, name: str, mailbox: Mailbox, envelope: Envelope[Message], lane: Lane, put: Put
    ) -> None:
        if put is Put.REFUSED_CLOSED or type(envelope.body) is MailboxOverflowed:
            return
        if not self._is_news(name, lane):
            return
        overflow = MailboxOverflowed(
            actor=name,
            lane=lane.name.lower(),
            depth=mailbox.depths()[lane],
            kind=type(envelope.body).__name__,
        )
        self.say(overflow, sender="router", cause_seq=envelope.seq)

    def _is_news(self, name: str, lane: Lane) -> bool:
        """Whether nothing was reported of this lane for a while; it is from now on."""
        key, now = (name, lane.name), self._monotonic_ns()
        if now - self._reported.get(key, -REPORT_EVERY_NS) < REPORT_EVERY_NS:
            return False
        self._reported[key] = now
        return True


def _leave_in_the_log(_envelope: Envelope[Message]) -> None:
    """Market data is for those who watch; nobody does."""


def _key_reader(
    kind: type[Message], fields: tuple[str, ...] | None
) -> Callable[[Message], tuple[Any, ...]] | None:
    if fields is None:
        return None
    if not fields:
        return lambda _body: (kind,)
    read = attrgetter(*fields)
    return lambda body: (kind, read(body))

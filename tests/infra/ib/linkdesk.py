"""A desk of real threads around the connection actor, linked to a practice gateway by a socket."""

import contextlib
import datetime as dt
import socket
import threading

import msgspec

from tests.actors.desks import RunningDesk, SharedLog, Sink, policy, tree, until
from tests.infra.ib.desk import Gateway
from thetawarden.actors.connection import Connection
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.notifier import Notifier
from thetawarden.actors.overseer import Group
from thetawarden.actors.post import ActorSpec
from thetawarden.domain.link.admission import Terms
from thetawarden.domain.link.backoff import Backoff
from thetawarden.domain.link.night import NightWindow
from thetawarden.domain.link.rules import LinkRules
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.broker import Broker
from thetawarden.infra.ib.session import SessionSettings
from thetawarden.messages.books import BookFetched, BookJudged
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged, LinkLost
from thetawarden.messages.operations import DeliverAlert, VitalsTaken

S = 10**9
NEVER = NightWindow(
    begins=dt.time(3),
    ends=dt.time(3, 0, 1),
    quiet_before_ns=0,
    patience_after_ns=0,
)
RULES = LinkRules(
    terms=Terms(real_money=False),
    backoff=Backoff(min_ns=S // 50, max_ns=S // 5, jitter_fraction=0.2),
    night=NEVER,
    retry_slowly_ns=S // 5,
    opening_ns=60 * S,
    probe_ns=S // 4,
    probe_overdue_ns=60 * S,
    book_ns=30 * S,
    apart_ns=S // 20,
    refresh_ns=3600 * S,
    outage_ns=3600 * S,
    look_again_ns=3600 * S,
    pace_ns=3600 * S,
    own_ghost_ns=3600 * S,
    page_again_ns=3600 * S,
    books_in_vain_max=3,
)


class KeeperState(msgspec.Struct):
    judged: int = 0


class Agreeing:
    """Stands in for the keeper: agrees with every whole book, unless told to object."""

    def __init__(self, objections=()):
        self.state = KeeperState()
        self._objections = objections

    def receive(self, message, now):
        match message:
            case BookFetched(missing=()):
                self.state.judged += 1
                judged = BookJudged(
                    epoch=message.epoch,
                    round=message.round,
                    agreed=not self._objections,
                    unexplained=tuple(self._objections),
                )
                return (judged,)
            case _:
                return ()


class Onlooker:
    """Stands in for whoever rests on the link; the log shows what it was told."""

    def __init__(self):
        self.state = KeeperState()

    def receive(self, message, now):
        return ()


def _spec(name, kind, **settings):
    return ActorSpec(name=name, kind=kind, settings=settings, stop_deadline_ns=S)


class LinkDesk(RunningDesk):
    """`slots` stands in the place of an onlooker; `handlers` and `others` are more of them."""

    def __init__(  # one for each part a test may exchange
        self,
        port,
        *,
        rules=RULES,
        objections=(),
        slots=None,
        handlers=lambda session, desk: (),
        others=(),
        **settings,
    ):
        session = {"connect_timeout_s": 10.0, "frame_deadline_s": 0.4} | settings
        self.account = session.pop("account", "")
        host_fails = session.pop("host_fails", 0)
        host = "localhost" if host_fails else "127.0.0.1"
        probe_timeout_s = session.pop("probe_timeout_s", 5.0)
        book_timeout_s = session.pop("book_timeout_s", 10.0)
        trading = (
            _spec("connection", Connection, rules=rules),
            _spec("keeper", Agreeing, objections=objections),
            slots or _spec("slots", Onlooker),
            _spec("notifier", Notifier),
            *others,
        )
        self.alerts, self.sink, self.log, self.gave_up = Sink(), Sink(), SharedLog(), []
        self.broker = Broker(
            settings=SessionSettings(host=host, port=port, client_id=17, **session),
            probe_timeout_s=probe_timeout_s,
            clock=WallClock(),
            make_handlers=lambda session, desk: (
                BookHandler(
                    session,
                    desk,
                    clock=WallClock(),
                    account=self.account,
                    timeout_s=book_timeout_s,
                ),
                *handlers(session, desk),
            ),
        )
        self._fail_names(host_fails)
        sinks = dict.fromkeys(("halt_flag", "log_rotation", "lake"), self.sink)
        self.desk = Desk(
            tree=tree(Group(name="trading", policy=policy(), actors=trading)),
            log=self.log,
            clock=WallClock(),
            adapters=sinks | {"alerts": self.alerts, "broker": self.broker},
            settings=DeskSettings(handler_budget_s=30.0, check_every_s=0.01, heartbeat_s=3600.0),
            take_vitals=lambda actors: VitalsTaken(
                vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=2**40)
            ),
            give_up=self.gave_up.append,
        )

    def _fail_names(self, times):
        """Let the first so many look-ups of a name fail, as they do without a network."""
        loop = self.broker._threads.loop
        look_up, left = loop.getaddrinfo, [times]

        async def fail_at_first(*arguments, **keywords):
            if left[0]:
                left[0] -= 1
                raise socket.gaierror(socket.EAI_AGAIN, "name resolution failed")
            return await look_up(*arguments, **(keywords | {"family": socket.AF_INET}))

        loop.getaddrinfo = fail_at_first

    def links(self):
        return self.said(LinkChanged)

    def link(self):
        return (self.links() or [None])[-1]

    def until_link(self, state, *, epoch=None, entries=None, after=0):
        """Wait until the link was told to be like this, counting from the given change on."""

        def fits(change):
            return (
                change.state is state
                and epoch in (None, change.epoch)
                and entries in (None, change.entries)
            )

        def told():
            return any(fits(one) for one in self.links()[after:])

        until(told, what=f"link {state} of epoch {epoch}; it was {self.links()[-6:]}")
        return next(one for one in self.links()[after:] if fits(one))

    def ready(self):
        return self.until_link(LinkState.READY, entries=True)

    def losses(self):
        return [one.trouble for one in self.said(LinkLost)]

    def paged(self):
        return [one.text for one in self.said(DeliverAlert)]

    def session(self):
        return self.broker._session

    def on_loop(self, act):
        """Call something on the broker's loop and return what it returned."""

        async def run():
            return act(self.session())

        return self.broker._threads.submit(run()).result(20)


@contextlib.contextmanager
def linked(gateway=None, *, wait=True, **settings):
    """A desk on a gateway; both end with the test."""
    gateway = gateway or Gateway()
    try:
        with LinkDesk(gateway.port, **settings) as desk:
            desk.gateway = gateway
            if wait:
                desk.ready()
            yield desk
    finally:
        gateway.stop()


def never(condition, *, steps=40):
    """Whether something stays false for a while: long against what would make it true."""
    pause = threading.Event()
    for _ in range(steps):
        if condition():
            return False
        pause.wait(0.01)
    return True


__all__ = ["NEVER", "RULES", "Begin", "LinkDesk", "Quiesce", "linked", "never"]

"""Logs to replay: of a real desk that halts and resumes on two days, and of two processes."""

import contextlib
import datetime as dt
from functools import partial

import msgspec

from tests.actors.desks import note, until
from tests.clocks import NoonClock
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.governor import Governor
from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.shapes import shapes_of
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.restart import Policy
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.messages.lifecycle import Begin, DeskStarted
from thetawarden.messages.operations import AlertDelivered, VitalsTaken
from thetawarden.messages.trading import Halt, Resume, TradingHalted
from thetawarden.ports import Delivery
from thetawarden.sim.shares import Past
from thetawarden.supervisor import ADAPTERS

DAY = dt.date(2026, 2, 3)
NEXT_DAY = dt.date(2026, 2, 4)


class Deliver:
    def perform(self, envelope, /):
        number = getattr(envelope.body, "number", None)
        return () if number is None else (AlertDelivered(number=number),)


def idle(desk):
    return not any(
        sum(post.mailbox.depths()) or post.pulse.busy_since_ns for post in desk.posts.values()
    )


def record(folder, tree, say, *, snapshot_every=5000, next_day=None):
    """Run a real desk over a real log; `next_day` speaks to it after the page has turned."""
    journal = Journal(folder, day=DAY, position=Position(), software="test")
    nothing = Deliver()
    desk = Desk(
        tree=tree,
        log=journal,
        clock=NoonClock(),
        adapters=dict.fromkeys(ADAPTERS, nothing),
        settings=DeskSettings(heartbeat_s=0.05, snapshot_every=snapshot_every),
        take_vitals=lambda actors: VitalsTaken(
            vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=2**40)
        ),
        give_up=lambda _: None,
    )
    desk.say(_started(tree), sender="supervisor")
    desk.start()
    say(desk)
    until(lambda: idle(desk))
    if next_day is not None:
        journal.turn_page(NEXT_DAY)
        desk.call(desk._snapshot_all)
        next_day(desk)
        until(lambda: idle(desk))
    desk.stop()
    journal.close()


def _started(tree):
    return DeskStarted(
        config_fingerprint="f", software="test", resumed=False, shapes=shapes_of(tree)
    )


def halts_and_resumes(desk):
    for epoch in range(1, 20):
        desk.say(Halt(reason=f"halt {epoch}", by="test"), sender="person")
        desk.say(Resume(reason="fine", by="test", epoch=epoch), sender="person")
        desk.say(note(f"note {epoch}"), sender="test")


class PoliteGovernor(Governor):
    """Tomorrow's code: words its halts differently."""

    def receive(self, message, now):
        said = super().receive(message, now)
        return tuple(
            msgspec.structs.replace(
                each, halt=msgspec.structs.replace(each.halt, reason="please " + each.halt.reason)
            )
            if isinstance(each, TradingHalted)
            else each
            for each in said
        )


def with_governor(tree, kind):
    groups = tuple(
        msgspec.structs.replace(
            group,
            actors=tuple(
                msgspec.structs.replace(spec, kind=kind) if spec.name == "governor" else spec
                for spec in group.actors
            ),
        )
        for group in tree.groups
    )
    return msgspec.structs.replace(tree, groups=groups)


class Marked:
    """Says who made it, and forgets nothing."""

    def __init__(self, *, mark):
        self.mark = mark
        self.state = msgspec.defstruct("Marks", [("said", list[str], [])])()

    def receive(self, message, now):
        if isinstance(message, Begin):
            return ()
        self.state.said.append(self.mark)
        return (note(f"{self.mark} heard {message.text}"),)


def tree_of_marked(mark):
    """A desk of one actor who says what made it."""
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    spec = ActorSpec(name="notifier", kind=Marked, settings={"mark": mark})
    return Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))


def write_process(folder, tree, mark, day=DAY, *, kept=()):
    """What one process leaves: its start, and an actor that answers two notes.

    After the deliveries `kept`, counted from its own first, the actor's state is written.
    """
    past = recover(folder, ("notifier",))
    journal = Journal(folder, day=day, position=past.position, software=mark)
    known = past.actors["notifier"]
    actor, timers = rebuild(tree.spec_of("notifier").make, known.snapshot, known.steps)
    started = DeskStarted(config_fingerprint="f", software=mark, resumed=mark != "one")
    journal.say(started, "supervisor", 0, None, 1)
    by = known.incarnation + 1
    for number, body in enumerate((Begin(incarnation=by, resumed=False), note("a"), note("b")), 1):
        envelope = journal.say(body, "test", 0, None, 1)
        journal.record(Delivery(envelope, "notifier", by, 1), actor.receive(body, 1))
        if number in kept:
            state = encode_snapshot(actor, timers)
            journal.snapshot(actor="notifier", incarnation=by, at_ns=1, state=state)
    journal.close()


def past_in(folder, tree):
    """How a log is opened, and what of it is this desk's past: all, in whatever process."""
    return partial(open_log, folder), lambda days, _starts=None: past_over(days, tree)


def past_over(days, tree):
    return Past(days=days, tree=tree, processes=None)


@contextlib.contextmanager
def opened(folder, tree):
    with open_log(folder) as days:
        yield past_over(days, tree)

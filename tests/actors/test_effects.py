"""Effects: only when durable, in order, and a failure is news, not an end."""

import threading
from contextlib import contextmanager

from thetawarden.actors.effects import EffectThreads
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, Urgency


def alert(seq):
    body = DeliverAlert(number=seq, urgency=Urgency.LOW, topic="t", text="x")
    return Envelope(seq, 0, "notifier", 1, None, body)


class SlowDisk:
    """A log that acknowledges only up to where it is told."""

    def __init__(self):
        self.durable = threading.Event()

    def wait_durable(self, seq, timeout_s):
        self.durable.wait(timeout_s)


class Channel:
    def __init__(self, fail=()):
        self.done, self.fail = [], fail

    def perform(self, message):
        if message.number in self.fail:
            raise ConnectionError("unreachable")
        self.done.append(message.number)
        return (AlertDelivered(number=message.number),)


def run(channel, log, count):
    said, finished = [], threading.Event()
    effects = EffectThreads({"alerts": channel}, log)

    def say(body, sender, cause):
        said.append((body, sender, cause))
        if len(said) == count:
            finished.set()

    effects.start(say)
    return effects, said, finished


def test_nothing_leaves_the_desk_before_it_is_durable():
    channel, disk = Channel(), SlowDisk()
    effects, _, finished = run(channel, disk, 1)

    effects.perform("alerts", alert(1))
    assert effects.stop(0.05) == ("effect:alerts",)
    assert channel.done == []

    disk.durable.set()
    finished.wait(5)
    assert channel.done == [1]


def test_effects_are_done_in_order_and_their_reports_name_the_cause():
    channel, disk = Channel(), SlowDisk()
    disk.durable.set()
    effects, said, finished = run(channel, disk, 3)

    for seq in (1, 2, 3):
        effects.perform("alerts", alert(seq))
    finished.wait(5)
    effects.stop(5)

    assert channel.done == [1, 2, 3]
    assert said[0] == (AlertDelivered(number=1), "effect:alerts", 1)


def test_what_an_adapter_does_happens_under_the_id_of_its_message():
    traced, channel, disk = [], Channel(), SlowDisk()
    disk.durable.set()
    finished = threading.Event()

    @contextmanager
    def tracing(seq):
        traced.append(("in", seq))
        yield
        traced.append(("out", list(channel.done)))

    effects = EffectThreads({"alerts": channel}, disk, tracing=tracing)
    effects.start(lambda *_: finished.set())
    effects.perform("alerts", alert(7))
    finished.wait(5)
    effects.stop(5)

    assert traced == [("in", 7), ("out", [7])]


def test_an_effect_that_fails_is_reported_and_the_next_is_done():
    channel, disk = Channel(fail={1}), SlowDisk()
    disk.durable.set()
    effects, said, finished = run(channel, disk, 2)

    effects.perform("alerts", alert(1))
    effects.perform("alerts", alert(2))
    finished.wait(5)
    effects.stop(5)

    failure = EffectFailed(
        adapter="alerts", kind="DeliverAlert", error="ConnectionError('unreachable')"
    )
    assert said[0] == (failure, "effect:alerts", 1)
    assert channel.done == [2]

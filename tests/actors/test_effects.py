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

    def perform(self, envelope):
        message = envelope.body
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


class Feed(Channel):
    """A source: what is asked of it and what it does end up in one list shared by several."""

    def __init__(self, name="alerts", diary=None, fail=()):
        super().__init__(fail)
        self.name, self.diary = name, [] if diary is None else diary
        self.desk = None

    def start(self, desk):
        self.diary.append(("start", self.name, threading.current_thread().name))
        if "start" in self.fail:
            raise ConnectionError("nobody there")
        self.desk = desk
        desk.say(AlertDelivered(number=0))

    def stop(self):
        self.diary.append(("stop", self.name, list(self.done)))
        if "stop" in self.fail:
            raise ConnectionError("gone before")


def test_a_source_speaks_unasked_in_its_own_name_and_may_give_a_cause():
    feed, disk = Feed(), SlowDisk()
    disk.durable.set()
    effects, said, finished = run(feed, disk, 1)
    finished.wait(5)

    feed.desk.say(AlertDelivered(number=5), cause_seq=4)
    effects.stop(5)

    sender = "effect:alerts"
    assert said == [(AlertDelivered(number=0), sender, None), (AlertDelivered(number=5), sender, 4)]


def test_a_source_starts_before_its_first_effect_and_stops_after_its_last():
    feed, disk = Feed(), SlowDisk()
    disk.durable.set()
    effects = EffectThreads({"alerts": feed}, disk)
    effects.perform("alerts", alert(1))
    effects.start(lambda *_: None)
    effects.perform("alerts", alert(2))

    assert effects.stop(5) == ()
    assert feed.diary == [("start", "alerts", "effect:alerts"), ("stop", "alerts", [1, 2])]


def test_sources_stop_in_reverse_and_before_the_adapters_that_hear_them():
    diary, disk = [], SlowDisk()
    disk.durable.set()
    sink = Channel()
    feeds = {name: Feed(name, diary) for name in ("first", "second")}

    class LastWords(Feed):
        def stop(self):
            super().stop()
            effects.perform("sink", alert(99))

    feeds["third"] = LastWords("third", diary)
    effects = EffectThreads({"sink": sink, **feeds}, disk)
    effects.start(lambda *_: None)

    assert effects.stop(5) == ()
    assert [name for verb, name, _ in diary if verb == "stop"] == ["third", "second", "first"]
    assert sink.done == [99]


def test_a_source_that_cannot_start_is_reported_and_still_performs():
    feed, disk = Feed(fail={"start", "stop"}), SlowDisk()
    disk.durable.set()
    effects, said, finished = run(feed, disk, 2)

    effects.perform("alerts", alert(1))
    finished.wait(5)
    effects.stop(5)

    failures = [body for body, *_ in said if isinstance(body, EffectFailed)]
    assert [(each.kind, each.error) for each in failures] == [
        ("start", "ConnectionError('nobody there')"),
        ("stop", "ConnectionError('gone before')"),
    ]
    assert feed.done == [1]


def test_a_source_that_will_not_stop_costs_one_deadline_and_is_named():
    never, disk = threading.Event(), SlowDisk()
    disk.durable.set()
    diary = []

    class Stubborn(Feed):
        def stop(self):
            never.wait()

    feeds = {"other": Feed("other", diary), "alerts": Stubborn("alerts", diary)}
    effects = EffectThreads(feeds, disk)
    effects.start(lambda *_: None)

    assert "effect:alerts" in effects.stop(0.05)
    never.set()

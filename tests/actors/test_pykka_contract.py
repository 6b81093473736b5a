"""What pykka 4.5 does, held still: an upgrade that changes any of it must fail here, loudly.

Each test states a behaviour that our host relies on or works around.
"""

import logging
import queue
import threading
from importlib.metadata import version
from typing import ClassVar

import pykka
import pytest
from pykka._envelope import Envelope
from pykka.messages import _ActorStop


@pytest.fixture(autouse=True)
def _clean_registry():
    logging.getLogger("pykka").setLevel(logging.CRITICAL)
    yield
    pykka.ActorRegistry.stop_all(block=False)
    for reference in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(reference)


class Plain(pykka.ThreadingActor):
    use_daemon_thread = True
    made: ClassVar[list] = []

    def __init__(self, **hooks):
        super().__init__()
        self.made.append(self)
        self.calls = []
        self.hooks = hooks
        self.over = threading.Event()

    def _say(self, name, *arguments):
        self.calls.append(name)
        if name in self.hooks:
            self.hooks[name](*arguments)

    def on_start(self):
        self._say("on_start")

    def on_stop(self):
        self._say("on_stop")
        self.over.set()

    def on_failure(self, *_):
        self._say("on_failure")
        self.over.set()

    def on_receive(self, message):
        self._say("on_receive", message)
        return message


def start(**hooks):
    reference = Plain.start(**hooks)
    return reference, Plain.made[-1]


def fail(*_):
    raise ValueError("planted")


def test_the_pinned_version_is_the_one_examined():
    assert version("pykka").startswith("4.5.")


def test_the_inbox_is_an_unbounded_plain_queue():
    inbox = pykka.ThreadingActor._create_actor_inbox()

    assert isinstance(inbox, queue.Queue)
    assert inbox.maxsize == 0


def test_a_raise_under_tell_unregisters_first_and_then_calls_on_failure_but_not_on_stop():
    seen = []
    reference, actor = start(
        on_receive=fail, on_failure=lambda *_: seen.append(actor.actor_ref.is_alive())
    )

    reference.tell("x")
    actor.over.wait(5)

    assert actor.calls == ["on_start", "on_receive", "on_failure"]
    assert seen == [False]


def test_a_raise_under_ask_goes_to_the_asker_and_leaves_the_actor_alive():
    reference, actor = start(on_receive=lambda m: fail() if m == "bad" else None)

    with pytest.raises(ValueError, match="planted"):
        reference.ask("bad", timeout=5)

    assert reference.ask("good", timeout=5) == "good"
    assert "on_failure" not in actor.calls


def test_what_waits_behind_a_crash_is_dropped_without_a_word_and_askers_get_an_error():
    gate = threading.Event()
    reference, actor = start(on_receive=lambda m: (gate.wait(5), fail()) if m == "bad" else None)
    reference.tell("bad")
    reference.tell("lost")
    asked = reference.ask("asked", block=False)
    gate.set()

    with pytest.raises(pykka.ActorDeadError):
        asked.get(timeout=5)
    assert actor.calls.count("on_receive") == 1


def test_stop_is_a_message_at_the_tail_of_the_inbox():
    reference, actor = start()
    for number in range(50):
        reference.tell(number)

    reference.stop(timeout=5)

    assert actor.calls.count("on_receive") == 50


def test_an_actor_counts_as_dead_before_its_on_stop_has_finished():
    seen = []
    reference, actor = start(on_stop=lambda: seen.append(actor.actor_ref.is_alive()))

    reference.stop(timeout=5)
    actor.over.wait(5)

    assert seen == [False]


def test_a_raise_in_on_start_calls_neither_on_failure_nor_on_stop_though_start_returned():
    reference, actor = start(on_start=fail)
    actor.actor_stopped.wait(5)

    assert actor.calls == ["on_start"]
    assert not reference.is_alive()


def test_system_exit_in_a_handler_stops_every_actor_and_never_answers():
    bystander, other = start()
    reference, _ = start(on_receive=lambda _: (_ for _ in ()).throw(SystemExit))

    asked = reference.ask("die", block=False)
    other.over.wait(5)

    assert not bystander.is_alive()
    with pytest.raises(pykka.Timeout):
        asked.get(timeout=0.05)


def test_an_ask_that_times_out_is_carried_out_all_the_same():
    gate = threading.Event()
    reference, actor = start(on_receive=lambda _: gate.wait(5))

    with pytest.raises(pykka.Timeout):
        reference.ask("slow", timeout=0.01)
    gate.set()
    reference.stop(timeout=5)

    assert actor.calls == ["on_start", "on_receive", "on_stop"]


def test_a_message_put_after_teardown_vanishes():
    reference, actor = start()
    reference.stop(timeout=5)
    actor.over.wait(5)

    actor.actor_inbox.put(Envelope("late"))

    assert actor.actor_inbox.qsize() == 1
    assert "on_receive" not in actor.calls


def test_stop_all_gives_up_at_the_first_actor_that_hangs():
    gate = threading.Event()
    earlier, _ = start()
    reference, _ = start(on_receive=lambda _: gate.wait(10))
    reference.tell("hang")

    with pytest.raises(pykka.Timeout):
        pykka.ActorRegistry.stop_all(timeout=0.05)
    survived = earlier.is_alive()
    gate.set()

    assert survived


def test_an_inbox_whose_get_raises_leaves_a_zombie_that_looks_alive(monkeypatch):
    uncaught, threads = [], []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)

    class Broken(queue.Queue):
        def get(self, *_, **__):
            threads.append(threading.current_thread())
            started.set()
            raise RuntimeError("inbox")

    started = threading.Event()

    class Zombie(Plain):
        @staticmethod
        def _create_actor_inbox():
            return Broken()

    reference = Zombie.start()
    started.wait(5)
    threads[0].join(5)

    assert reference.is_alive()
    assert uncaught[0].exc_type is RuntimeError


def test_threads_are_no_daemons_by_default_and_are_not_kept():
    assert pykka.ThreadingActor.use_daemon_thread is False
    reference, actor = start()
    reference.stop(timeout=5)

    assert not any(isinstance(value, threading.Thread) for value in vars(actor).values())


def test_the_private_hooks_our_host_overrides_are_there():
    for hook in ("_create_actor_inbox", "_start_actor_loop", "_actor_loop", "_actor_loop_running"):
        assert callable(getattr(pykka.Actor, hook))
    assert _ActorStop.__module__ == "pykka.messages"
    assert Envelope("m").reply_to is None

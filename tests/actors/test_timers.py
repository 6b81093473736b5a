"""Timers: in order, once, replaced by name, and never after they were cancelled."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.actors.memory import ArmedTimer
from thetawarden.actors.timers import TimerHeap, TimerThread
from thetawarden.infra.clock import WallClock
from thetawarden.messages.base import Envelope
from thetawarden.messages.timers import CancelTimer, StartTimer

names = st.sampled_from("abcd")
orders = st.lists(
    st.one_of(
        st.tuples(st.just("start"), names, st.integers(0, 50)),
        st.tuples(st.just("cancel"), names, st.just(0)),
    ),
    max_size=120,
)


@given(orders)
def test_a_heap_fires_exactly_what_a_plain_dictionary_would(commands):
    heap, model = TimerHeap(), {}
    for verb, name, due in commands:
        if verb == "start":
            heap.start(("actor", name), due_ns=due, since_seq=1)
            model[name] = due
        else:
            heap.cancel(("actor", name))
            model.pop(name, None)

    assert heap.next_due_ns() == min(model.values(), default=None)
    fired = []
    while (due := heap.pop_due(100)) is not None:
        fired.append(due[0][1])
    assert sorted(fired) == sorted(model)
    assert [model[name] for name in fired] == sorted(model.values())


def test_timers_restarted_a_million_times_do_not_pile_up():
    heap = TimerHeap()
    for due in range(10_000):
        heap.start(("actor", "silence"), due_ns=due, since_seq=None)

    assert len(heap._heap) <= 65


def obey(thread, seq, body):
    thread.obey(Envelope(seq, 0, "actor", 1, seq - 1, body))


def test_the_thread_fires_what_is_due_with_the_message_that_started_it():
    fired, done = [], threading.Event()

    def fire(actor, name, since_seq):
        fired.append((actor, name, since_seq))
        if name == "last":
            done.set()

    thread = TimerThread(WallClock())
    obey(thread, 10, StartTimer(name="cancelled", after_ns=1_000_000))
    obey(thread, 11, StartTimer(name="replaced", after_ns=1_000_000))
    obey(thread, 12, StartTimer(name="replaced", after_ns=5_000_000))
    obey(thread, 13, CancelTimer(name="cancelled"))
    obey(thread, 14, StartTimer(name="last", after_ns=20_000_000))
    thread.start(fire)
    done.wait(5)
    thread.stop()

    assert fired == [("actor", "replaced", 11), ("actor", "last", 13)]


def test_after_a_crash_overdue_timers_fire_at_once_and_others_when_they_are_due():
    fired, done = [], threading.Event()
    thread = TimerThread(WallClock())
    thread.start(lambda actor, name, since: (fired.append((actor, name, since)), done.set()))

    timers = {"overdue": ArmedTimer(7, 1_000), "later": ArmedTimer(8, 10**18)}
    thread.rearm("keeper", timers, 2_000)
    done.wait(5)
    thread.stop()

    assert fired == [("keeper", "overdue", 7)]

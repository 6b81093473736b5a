"""Snapshot plus the steps since gives back the actor, and its timers."""

from functools import partial

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.actors.desks import Obedient, note
from thetawarden.actors.memory import ArmedTimer, encode_snapshot, note_timers, rebuild, restore
from thetawarden.actors.scheduler import Scheduler
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.ports import Delivery, Outcome


def delivery(seq, body, *, outcome=Outcome.HANDLED, at=1_000):
    return Delivery(Envelope(seq, at, "x", 0, None, body), "a", 1, at, outcome)


def steps_of(texts):
    return [delivery(seq, note(text)) for seq, text in enumerate(texts, 1)]


texts = st.lists(st.text("abc", max_size=3), max_size=20)


@given(texts, st.integers(0, 20))
def test_a_snapshot_anywhere_and_the_rest_give_the_same_state_as_all_the_steps(said, cut):
    steps = steps_of(said)
    whole, timers = rebuild(Obedient, None, steps)

    half, half_timers = rebuild(Obedient, None, steps[:cut])
    resumed, resumed_timers = rebuild(Obedient, encode_snapshot(half, half_timers), steps[cut:])

    assert resumed.state == whole.state
    assert encode_snapshot(resumed, resumed_timers) == encode_snapshot(whole, timers)


def test_steps_that_crashed_hung_or_were_parked_are_as_if_they_had_not_been():
    steps = [
        delivery(1, note("a")),
        delivery(2, note("crash"), outcome=Outcome.CRASHED),
        delivery(3, note("hang"), outcome=Outcome.HUNG),
        delivery(4, note("crash"), outcome=Outcome.PARKED),
        delivery(5, note("b")),
    ]

    actor, _ = rebuild(Obedient, None, steps)

    assert actor.state.texts == ["a", "b"]


def test_timers_that_were_armed_come_back_and_those_that_fired_or_were_cancelled_do_not():
    timers = {}
    note_timers(
        timers,
        delivery(1, note("x"), at=100),
        (StartTimer(name="a", after_ns=5), StartTimer(name="b", after_ns=7)),
    )
    note_timers(
        timers,
        delivery(2, note("x"), at=200),
        (CancelTimer(name="a"), StartTimer(name="c", after_ns=1)),
    )
    note_timers(timers, delivery(3, TimerFired(name="c"), at=201), ())

    assert timers == {"b": ArmedTimer(1, 107)}


def test_a_timer_started_again_by_its_own_firing_stays_armed():
    timers = {"a": ArmedTimer(1, 5)}

    note_timers(
        timers, delivery(9, TimerFired(name="a"), at=50), (StartTimer(name="a", after_ns=5),)
    )

    assert timers == {"a": ArmedTimer(9, 55)}


def test_a_real_actor_comes_back_with_its_timers():
    steps = [delivery(1, Begin(incarnation=1, resumed=False), at=1_790_000_000_000_000_000)]
    make = partial(Scheduler, sessions=load_sessions(Exchange.NYSE))
    actor, timers = rebuild(make, None, steps)

    again, timers_again = restore(make, encode_snapshot(actor, timers))

    assert again.state == actor.state
    assert timers_again == timers
    assert timers


def test_equal_states_give_equal_bytes_whatever_the_order_timers_were_armed_in():
    one, other = {"a": ArmedTimer(1, 2), "b": ArmedTimer(3, 4)}, {}
    other["b"], other["a"] = one["b"], one["a"]

    assert encode_snapshot(Obedient(), one) == encode_snapshot(Obedient(), other)
    assert msgspec.msgpack.decode(encode_snapshot(Obedient(), one))

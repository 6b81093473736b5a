"""The vocabulary: closed, coded, routed, and refused at start where it does not fit."""

import importlib
import inspect
import pkgutil
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thetawarden import messages
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group, Tree
from thetawarden.actors.vocabulary import MisfitError, check_tree, vocabulary_of
from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.config.schema import Config
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBandRule
from thetawarden.domain.restart import Policy
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.messages import lifecycle, operations, registry, timers, trading
from thetawarden.messages.base import Command, Event, Lane, Message
from thetawarden.messages.registry import KINDS, ROUTES, Refused, Route, Vocabulary
from thetawarden.supervisor import ADAPTERS, desk_tree

NO_TOPICS = {"base", "control", "registry"}
TOPICS = tuple(
    importlib.import_module(f"thetawarden.messages.{module.name}")
    for module in pkgutil.iter_modules(messages.__path__)
    if module.name not in NO_TOPICS
)


def every_message_class():
    return [
        each
        for topic in TOPICS
        for _, each in inspect.getmembers(topic, inspect.isclass)
        if issubclass(each, Message) and each not in {Message, Command, Event}
    ]


def test_every_message_that_is_defined_has_a_route_and_no_other_has():
    assert set(every_message_class()) == set(ROUTES)


def test_a_key_is_a_text_field_of_its_message():
    keyed = {kind: route.key for kind, route in ROUTES.items() if route.key is not None}

    assert {get_type_hints(kind)[key] for kind, key in keyed.items()} <= {str}


def test_names_are_unique_and_commands_and_events_are_told_apart():
    assert len(KINDS) == len(ROUTES)
    assert all(issubclass(kind, Command) != issubclass(kind, Event) for kind in ROUTES)


@pytest.mark.parametrize("kind", ROUTES, ids=lambda kind: kind.__name__)
def test_every_message_says_what_it_is_for_and_cannot_be_changed(kind):
    assert kind.__doc__
    assert kind.__doc__ != (kind.__mro__[1].__doc__)
    assert kind.__struct_config__.frozen
    assert kind.__struct_config__.array_like
    assert kind.__struct_config__.tag == kind.__name__


st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(VixBandRule, st.sampled_from(DEFAULT_BANDS))  # refuses nonsense
st.register_type_strategy(RiskLimits, st.just(limits_of(RiskConfig())))  # refuse nonsense too
anything = st.one_of([st.from_type(kind) for kind in ROUTES])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything)
def test_what_is_encoded_decodes_to_the_same_message(message):
    again = registry.decode(registry.encode(message))

    assert registry.encode(again) == registry.encode(message)
    assert type(again) is type(message)


def test_a_body_of_an_unknown_kind_is_refused():
    with pytest.raises(msgspec.ValidationError):
        registry.decode(msgspec.msgpack.encode(["PlaceYourBets", 1]))


def test_a_body_with_more_fields_than_we_know_is_refused():
    with pytest.raises(msgspec.ValidationError):
        registry.decode(msgspec.msgpack.encode(["AlertDelivered", 1, "mail", "from the future"]))


def test_the_real_tree_fits_the_routing_table():
    vocabularies = check_tree(desk_tree(Config()), adapters=ADAPTERS)

    watching = {"watchdog", "scheduler", "notifier", "archivist"}
    watching |= {"regime", "futures", "context", "universe"}
    trading_ = {"connection", "keeper", "governor", "executor", "slots", "chain", "strategist"}
    trading_ |= {"steward"}
    assert {each.name for each in vocabularies} == watching | trading_


def test_what_an_actor_hears_and_says_is_read_off_its_annotations():
    vocabulary = vocabulary_of("watchdog", Watchdog)

    assert operations.VitalsTaken in vocabulary.hears
    assert vocabulary.says == {
        trading.Halt,
        operations.NotifyPerson,
        operations.HealthChanged,
        timers.StartTimer,
        timers.CancelTimer,
    }


class Deaf:
    def receive(self, message: lifecycle.Begin, now: int) -> tuple[()]:
        raise NotImplementedError


class Chatty:
    def receive(
        self, message: lifecycle.Begin | lifecycle.Quiesce, now: int
    ) -> tuple[trading.Halt | timers.StartTimer, ...]:
        raise NotImplementedError


def tree_of(**kinds):
    specs = tuple(ActorSpec(name=name, kind=kind) for name, kind in kinds.items())
    return Tree(root=Policy(), groups=(Group(name="g", policy=Policy(), actors=specs),))


def test_a_tree_that_would_not_understand_is_refused_naming_speaker_message_and_listener():
    with pytest.raises(MisfitError) as refusal:
        check_tree(tree_of(governor=Deaf, notifier=Chatty), adapters=ADAPTERS)

    words = str(refusal.value)
    assert "notifier says Halt to governor, which does not handle it" in words
    assert "notifier says StartTimer to @host, which does not handle it" in words
    assert "supervisor says ActorEnded to watchdog, which nobody plays" in words


def say(kind, *, to, hears=(), adapters=()):
    speaker = Vocabulary(name="a", hears=frozenset(), says=frozenset({kind}))
    listener = Vocabulary(name="b/SPX", hears=frozenset(hears), says=frozenset())
    routes = {} if to is None else {kind: Route(to=to, lane=Lane.CONTROL)}
    found = registry.check_vocabularies([speaker, listener], adapters=adapters, routes=routes)
    return [misfit.why for misfit in found]


@pytest.mark.parametrize(
    ("to", "hears", "adapters", "why"),
    [
        (("b",), (trading.Halt,), (), []),
        (("b",), (), (), [Refused.NOT_HANDLED]),
        (("c",), (trading.Halt,), (), [Refused.NOBODY_PLAYS]),
        (("@record",), (), (), []),
        (("effect:alerts",), (), ("alerts",), []),
        (("effect:alerts",), (), (), [Refused.NO_ADAPTER]),
        (("@sender",), (), (), [Refused.NOT_HANDLED]),
        (None, (), (), [Refused.NO_ROUTE]),
        (("b", "c"), (), (), [Refused.NOT_HANDLED, Refused.NOBODY_PLAYS]),
    ],
)
def test_each_way_a_message_can_go_astray_is_found_before_it_is_said(to, hears, adapters, why):
    assert say(trading.Halt, to=to, hears=hears, adapters=adapters) == why

"""What a person sets about the link, and the rules that follow from it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.config.broker import BrokerConfig, link_rules
from thetawarden.config.rules import find_clashes
from thetawarden.config.schema import Config, Mode
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.supervisor import broker_settings

S = NS_PER_SECOND


def test_n02_a_mute_peer_is_found_within_ten_seconds_by_default():
    broker = BrokerConfig()

    assert broker.probe_every_s + broker.probe_timeout_s <= 10


def test_the_adapter_gives_a_mute_peer_up_before_the_actor_gives_the_adapter_up():
    broker = BrokerConfig()
    rules = link_rules(broker, real_money=False, speed=1.0)

    assert rules.probe_overdue_ns > (broker.probe_every_s + broker.probe_timeout_s) * S
    assert rules.opening_ns > broker.connect_timeout_s * S
    assert rules.book_ns > broker.book_timeout_s * S


@given(st.floats(1.0, 10_000.0))
def test_the_machines_durations_are_told_in_market_time_and_new_yorks_are_not(speed):
    broker = BrokerConfig()
    real, fast = (link_rules(broker, real_money=False, speed=one) for one in (1.0, speed))

    for name in ("probe_ns", "apart_ns", "refresh_ns", "outage_ns", "book_ns", "opening_ns"):
        assert abs(getattr(fast, name) - getattr(real, name) * speed) <= speed
    assert fast.night == real.night


def test_c05_real_money_is_asked_for_by_mode_account_and_word():
    broker = BrokerConfig(account="U7654321", i_mean_live=True)

    terms = link_rules(broker, real_money=True, speed=1.0).terms

    assert (terms.real_money, terms.account, terms.i_mean_live) == (True, "U7654321", True)


def test_an_account_pinned_for_other_modes_does_not_keep_a_desk_off_its_own_market():
    broker = BrokerConfig(account="U7654321", i_mean_live=True)
    practice, live = (Config(mode=mode, broker=broker) for mode in (Mode.PRACTICE, Mode.LIVE))

    assert broker_settings(practice).account == ""
    assert broker_settings(live) == broker


@pytest.mark.parametrize(
    ("broker", "path"),
    [
        (BrokerConfig(backoff_min_s=40.0), "broker.backoff_min_s"),
        (BrokerConfig(messages_per_s_max=20, messages_reserved=17), "broker.messages_reserved"),
        (BrokerConfig(night_begins=dt.time(1), night_ends=dt.time(1)), "broker.night_ends"),
    ],
)
def test_what_would_keep_the_link_shut_for_ever_is_refused_on_paper(broker, path):
    clashes = find_clashes(Config(broker=broker))

    assert [clash.path for clash in clashes] == [path]


def test_the_defaults_contradict_nothing():
    assert find_clashes(Config()) == ()

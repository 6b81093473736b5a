"""The regime actor: a verdict on every context, words only when something changed."""

import datetime as dt

import msgspec

from thetawarden.actors.regime import RegimeActor, RegimeState
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_ns
from thetawarden.domain.regime.assess import RegimeInputs, RegimeLimits
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.regime.vix_limits import VixBand
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson, Urgency

NOON = new_york_ns(dt.date(2026, 11, 20), dt.time(12))
EVERY = 5 * NS_PER_MINUTE


def taken(now, *, vix=15.0, price=6000.0, trading=True, vix3m=None):
    def at(value):
        return None if value is None else Reading(value=value, at_ns=now)

    return ContextTaken(
        inputs=RegimeInputs(
            curve=VolCurve(
                vix=at(vix),
                vix3m=at(vix3m or (vix or 15.0) + 2.0),
                first_future=at((vix3m or (vix or 15.0) + 2.0) - 1.0),
                second_future=at(vix3m or (vix or 15.0) + 2.0),
            ),
            trend=TrendInputs(
                price=at(price), sma20=at(5950.0), sma50=at(5900.0), sma200=at(5600.0), adx=at(30.0)
            ),
            underlyings=0,
            average_correlation=None,
            macro=(),
            days=(),
        ),
        trading=trading,
    )


def regime():
    return RegimeActor(limits=RegimeLimits(), every_ns=EVERY)


def said(actor, context, now=NOON):
    answers = actor.receive(context, now)
    verdicts = [each.regime for each in answers if isinstance(each, RegimeAssessed)]
    words = [each for each in answers if isinstance(each, NotifyPerson)]
    return verdicts, words


def test_a_quiet_market_allows_everything_and_is_no_news():
    (verdict,), words = said(regime(), taken(NOON))

    assert verdict.entries is EntryPolicy.ALL
    assert words == []


def test_the_same_verdict_is_said_again_only_on_the_cadence():
    actor = regime()
    said(actor, taken(NOON))

    soon = said(actor, taken(NOON), UnixNs(NOON + EVERY - 1))[0]
    later = said(actor, taken(UnixNs(NOON + EVERY)), UnixNs(NOON + EVERY))[0]

    assert soon == []
    assert len(later) == 1


def test_a_spike_of_the_vix_is_said_at_once_and_told_to_a_person():
    actor = regime()
    said(actor, taken(NOON))

    (verdict,), (words,) = said(actor, taken(NOON, vix=41.0, price=5500.0, vix3m=38.0))

    assert verdict.entries is EntryPolicy.NONE
    assert words.urgency is Urgency.CRITICAL
    assert "crash" in words.text
    assert "vix crisis" in words.text


def test_a_missing_vix_allows_nothing_and_says_why():
    actor = regime()
    said(actor, taken(NOON))

    (verdict,), (words,) = said(actor, taken(NOON, vix=None))

    assert verdict.entries is EntryPolicy.NONE
    assert words.urgency is Urgency.HIGH
    assert "vix missing" in words.text


def test_at_night_every_figure_is_old_and_nobody_is_told():
    actor = regime()
    said(actor, taken(NOON))

    night = UnixNs(NOON + 14 * 3600 * 1_000_000_000)
    (verdict,), words = said(actor, taken(NOON, trading=False), night)

    assert verdict.entries is EntryPolicy.NONE
    assert words == []


def test_the_band_a_vix_came_from_outlives_a_gap_in_the_data():
    actor = regime()
    said(actor, taken(NOON, vix=20.1))
    said(actor, taken(NOON, vix=None))

    (verdict,), _ = said(actor, taken(NOON, vix=19.9))

    assert verdict.vix.band is VixBand.ELEVATED


def test_its_state_survives_being_written_down():
    actor = regime()
    said(actor, taken(NOON, vix=41.0, price=5500.0))

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(actor.state), type=RegimeState)

    assert again == actor.state

"""The judge of the crash must find a limit that an entry broke, and tell it from the market's."""

import math

import pytest

from soak.crash_desk import LimitWatch
from tests.actors.governed import Governed
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import OrderStageChanged

LIMIT = 0.1


@pytest.fixture(scope="module")
def approved():
    return Governed().approve()


@pytest.fixture
def working(approved):
    return OrderStageChanged(
        order_ref="t.open.x1.1",
        trade="t",
        strategy="s",
        role=OrderRole.ENTRY,
        approval_key=approved.approval.key,
        proposal_key=approved.proposal.key,
        stage=Stage.WORKING,
        units=1,
        units_filled=0,
        perm_id=1,
        words="",
    )


def watched(*steps):
    """What is found when each message leaves so much of a limit used."""
    watch = LimitWatch()
    for seq, (body, used) in enumerate(steps):
        now = LimitUse(rule=RuleId.R6, name="fall", limit=LIMIT, held=0.0, used=used)
        watch.uses = lambda now=now: {("R6", "fall"): now}
        watch(Envelope(seq, 0, "governor", 1, None, body))
    return watch.outcome


def test_an_entry_within_its_limits_is_not_wrong(approved, working):
    found = watched((working, 0.05), (approved, LIMIT))

    assert found.wrong == []
    assert found.by_market == {}
    assert found.measured == 2


def test_an_entry_that_breaks_a_limit_or_makes_a_broken_one_worse_is_wrong(approved, working):
    breaks = watched((working, 0.05), (approved, 0.11))
    worsens = watched((working, 0.11), (approved, 0.12))

    assert breaks.wrong == ["an entry let R6 fall come to 0.1100 of 0.1000"]
    assert worsens.wrong == ["an entry let R6 fall come to 0.1200 of 0.1000"]


def test_what_the_market_alone_carries_beyond_a_limit_is_told_apart(approved, working):
    found = watched((working, 0.05), (working, 0.15), (approved, 0.15))

    assert found.wrong == []
    assert found.by_market == {"R6 fall": pytest.approx(1.5)}


def test_an_entry_while_a_limit_cannot_be_measured_is_wrong(approved, working):
    found = watched((working, math.nan), (approved, math.nan))

    assert found.wrong == ["an entry was let in while R6 fall was unknown"]
    assert found.unknown["R6 fall"] == 2

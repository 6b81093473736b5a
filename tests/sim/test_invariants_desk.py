"""Checks of what the desk does for itself: each is shown what it must not accept, and its like."""

from decimal import Decimal

import msgspec
import pytest

from tests.sim.test_invariants import Case, filled
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.orders import Commission, execution_stem
from thetawarden.messages.books import CommissionReported, FillBooked
from thetawarden.messages.lifecycle import DeskStarted

STARTED = DeskStarted(config_fingerprint="f", software="s", resumed=True)
replace = msgspec.structs.replace


def booked(exec_id="a.1.01", quantity=-2, **more):
    execution = filled(-2, exec_id).execution
    plain = {
        "fill": execution_stem(exec_id),
        "execution": execution,
        "cause": Cause.TRADE,
        "quantity": Decimal(quantity),
        "commission_usd": Decimal(1),
        "commission_kind": CommissionKind.ESTIMATED,
        "cash_usd": Decimal(200),
        "position_after": Decimal(-2),
        "average_cost_usd": Decimal(1),
        "realised_usd": Decimal(0),
    }
    return FillBooked(**(plain | more))


def reported(usd, **more):
    cost = {"commission_kind": CommissionKind.REPORTED, "commission_usd": Decimal(usd)}
    return booked(**(cost | more))


def cost(usd, exec_id="a.1.01"):
    told = Commission(execution_id=exec_id, commission_usd=Decimal(usd))
    return CommissionReported(epoch=1, commission=told)


@pytest.mark.parametrize(
    ("again", "holds"),
    [
        (booked(), False),
        (booked(position_after=Decimal(-4)), False),
        (booked("a.1.02"), True),
        (reported(2), True),
        (booked("b.1.01"), True),
    ],
)
def test_i16_a_fill_is_booked_again_only_for_a_correction_or_its_cost(again, holds):
    assert Case("I16").say(cost(2)).say(booked()).say(again).holds is holds


def test_i16_a_fill_that_goes_back_to_an_earlier_revision_is_found():
    assert not Case("I16").say(booked("a.1.02")).say(booked("a.1.01")).holds


@pytest.mark.parametrize(("durable_seq", "holds"), [(0, True), (1, False)])
def test_i16_a_booking_that_was_lost_with_its_process_may_be_said_again(durable_seq, holds):
    case = Case("I16").say(booked())
    case.world.durable_seq = durable_seq

    assert case.say(STARTED).say(booked()).holds is holds


@pytest.mark.parametrize(("usd", "holds"), [(2, True), (4, False), (0, True)])
def test_i16_a_fill_that_cost_what_nobody_told_is_found(usd, holds):
    assert Case("I16").say(cost(2)).say(booked()).say(reported(usd)).holds is holds
    assert Case("I16").say(cost(2, "z.1.01")).say(reported(usd)).holds is (usd == 0)


def test_i16_what_was_sold_and_is_booked_as_bought_is_found():
    bust = replace(filled(-2, "a.1.02").execution, price_usd=Decimal(0))

    assert not Case("I16").say(booked(quantity=2)).holds
    assert Case("I16").say(booked(quantity=2, execution=bust)).holds

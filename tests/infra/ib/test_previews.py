"""What an order would do to margin, asked of a real gateway, and everything that is no answer."""

import struct
from decimal import Decimal

import msgspec
import pytest

from tests.infra.ib.orderline import intent, legs_of
from thetawarden.infra.ib.previews import APART_NS
from thetawarden.messages.orders import MarginPreviewed, OrderTroubled, PreviewMargin
from thetawarden.practice.wire.encode.orders import open_order
from thetawarden.practice.wire.incoming import Incoming

MARK = Decimal("77777.77")


@pytest.fixture
def line(line_on):
    return line_on(preview_timeout_s=2.0)


def ask(line, legs, limit=-1, *, key="k-1", units=2, epoch=None):
    line.order(
        PreviewMargin(
            epoch=line.epoch if epoch is None else epoch,
            asked_by="test",
            key=key,
            legs=legs,
            units=units,
            limit_usd=Decimal(str(limit)),
        )
    )
    return line.ear.wait_for(MarginPreviewed, holds=lambda one: one.key == key)


def test_a_short_put_and_a_spread_have_their_margins_and_become_no_orders(line, puts):
    naked = ask(line, legs_of((puts[0], -1)), key="naked")
    spread = ask(line, legs_of((puts[0], -1), (puts[1], 1)), key="spread")

    assert naked.answer.units == 2
    assert naked.answer.initial_change_usd > spread.answer.initial_change_usd > 0
    assert naked.answer.maintenance_change_usd > 0
    assert abs(naked.answer.at_ns - line.clock.now_ns()) < 60 * 10**9
    assert [one.what_if for one in line.wire] == [True, True]
    assert line.fetch().orders == ()


def test_a_preview_uses_no_reference_and_no_number_of_an_order(line, puts):
    numbers = line.sent(intent("real.1", legs_of((puts[0], -1)), -50))
    ask(line, legs_of((puts[0], -1)))
    numbers += line.sent(intent("real.2", legs_of((puts[0], -1)), -50))

    (asked,) = [one for one in line.wire if one.what_if]
    assert asked.ticket.order_ref == ""
    assert asked.order_id not in numbers
    assert len(line.fetch().orders) == 2


@pytest.mark.parametrize(
    ("kind", "words"),
    [("hang", "no answer"), ("unset", "no answer"), ("refused", "margin")],
)
def test_O11_whatever_is_no_plain_answer_is_none(line, busy, puts, kind, words):
    busy.play("what-if", kind=kind)

    told = ask(line, legs_of((puts[0], -1)), key=kind)

    busy.end("what-if")
    assert told.answer is None
    assert words in told.words


@pytest.mark.parametrize("field", ["initial_change_usd", "maintenance_change_usd"])
@pytest.mark.parametrize("text", ["1.7976931348623157E308", "inf", "nan", "?"])
def test_O11_an_answer_of_which_one_half_is_no_number_is_none(line, busy, puts, field, text):
    def answer(session, incoming, request):
        if incoming is not Incoming.PLACE_ORDER or not request.what_if:
            return False
        found = busy.exchange.what_if(request.ticket)
        half = msgspec.structs.replace(found, **{field: MARK})
        frame = open_order(half.view, version=session.version, what_if=half)
        payload = frame[4:].replace(str(MARK).encode(), text.encode())
        session.send(struct.pack(">I", len(payload)) + payload)
        return True

    busy.do(lambda server: server.gateway.seams.requests.append(answer))
    told = ask(line, legs_of((puts[0], -1)))

    assert told.answer is None
    assert told.words


def test_O11_numbers_that_a_refusal_follows_are_no_answer(line, puts):
    told = ask(line, legs_of((puts[0], -1)), units=100_000)

    assert told.answer is None
    assert "201" in told.words
    assert line.ear.all_of(OrderTroubled) == [], "it is not about an order"


def test_a_preview_for_a_link_that_is_gone_is_answered_with_none(line, puts):
    told = ask(line, legs_of((puts[0], -1)), epoch=9)

    assert (told.epoch, told.answer) == (9, None)
    assert "link" in told.words
    assert line.wire == []


def test_a_preview_of_no_order_is_answered_with_none(line, puts):
    told = ask(line, legs_of((puts[0], -2), (puts[1], 2)))

    assert told.answer is None
    assert "lowest terms" in told.words


def test_previews_come_one_after_the_other_and_all_are_answered(line, puts):
    started = line.clock.monotonic_ns()
    for number in range(4):
        line.order(
            PreviewMargin(
                epoch=line.epoch,
                asked_by="test",
                key=f"q-{number}",
                legs=legs_of((puts[0], -1)),
                units=1,
                limit_usd=Decimal(-1),
            )
        )
    for number in range(4):
        told = line.ear.wait_for(MarginPreviewed, holds=lambda one, n=number: one.key == f"q-{n}")
        assert told.answer is not None

    assert line.clock.monotonic_ns() - started >= 3 * APART_NS

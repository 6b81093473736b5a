"""Orders and signs of life on a link whose market data floods."""

import time

from tests.infra.ib.orderline import S, intent, legs_of, listed
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.messages.link import LinkProbed, ProbeLink
from thetawarden.messages.market import QuotesObserved, SubscribeLine

LINES, ORDERS, FACTOR = 40, 8, 50
SOON_S = 5.0
"""Ten times what it takes beside others; a flood that came first would take ever longer."""


def test_m12_in_a_burst_orders_cancels_and_probes_are_answered_as_soon_as_without_one(
    line, busy, puts
):
    took_s, probes_ns = [], []
    for one in listed(busy)[:LINES]:
        line.order(SubscribeLine(epoch=1, listeners=("SPY",), instrument=one))
    busy.play("burst", factor=FACTOR)
    line.ear.wait_for(QuotesObserved, count=20)

    for number in range(1, ORDERS + 1):
        name, before = f"burst.{number}", len(line.ear.all_of(QuotesObserved))
        began = time.monotonic()
        line.sent(intent(name, legs_of((puts[0], -1)), -50))
        line.cancel(name)
        line.reported(name, BrokerOrderState.CANCELLED)
        took_s.append(time.monotonic() - began)
        line.order(ProbeLink(epoch=1, number=number))
        probe = line.ear.wait_for(LinkProbed, holds=lambda one, number=number: one.number == number)
        probes_ns.append(probe.round_trip_ns)
        line.ear.wait_for(QuotesObserved, count=before + 1)

    busy.end("burst")
    assert max(took_s) < SOON_S
    assert max(probes_ns) < SOON_S * S
    ticks = sum(quote.updates for one in line.ear.all_of(QuotesObserved) for quote in one.told)
    assert ticks > 10 * len(line.ear.all_of(QuotesObserved))

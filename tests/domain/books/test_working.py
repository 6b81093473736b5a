"""Which working orders would end a position."""

from decimal import Decimal

from tests.actors.test_keeper import order
from tests.domain.books.accounts import option
from thetawarden.domain.books.working import Bracket, WorkingOrders, bracket_of
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerLeg

BAG = Instrument(conid=28812380, kind=InstrumentKind.COMBO, symbol="SPY")
SHORT, LONG = option(2), option(3, "490")


def working(**changes):
    return WorkingOrders(orders={"o": order(**changes)})


def test_a_combination_ends_the_positions_of_its_legs():
    legs = (BrokerLeg(conid=2, ratio=1), BrokerLeg(conid=3, ratio=-1))
    known = working(quantity=2, instrument=BAG, legs=legs, limit_usd=Decimal("0.40"))

    bracket = Bracket(take_profit_usd=Decimal("0.40"), stop_usd=None)
    assert bracket_of(known, SHORT, Decimal(-2)) == bracket
    assert bracket_of(known, LONG, Decimal(2)) == bracket


def test_what_opens_more_of_a_position_does_not_end_it():
    legs = (BrokerLeg(conid=2, ratio=-1), BrokerLeg(conid=3, ratio=1))

    assert bracket_of(working(quantity=2, instrument=BAG, legs=legs), SHORT, Decimal(-2)) is None
    assert bracket_of(working(quantity=-2), SHORT, Decimal(-2)) is None

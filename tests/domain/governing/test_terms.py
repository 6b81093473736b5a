"""What nobody knows of an underlying is unknown, however near the end of what is known."""

import datetime as dt

import pytest

from thetawarden.domain.governing.terms import Company, Terms, ex_dividend_tonight
from thetawarden.domain.market.events import ExDividend
from thetawarden.domain.market.sessions import Exchange, load_sessions

SESSIONS = load_sessions(Exchange.NYSE)
THURSDAY, FRIDAY, SATURDAY, MONDAY = (dt.date(2026, 3, day) for day in (5, 6, 7, 9))


def tonight(day, *, until, dividends=()):
    company = Company(dividends=dividends, dividends_until=until)
    terms = Terms(sessions=SESSIONS, companies={"KO": company})
    return ex_dividend_tonight("KO", terms=terms, day=day)


@pytest.mark.parametrize(
    ("day", "until", "answer"),
    [
        (THURSDAY, FRIDAY, False),
        (THURSDAY, THURSDAY, None),
        (FRIDAY, MONDAY, False),
        (FRIDAY, SATURDAY, None),
        (FRIDAY, None, None),
        (SATURDAY, MONDAY, None),
    ],
)
def test_no_dividend_is_known_only_where_the_next_session_is_known_too(day, until, answer):
    assert tonight(day, until=until) is answer


def test_a_dividend_of_the_next_session_is_had_tonight():
    dividend = ExDividend(ex_day=MONDAY, amount_usd=0.5)

    assert tonight(FRIDAY, until=None, dividends=(dividend,)) is True
    assert tonight(THURSDAY, until=MONDAY, dividends=(dividend,)) is False

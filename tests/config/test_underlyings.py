"""What a person keeps of underlyings and companies is read as written, or refused by its line."""

import datetime as dt

import pytest

from thetawarden.config.problems import ConfigError
from thetawarden.config.underlyings import load_companies, load_underlyings
from thetawarden.domain.market.events import EarningsRisk, earnings_risk


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "known.csv"
        path.write_text(text)
        return str(path)

    return write


def test_without_a_file_nothing_is_said():
    assert load_underlyings("").betas == {}
    assert load_companies("") == {}


def test_a_beta_alone_is_the_volatilitys_too_and_empty_cells_say_nothing(file):
    found = load_underlyings(
        file("symbol,beta,iv_beta,sector\nAAPL,1.2,,Technology\nXOM,,,\nJPM,1.1,1.4,\n")
    )

    assert (found.betas["AAPL"].beta, found.betas["AAPL"].iv_beta) == (1.2, 1.2)
    assert found.betas["JPM"].iv_beta == 1.4
    assert "XOM" not in found.betas
    assert found.sectors == {"AAPL": "technology"}


@pytest.mark.parametrize(("beta", "iv_beta"), [("-1.5", 1.5), ("0.2", 1.0), ("-0.3", 1.0)])
def test_without_one_of_its_own_no_volatility_is_calmer_than_the_indexs(file, beta, iv_beta):
    found = load_underlyings(file(f"symbol,beta\nGLD,{beta}\n"))

    assert found.betas["GLD"].iv_beta == iv_beta


@pytest.mark.parametrize("kind", ["earnings_from", "earnings_until", "dividends_until"])
def test_a_second_span_of_a_company_is_refused_by_its_line(file, kind):
    text = f"symbol,kind,day,value\nKO,{kind},2026-01-01,\nKO,{kind},2026-07-01,\n"

    with pytest.raises(ConfigError, match=f"known.csv:3: found a second {kind} of KO"):
        load_companies(file(text))


@pytest.mark.parametrize(
    ("lines", "entry", "risk"),
    [
        ("AAPL,earnings,2026-10-29,after_close", (1, 20), EarningsRisk.UNKNOWN),
        ("AAPL,earnings,2026-10-29,after_close", (20, 30), EarningsRisk.REPORTS),
        (
            "AAPL,earnings_from,2026-10-01,\nAAPL,earnings_until,2026-12-31,",
            (1, 20),
            EarningsRisk.CLEAR,
        ),
        ("AAPL,earnings_from,2026-10-01,", (1, 20), EarningsRisk.UNKNOWN),
    ],
)
def test_a_calendar_that_does_not_say_how_far_it_goes_clears_nothing(file, lines, entry, risk):
    company = load_companies(file(f"symbol,kind,day,value\n{lines}\n"))["AAPL"]

    first, last = (dt.date(2026, 10, day) for day in entry)
    assert earnings_risk(entry_day=first, expiry=last, calendar=company.earnings) is risk


def test_dividends_are_known_as_far_as_it_is_said(file):
    text = "symbol,kind,day,value\nKO,dividend,2026-11-30,0.51\nKO,dividends_until,2027-01-31,\n"

    company = load_companies(file(text))["KO"]

    assert [(one.ex_day, one.amount_usd) for one in company.dividends] == [
        (dt.date(2026, 11, 30), 0.51)
    ]
    assert company.dividends_until == dt.date(2027, 1, 31)


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (load_underlyings, "symbol,beta\nAAPL,much\n", "known.csv:2: found beta 'much'"),
        (load_underlyings, "symbol,gamma\nAAPL,1\n", "known.csv:2: found"),
        (load_companies, "symbol,kind,day,value\nA,split,2026-01-01,\n", "known.csv:2: found"),
        (load_companies, "symbol,kind,day,value\nA,earnings,soon,\n", "known.csv:2: found"),
        (load_companies, "symbol,kind,day,value\nA,earnings,2026-01-01,noon\n", "value 'noon'"),
        (load_companies, "symbol,kind,day,value\nA,dividend,2026-01-01,\n", "which is no number"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(file, read, text, words):
    with pytest.raises(ConfigError) as refused:
        read(file(text))

    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="no readable file"):
        load_companies("/nowhere/companies.csv")

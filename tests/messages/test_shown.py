"""What people are shown of a message: rows of quotes as quotes, however a log has them."""

import json

import polars as pl
import pytest

from thetawarden.console.message_screen import body_text
from thetawarden.console.words import body_words
from thetawarden.domain.broker.quote import BrokerGreeks, Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.infra.lake.export import write_messages
from thetawarden.messages.base import Envelope
from thetawarden.messages.market import QuotesObserved

QUOTES = (
    Quote(conid=7, at_ns=5, bid_usd=1.05, greeks=BrokerGreeks(iv_annual=0.2)),
    Quote(conid=8, at_ns=6, halted=True),
)
NOW, BEFORE = (
    QuotesObserved(epoch=3, underlying="SPX", written=write_quotes(QUOTES)),
    QuotesObserved(epoch=3, underlying="SPX", quotes=QUOTES),
)


@pytest.mark.parametrize("message", [NOW, BEFORE], ids=["rows", "objects"])
def test_quotes_are_shown_as_quotes_however_they_were_written(message, tmp_path):
    file = tmp_path / "quotes.parquet"

    write_messages([Envelope(1, 10, "broker", 0, None, message)], file)

    (exported,) = pl.read_parquet(file)["body"].to_list()
    for told in (message.plainly(), json.loads(body_text(message)), json.loads(exported)):
        assert told.keys() == {"epoch", "underlying", "quotes"}
        assert [one["conid"] for one in told["quotes"]] == [7, 8]
        assert told["quotes"][0]["greeks"]["iv_annual"] == 0.2
        assert told["quotes"][1]["bid_usd"] is None
    assert body_words(message, 200).startswith("epoch=3 underlying=SPX quotes=")


def test_both_ways_say_the_same():
    assert NOW.told == BEFORE.told == QUOTES
    assert NOW.rows == BEFORE.rows

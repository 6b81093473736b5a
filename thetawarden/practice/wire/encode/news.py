"""News, corporate events, fundamentals, scanners: what is told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode.contract import strike_text
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thetawarden.practice.model import ContractDetails, NewsArticle, NewsProvider

PLAIN_TEXT = 0


def providers(rows: Sequence[NewsProvider]) -> bytes:
    """Who publishes here."""
    return message(
        Outgoing.NEWS_PROVIDERS, len(rows), *[part for p in rows for part in (p.code, p.name)]
    )


def article(req_id: int, text: str) -> bytes:
    """One article's text."""
    return message(Outgoing.NEWS_ARTICLE, req_id, PLAIN_TEXT, text)


def headline(req_id: int, item: NewsArticle) -> bytes:
    """One headline of the past."""
    return message(
        Outgoing.HISTORICAL_NEWS,
        req_id,
        f"{times.utc(item.at_ns):%Y-%m-%d %H:%M:%S}.0",
        item.provider,
        item.article_id,
        item.headline,
    )


def headlines_end(req_id: int, *, has_more: bool) -> bytes:
    """All headlines have been sent, or as many as were wanted."""
    return message(Outgoing.HISTORICAL_NEWS_END, req_id, has_more)


def bulletin(number: int, kind: int, text: str, exchange: str) -> bytes:
    """A bulletin: kind 1 regular, 2 exchange unavailable, 3 exchange available again."""
    return message(Outgoing.NEWS_BULLETIN, 1, number, kind, text, exchange)


def wsh_meta(req_id: int, document: str) -> bytes:
    """What corporate events can be asked for."""
    return message(Outgoing.WSH_META, req_id, document)


def wsh_event(req_id: int, document: str) -> bytes:
    """Corporate events."""
    return message(Outgoing.WSH_EVENT, req_id, document)


def fundamentals(req_id: int, xml: str) -> bytes:
    """A report about a company."""
    return message(Outgoing.FUNDAMENTAL_DATA, 1, req_id, xml)


def scanner_parameters(xml: str) -> bytes:
    """What can be scanned for."""
    return message(Outgoing.SCANNER_PARAMETERS, 1, xml)


def scanner_data(req_id: int, rows: Sequence[ContractDetails]) -> bytes:
    """The ranking, best first."""
    values: list[str | int] = []
    for rank, details in enumerate(rows):
        c = details.contract
        values += [rank, c.con_id, c.symbol, c.sec_type.value, times.day(c.expiry)]
        values += [strike_text(c), c.right, c.exchange, c.currency, c.local_symbol]
        values += [details.market_name, c.trading_class, "", "", "", ""]
    return message(Outgoing.SCANNER_DATA, 3, req_id, len(rows), *values)


def soft_dollar_tiers(req_id: int) -> bytes:
    """Soft dollar tiers: none here."""
    return message(Outgoing.SOFT_DOLLAR_TIERS, req_id, 0)


def family_codes(accounts: Sequence[str]) -> bytes:
    """Accounts and their families: none has one."""
    return message(
        Outgoing.FAMILY_CODES, len(accounts), *[part for a in accounts for part in (a, "")]
    )

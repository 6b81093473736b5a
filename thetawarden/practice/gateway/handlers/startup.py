"""Ids, time, accounts and the other small questions that need no market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.wire.encode import news as encode_news
from thetawarden.practice.wire.encode import session as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.wire.requests.simple import ById, Number, Switch


def _ids(session: Session, _: Any) -> None:
    ids = session.gateway.order_ids
    session.send(encode.next_valid_id(ids.next_for(session.client_id)))


def _managed_accounts(session: Session, _: Any) -> None:
    session.send(encode.managed_accounts(session.gateway.exchange.accounts()))


def _current_time(session: Session, _: Any) -> None:
    session.send(encode.current_time(session.gateway.now_ns))


def _nothing(_session: Session, _: Any) -> None:
    """Accepted without an answer, like the genuine gateway."""


def _advisor(session: Session, _: Number) -> None:
    cause = "FA data operations ignored for non FA customers."
    session.notice(Code.VALIDATING, codes.validating(cause))


def _market_data_type(session: Session, request: Number) -> None:
    if request.value in (1, 2, 3, 4):
        session.data_type = request.value
        return
    session.notice(Code.VALIDATING, codes.validating("Invalid market data type"))


def _user_info(session: Session, request: ById) -> None:
    session.send(encode.user_info(request.req_id))


def _soft_dollar_tiers(session: Session, request: ById) -> None:
    session.send(encode_news.soft_dollar_tiers(request.req_id))


def _family_codes(session: Session, _: Any) -> None:
    session.send(encode_news.family_codes(session.gateway.exchange.accounts()))


def _bulletins(session: Session, _: Switch) -> None:
    session.subscriptions.bulletins = True


def _cancel_bulletins(session: Session, _: Any) -> None:
    session.subscriptions.bulletins = False


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_IDS: _ids,
    Incoming.REQ_MANAGED_ACCOUNTS: _managed_accounts,
    Incoming.REQ_CURRENT_TIME: _current_time,
    Incoming.SET_SERVER_LOG_LEVEL: _nothing,
    Incoming.START_API: _nothing,
    Incoming.REQ_FA: _advisor,
    Incoming.REPLACE_FA: _advisor,
    Incoming.REQ_MARKET_DATA_TYPE: _market_data_type,
    Incoming.REQ_USER_INFO: _user_info,
    Incoming.REQ_SOFT_DOLLAR_TIERS: _soft_dollar_tiers,
    Incoming.REQ_FAMILY_CODES: _family_codes,
    Incoming.REQ_NEWS_BULLETINS: _bulletins,
    Incoming.CANCEL_NEWS_BULLETINS: _cancel_bulletins,
}

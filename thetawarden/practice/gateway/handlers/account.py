"""Accounts: values, portfolio, positions, summaries, results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.push import accounts
from thetawarden.practice.gateway.subscriptions import AccountFeed, PnlFeed, RowFeed
from thetawarden.practice.wire.encode import account as encode
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from collections.abc import Sized
    from typing import Any

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.wire.requests.simple import (
        AccountSummary,
        AccountUpdates,
        AccountUpdatesMulti,
        ByAccount,
        ById,
        PnlSingle,
    )

NLV_KEYS = frozenset({"NetLiquidation", "NetLiquidationByCurrency"})


def _account_updates(session: Session, request: AccountUpdates) -> None:
    subscriptions = session.subscriptions
    if not request.subscribe:
        subscriptions.account = None
        return
    account = _account_or_only(session, request.account)
    if account is None:
        session.notice(Code.VALIDATING, codes.validating("Invalid account code"))
        return
    if _watched_elsewhere(session, account):
        text = (
            "Unable subscribe to account as the following clients are subscribed to "
            "a different account"
        )
        session.notice(Code.NOT_SUBSCRIBABLE, text)
        return
    if subscriptions.account is not None and subscriptions.account.account != account:
        session.notice(Code.UNSUBSCRIBED, codes.UNSUBSCRIBED_TEXT)
    subscriptions.account = AccountFeed(account)
    accounts.send_account(session, subscriptions.account, everything=True)


def _watched_elsewhere(session: Session, account: str) -> bool:
    feeds = [
        other.subscriptions.account
        for other in session.gateway.sessions.values()
        if other is not session
    ]
    return any(feed is not None and feed.account != account for feed in feeds)


def _account_or_only(session: Session, account: str) -> str | None:
    known = session.gateway.exchange.accounts()
    if not account:
        return known[0]
    return account if account in known else None


def _positions(session: Session, _: Any) -> None:
    session.subscriptions.positions = True
    for position in session.gateway.exchange.positions():
        session.send(encode.position(position))
    session.send(encode.position_end())


def _cancel_positions(session: Session, _: Any) -> None:
    session.subscriptions.positions = False


def _is_full(session: Session, req_id: int, feeds: Sized, limit: int) -> bool:
    """Refuse a subscription beyond a limit no honest client reaches."""
    if len(feeds) < limit:
        return False
    session.error(req_id, Code.PROCESSING, codes.processing("Maximum number of requests exceeded"))
    return True


def _positions_multi(session: Session, request: ByAccount) -> None:
    limit = session.gateway.settings.account_feeds_max
    if _is_full(session, request.req_id, session.subscriptions.positions_multi, limit):
        return
    session.subscriptions.positions_multi[request.req_id] = request.account
    for position in session.gateway.exchange.positions():
        if request.account in ("", position.account):
            session.send(encode.position_multi(request.req_id, position))
    session.send(encode.position_multi_end(request.req_id))


def _cancel_positions_multi(session: Session, request: ById) -> None:
    session.subscriptions.positions_multi.pop(request.req_id, None)


def _summary(session: Session, request: AccountSummary) -> None:
    summaries = session.subscriptions.summaries
    if request.req_id in summaries:
        session.error(request.req_id, Code.PROCESSING, codes.processing("Duplicate ticker id"))
        return
    if len(summaries) >= session.gateway.settings.summaries_max:
        cause = "Maximum number of account summary requests exceeded"
        session.error(request.req_id, Code.PROCESSING, codes.processing(cause))
        return
    tags = frozenset(tag.strip() for tag in request.tags.split(",") if tag.strip())
    ledger = any(tag.startswith("$LEDGER") for tag in tags)
    feed = RowFeed(req_id=request.req_id, account=request.group, keys=tags, ledger=ledger)
    if request.group not in ("", "All", *session.gateway.exchange.accounts()):
        session.error(request.req_id, Code.VALIDATING, codes.validating("Unified group is invalid"))
        return
    summaries[request.req_id] = feed
    accounts.send_summary(session, feed, end=True)


def _cancel_summary(session: Session, request: ById) -> None:
    session.subscriptions.summaries.pop(request.req_id, None)


def _account_multi(session: Session, request: AccountUpdatesMulti) -> None:
    account = _account_or_only(session, request.account)
    if account is None:
        session.error(request.req_id, Code.VALIDATING, codes.validating("Invalid account code"))
        return
    limit = session.gateway.settings.account_feeds_max
    if _is_full(session, request.req_id, session.subscriptions.account_multi, limit):
        return
    feed = RowFeed(
        req_id=request.req_id,
        account=account,
        keys=NLV_KEYS if request.ledger_and_nlv else None,
        ledger=request.ledger_and_nlv,
    )
    session.subscriptions.account_multi[request.req_id] = feed
    accounts.send_multi(session, feed, end=True)


def _cancel_account_multi(session: Session, request: ById) -> None:
    session.subscriptions.account_multi.pop(request.req_id, None)


def _pnl(session: Session, request: ByAccount) -> None:
    _start_pnl(session, req_id=request.req_id, account=request.account, con_id=None)


def _pnl_single(session: Session, request: PnlSingle) -> None:
    _start_pnl(session, req_id=request.req_id, account=request.account, con_id=request.con_id)


def _start_pnl(session: Session, *, req_id: int, account: str, con_id: int | None) -> None:
    exchange = session.gateway.exchange
    if account not in exchange.accounts():
        session.error(req_id, Code.VALIDATING, codes.validating("Invalid account code"))
        return
    if con_id is not None and exchange.position_pnl(account=account, con_id=con_id) is None:
        session.error(req_id, Code.INVALID_POSITION, codes.INVALID_POSITION_TEXT)
    limit = session.gateway.settings.pnl_feeds_max
    if _is_full(session, req_id, session.subscriptions.pnls, limit):
        return
    feed = PnlFeed(req_id=req_id, account=account, con_id=con_id)
    session.subscriptions.pnls[req_id] = feed
    accounts.send_pnl(session, feed)


def _cancel_pnl(session: Session, request: ById) -> None:
    if session.subscriptions.pnls.pop(request.req_id, None) is None:
        session.error(request.req_id, 10186, "Can't cancel PnL request: not found")


HANDLERS: dict[Incoming, Handler] = {
    Incoming.REQ_ACCOUNT_UPDATES: _account_updates,
    Incoming.REQ_POSITIONS: _positions,
    Incoming.CANCEL_POSITIONS: _cancel_positions,
    Incoming.REQ_POSITIONS_MULTI: _positions_multi,
    Incoming.CANCEL_POSITIONS_MULTI: _cancel_positions_multi,
    Incoming.REQ_ACCOUNT_SUMMARY: _summary,
    Incoming.CANCEL_ACCOUNT_SUMMARY: _cancel_summary,
    Incoming.REQ_ACCOUNT_UPDATES_MULTI: _account_multi,
    Incoming.CANCEL_ACCOUNT_UPDATES_MULTI: _cancel_account_multi,
    Incoming.REQ_PNL: _pnl,
    Incoming.CANCEL_PNL: _cancel_pnl,
    Incoming.REQ_PNL_SINGLE: _pnl_single,
    Incoming.CANCEL_PNL_SINGLE: _cancel_pnl,
}

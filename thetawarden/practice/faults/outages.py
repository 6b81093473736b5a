"""What breaks behind the gateway while its sockets stay open (N08 to N12, N15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import added
from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.handlers.table import HANDLERS
from thetawarden.practice.gateway.seams import Entitlement
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.gateway.session import Session

LOST_TEXT = "Connectivity between IBKR and Trader Workstation has been lost."
RESTORED_TEXT = "Connectivity between IBKR and Trader Workstation has been restored"
SERVER_LOST_TEXT = (
    "Connectivity between Trader Workstation and server is broken. "
    "It will be restored automatically."
)
LOST, DATA_LOST, DATA_KEPT, SERVER_LOST = 1100, 1101, 1102, 2110
FARM_BROKEN, HISTORY_BROKEN, DEFINITION_BROKEN = 2103, 2105, 2157
LIVE_UPDATES_FAILED = 10182
_ORDERS = frozenset({Incoming.PLACE_ORDER, Incoming.CANCEL_ORDER, Incoming.GLOBAL_CANCEL})
_HISTORY = frozenset({Incoming.REQ_HISTORICAL_DATA, Incoming.REQ_HISTORICAL_TICKS})


@fault("N08", "connectivity-lost", "1100: orders wait, quotes stop; 1102 when it ends")
def connectivity_lost(stage: Stage) -> Undo:
    """The gateway loses its servers; answers to orders come late, when it finds them again."""
    return _outage(stage, keeps_data=True)


@fault("N09", "data-lost", "1100, and when it ends 1101: every subscription is gone")
def data_lost(stage: Stage) -> Undo:
    """The same, but clients have to subscribe anew."""
    return _outage(stage, keeps_data=False)


@fault("N10", "data-kept", "1100 at once followed by 1102: subscriptions live on")
def data_kept(stage: Stage) -> None:
    """A blip."""
    _outage(stage, keeps_data=True)()


def _outage(stage: Stage, *, keeps_data: bool) -> Undo:
    held: list[tuple[Session, Incoming, Any]] = []

    def hold(session: Session, incoming: Incoming, request: Any) -> bool:
        if incoming in _ORDERS:
            held.append((session, incoming, request))
        return incoming in _ORDERS

    stage.notice(LOST, LOST_TEXT)
    stage.seams.freeze_quotes = True
    remove = added(stage.seams.requests, hold)

    def undo() -> None:
        remove()
        stage.seams.freeze_quotes = False
        if keeps_data:
            farms = "; ".join(stage.gateway.settings.farms)
            text = f" - data maintained. All data farms are connected: {farms}."
            stage.notice(DATA_KEPT, RESTORED_TEXT + text)
        else:
            stage.notice(DATA_LOST, f"{RESTORED_TEXT} - data lost.")
            for session in stage.sessions():
                end_data(stage, session)
        for session, incoming, request in held:
            if session.alive:
                HANDLERS[incoming](session, request)

    return undo


def end_data(stage: Stage, session: Session) -> None:
    """Forget a client's market data subscriptions without telling it."""
    stage.gateway.quotes.drop(session)
    subscriptions = session.subscriptions
    for req_id in subscriptions.kept_bars:
        text = "Failed to request live updates (disconnected)."
        session.error(req_id, LIVE_UPDATES_FAILED, text)
    subscriptions.kept_bars.clear()
    subscriptions.ticks.clear()
    subscriptions.realtime_bars.clear()
    subscriptions.books.clear()


@fault("N11", "competing-session", "10197 on every line: another login took the market data")
def competing_session(stage: Stage) -> Undo:
    """End all lines and refuse new ones."""
    stage.seams.entitlement = Entitlement.COMPETING
    for session in stage.sessions():
        for req_id in list(session.subscriptions.lines):
            session.error(req_id, Code.COMPETING, codes.COMPETING_TEXT)
        stage.gateway.quotes.drop(session)

    def undo() -> None:
        stage.seams.entitlement = Entitlement.LIVE

    return undo


@fault("N12", "pacing", "the next requests are refused for pacing: 100, history 162, bars 420")
def pacing(stage: Stage, *, count: int = 5) -> Undo:
    """Refuse so many requests, whatever they are."""
    left = count

    def refuse(session: Session, incoming: Incoming, request: Any) -> bool:
        nonlocal left
        if left <= 0:
            return False
        left -= 1
        req_id = getattr(request, "req_id", -1)
        if incoming in _HISTORY:
            text = codes.history("Historical data request pacing violation")
            session.error(req_id, Code.HISTORY, text)
        elif incoming is Incoming.REQ_REALTIME_BARS:
            session.error(req_id, 420, "Invalid Real-time Query:Historical data request pacing")
        else:
            session.notice(Code.RATE_EXCEEDED, codes.RATE_EXCEEDED_TEXT)
        return True

    return added(stage.seams.requests, refuse)


@fault("N15", "backend-down", "2110 and every farm broken: sockets live, nothing behind them")
def backend_down(stage: Stage) -> Undo:
    """Break all data farms until ended."""
    settings = stage.gateway.settings
    stage.notice(SERVER_LOST, SERVER_LOST_TEXT)
    for farm in settings.farms:
        stage.notice(FARM_BROKEN, f"Market data farm connection is broken:{farm}")
    farm = settings.history_farm
    stage.notice(HISTORY_BROKEN, f"HMDS data farm connection is broken:{farm}")
    farm = settings.definition_farm
    stage.notice(DEFINITION_BROKEN, f"Sec-def data farm connection is broken:{farm}")
    stage.seams.freeze_quotes = True

    def refuse(session: Session, incoming: Incoming, request: Any) -> bool:
        if incoming in _HISTORY:
            cause = codes.history("Trading TWS session is not connected")
            session.error(request.req_id, Code.HISTORY, cause)
        return incoming in _HISTORY

    remove = added(stage.seams.requests, refuse)

    def undo() -> None:
        remove()
        stage.seams.freeze_quotes = False
        for session in stage.sessions():
            stage.gateway.announce_farms(session)

    return undo

"""Corporate events as documents: the shape clients of the event calendar and of reports parse."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import msgspec

from thetawarden.practice.model import CorporateEventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from thetawarden.practice.model import ContractDetails, CorporateEvent

TYPES = {
    CorporateEventKind.EARNINGS: "wshe_ed",
    CorporateEventKind.DIVIDEND: "wshe_div",
    CorporateEventKind.SPLIT: "wshe_spl",
}


def meta() -> str:
    """Return which kinds of events exist."""
    rows = [
        {"name": kind.value, "tag": tag, "metas": [{"tag": "conid", "type": "int"}]}
        for kind, tag in TYPES.items()
    ]
    return msgspec.json.encode({"meta_data": {"event_types": rows}}).decode()


def document(events: Iterable[CorporateEvent]) -> str:
    """Return events as the calendar's JSON list."""
    return msgspec.json.encode([_event(event) for event in events]).decode()


def _event(event: CorporateEvent) -> dict[str, object]:
    day = f"{event.day:%Y%m%d}"
    status = "CONFIRMED" if event.confirmed else "UNCONFIRMED"
    data: dict[str, object] = {"status": status}
    match event.kind:
        case CorporateEventKind.EARNINGS:
            data |= {"earnings_date": day, "time_of_day": _time_of_day(event.time_of_day)}
        case CorporateEventKind.DIVIDEND:
            data |= {"ex_date": day, "amount": event.amount_usd}
        case CorporateEventKind.SPLIT:
            ratio = f"{event.split_new_shares}:{event.split_old_shares}"
            data |= {"effective_date": day, "ratio": ratio}
    return {
        "event_type": TYPES[event.kind],
        "conid": event.con_id,
        "index_date": day,
        "data": data,
    }


def _time_of_day(text: str) -> str:
    return {"BMO": "BEFORE MARKET", "AMC": "AFTER MARKET"}.get(text, "UNSPECIFIED")


def calendar_report(details: ContractDetails, events: Iterable[CorporateEvent]) -> str:
    """Return the CalendarReport of a company."""
    rows = "".join(
        f"<Event type={quoteattr(event.kind.value)} date={quoteattr(f'{event.day:%Y-%m-%d}')}"
        f" time={quoteattr(event.time_of_day)} confirmed={quoteattr(str(event.confirmed))}/>"
        for event in events
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><CalendarReport>'
        f"<Company symbol={quoteattr(details.contract.symbol)}"
        f" name={quoteattr(details.long_name)}>{rows}</Company></CalendarReport>"
    )

"""Which message id is read into which request: all a client can say, in one table."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, TypeAlias

from thetawarden.practice.model import ContractQuery
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.reader import FieldReader, MalformedError
from thetawarden.practice.wire.requests import simple, special
from thetawarden.practice.wire.requests.contracts import contract12
from thetawarden.practice.wire.requests.order import place_order

if typing.TYPE_CHECKING:
    import msgspec

Decoder: TypeAlias = Callable[[FieldReader], Any]

_READERS: dict[Any, Decoder] = {
    int: lambda reader: reader.integer(),
    int | None: lambda reader: reader.optional_int(),
    float | None: lambda reader: reader.optional_float(),
    str: lambda reader: reader.text(),
    bool: lambda reader: reader.flag(),
    ContractQuery: contract12,
}


def _layout(struct: type[msgspec.Struct], *, versioned: bool) -> Decoder:
    """Return a decoder that reads a request's attributes in order, after its version number."""
    hints = typing.get_type_hints(struct)
    readers = tuple(_READERS[hints[name]] for name in struct.__struct_fields__)

    def decode_fields(reader: FieldReader) -> Any:
        if versioned:
            reader.skip()
        return struct(*[read(reader) for read in readers])

    return decode_fields


def _versioned(struct: type[msgspec.Struct]) -> Decoder:
    return _layout(struct, versioned=True)


def _bare(struct: type[msgspec.Struct]) -> Decoder:
    return _layout(struct, versioned=False)


def _nothing(_: FieldReader) -> simple.Nothing:
    return simple.Nothing()


DECODERS: dict[Incoming, Decoder] = {
    Incoming.REQ_MKT_DATA: special.market_data,
    Incoming.CANCEL_MKT_DATA: _versioned(simple.ById),
    Incoming.CANCEL_ORDER: _versioned(simple.CancelOrder),
    Incoming.REQ_OPEN_ORDERS: _nothing,
    Incoming.REQ_ACCOUNT_UPDATES: _versioned(simple.AccountUpdates),
    Incoming.REQ_EXECUTIONS: _versioned(simple.Executions),
    Incoming.REQ_IDS: _nothing,
    Incoming.REQ_CONTRACT_DETAILS: _versioned(simple.ContractDetailsFor),
    Incoming.REQ_MKT_DEPTH: _versioned(simple.MarketDepth),
    Incoming.CANCEL_MKT_DEPTH: _versioned(simple.ById),
    Incoming.REQ_NEWS_BULLETINS: _versioned(simple.Switch),
    Incoming.CANCEL_NEWS_BULLETINS: _nothing,
    Incoming.SET_SERVER_LOG_LEVEL: _versioned(simple.Number),
    Incoming.REQ_AUTO_OPEN_ORDERS: _versioned(simple.Switch),
    Incoming.REQ_ALL_OPEN_ORDERS: _nothing,
    Incoming.REQ_MANAGED_ACCOUNTS: _nothing,
    Incoming.REQ_FA: _versioned(simple.Number),
    Incoming.REPLACE_FA: _versioned(simple.Number),
    Incoming.REQ_HISTORICAL_DATA: special.historical_data,
    Incoming.EXERCISE_OPTIONS: special.exercise,
    Incoming.REQ_SCANNER: _bare(simple.Scanner),
    Incoming.CANCEL_SCANNER: _versioned(simple.ById),
    Incoming.REQ_SCANNER_PARAMETERS: _nothing,
    Incoming.CANCEL_HISTORICAL_DATA: _versioned(simple.ById),
    Incoming.REQ_CURRENT_TIME: _nothing,
    Incoming.REQ_REALTIME_BARS: _versioned(simple.RealTimeBars),
    Incoming.CANCEL_REALTIME_BARS: _versioned(simple.ById),
    Incoming.REQ_FUNDAMENTAL_DATA: special.fundamental_data,
    Incoming.CANCEL_FUNDAMENTAL_DATA: _versioned(simple.ById),
    Incoming.CALC_IMPLIED_VOLATILITY: _versioned(simple.ImpliedVolatility),
    Incoming.CALC_OPTION_PRICE: _versioned(simple.OptionPrice),
    Incoming.CANCEL_CALC_IMPLIED_VOLATILITY: _versioned(simple.ById),
    Incoming.CANCEL_CALC_OPTION_PRICE: _versioned(simple.ById),
    Incoming.GLOBAL_CANCEL: _nothing,
    Incoming.REQ_MARKET_DATA_TYPE: _versioned(simple.Number),
    Incoming.REQ_POSITIONS: _nothing,
    Incoming.REQ_ACCOUNT_SUMMARY: _versioned(simple.AccountSummary),
    Incoming.CANCEL_ACCOUNT_SUMMARY: _versioned(simple.ById),
    Incoming.CANCEL_POSITIONS: _nothing,
    Incoming.START_API: _versioned(simple.StartApi),
    Incoming.REQ_POSITIONS_MULTI: _versioned(simple.ByAccount),
    Incoming.CANCEL_POSITIONS_MULTI: _versioned(simple.ById),
    Incoming.REQ_ACCOUNT_UPDATES_MULTI: _versioned(simple.AccountUpdatesMulti),
    Incoming.CANCEL_ACCOUNT_UPDATES_MULTI: _versioned(simple.ById),
    Incoming.REQ_SEC_DEF_OPT_PARAMS: _bare(simple.OptionParameters),
    Incoming.REQ_SOFT_DOLLAR_TIERS: _bare(simple.ById),
    Incoming.REQ_FAMILY_CODES: _nothing,
    Incoming.REQ_MATCHING_SYMBOLS: _bare(simple.MatchingSymbols),
    Incoming.REQ_MKT_DEPTH_EXCHANGES: _nothing,
    Incoming.REQ_SMART_COMPONENTS: _bare(simple.SmartComponents),
    Incoming.REQ_NEWS_ARTICLE: _bare(simple.NewsArticleFor),
    Incoming.REQ_NEWS_PROVIDERS: _nothing,
    Incoming.REQ_HISTORICAL_NEWS: _bare(simple.HistoricalNews),
    Incoming.REQ_HEAD_TIMESTAMP: _bare(simple.HeadTimestamp),
    Incoming.REQ_HISTOGRAM_DATA: _bare(simple.Histogram),
    Incoming.CANCEL_HISTOGRAM_DATA: _bare(simple.ById),
    Incoming.CANCEL_HEAD_TIMESTAMP: _bare(simple.ById),
    Incoming.REQ_MARKET_RULE: _bare(simple.Number),
    Incoming.REQ_PNL: _bare(simple.ByAccount),
    Incoming.CANCEL_PNL: _bare(simple.ById),
    Incoming.REQ_PNL_SINGLE: _bare(simple.PnlSingle),
    Incoming.CANCEL_PNL_SINGLE: _bare(simple.ById),
    Incoming.REQ_HISTORICAL_TICKS: _bare(simple.HistoricalTicks),
    Incoming.REQ_TICK_BY_TICK: _bare(simple.TickByTick),
    Incoming.CANCEL_TICK_BY_TICK: _bare(simple.ById),
    Incoming.REQ_COMPLETED_ORDERS: _bare(simple.Switch),
    Incoming.REQ_WSH_META: _bare(simple.ById),
    Incoming.CANCEL_WSH_META: _bare(simple.ById),
    Incoming.REQ_WSH_EVENTS: _bare(simple.WshEvents),
    Incoming.CANCEL_WSH_EVENTS: _bare(simple.ById),
    Incoming.REQ_USER_INFO: _bare(simple.ById),
}


def decode(payload: bytes, *, client_id: int, version: int) -> tuple[Incoming, Any]:
    """Return a message's id and request. Raises MalformedError, and nothing else."""
    reader = FieldReader(payload)
    number = reader.integer(-1)
    try:
        incoming = Incoming(number)
    except ValueError:
        raise MalformedError(field=0, found=str(number), wanted="a known message id") from None
    if incoming is Incoming.PLACE_ORDER:
        return incoming, place_order(reader, client_id=client_id, version=version)
    return incoming, DECODERS[incoming](reader)

"""Finds contracts from what a client wrote about them, which may be little."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from thetawarden.domain.market.contracts import OptionContract, Right
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.market.products import FUTURES
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.ids import OptionTerms, future_con_id, option_con_id
from thetawarden.practice.market.roster import (
    CLASSES,
    UNDERLYINGS,
    VOL_INDEX_NAMES,
    VolIndex,
    classes_on,
    con_id_of,
)
from thetawarden.practice.model import ContractDetails, ContractQuery

_FUTURE_ALIASES = {"VX": "VIX"}


class Lookup:
    """Answers contract queries against the catalog of a day."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def find(self, query: ContractQuery, now_ns: int) -> tuple[ContractDetails, ...]:
        """Return every unexpired contract that fits, in order of expiry, strike and right."""
        if not query.con_id and not query.local_symbol and query.sec_type in {"OPT", ""}:
            candidates = self._options(query, now_ns)
        else:
            known = (self._catalog.details(one, now_ns) for one in self._ids(query, now_ns))
            candidates = (one for one in known if one is not None)
        fitting = (one for one in candidates if _fits(one, query))
        return tuple(_at_exchange(one, query.exchange) for one in fitting)

    def search(self, pattern: str, now_ns: int) -> tuple[ContractDetails, ...]:
        """Return underlyings by symbol or name: exact, then beginning, then containing."""
        wanted = pattern.strip().upper()
        ranked = sorted(
            (rank, symbol)
            for symbol, name in _names().items()
            if (rank := _rank(wanted, symbol, name)) is not None
        )
        found = (self._catalog.details(con_id_of(symbol), now_ns) for _, symbol in ranked)
        return tuple(one for one in found if one is not None)

    def _ids(self, query: ContractQuery, now_ns: int) -> Iterator[int]:
        if query.con_id:
            yield from self._named(query, now_ns)
        elif query.sec_type in {"STK", "IND"}:
            symbol = query.symbol or query.local_symbol
            if symbol in _names():
                yield con_id_of(symbol)
        elif query.sec_type == "FUT":
            yield from self._future_ids(query, now_ns)
        elif query.local_symbol:
            yield from _from_symbol(query.local_symbol)

    def _named(self, query: ContractQuery, now_ns: int) -> Iterator[int]:
        details = self._catalog.details(query.con_id, now_ns)
        if details is not None and self._catalog.is_live(details.contract, now_ns):
            yield query.con_id

    def _future_ids(self, query: ContractQuery, now_ns: int) -> Iterator[int]:
        symbol = _FUTURE_ALIASES.get(query.symbol, query.symbol)
        for product in FUTURES.values():
            if symbol and product.symbol != symbol:
                continue
            for month in self._catalog.futures(product.symbol, now_ns):
                yield future_con_id(product.symbol, year=month.year, month=month.month)

    def _options(self, query: ContractQuery, now_ns: int) -> Iterator[ContractDetails]:
        for terms in classes_on(query.symbol):
            if query.trading_class and query.trading_class != terms.trading_class:
                continue
            for expiry in self._catalog.expiries(terms, now_ns):
                if f"{expiry:%Y%m%d}".startswith(query.expiry[:8]):
                    yield from self._expiry(query, terms.trading_class, expiry, now_ns)

    def _expiry(
        self, query: ContractQuery, trading_class: str, expiry: dt.date, now_ns: int
    ) -> Iterator[ContractDetails]:
        strikes: tuple[float, ...] = self._catalog.strikes(trading_class, expiry, now_ns)
        if query.strike:
            strikes = tuple(one for one in strikes if abs(one - query.strike) < 1e-6)
        for strike in strikes:
            for right in ("C", "P"):
                if query.right in {"", right}:
                    terms = OptionTerms(
                        trading_class=trading_class,
                        expiry=expiry,
                        strike=strike,
                        is_put=right == "P",
                    )
                    yield self._catalog.option(terms, now_ns)


def _from_symbol(symbol: str) -> Iterator[int]:
    named = parse_occ(symbol)
    if isinstance(named, OptionContract) and named.trading_class in CLASSES:
        yield option_con_id(
            OptionTerms(
                trading_class=named.trading_class,
                expiry=named.expiry,
                strike=float(named.strike),
                is_put=named.right is Right.PUT,
            )
        )


def _fits(details: ContractDetails, query: ContractQuery) -> bool:
    contract = details.contract
    expiry = "" if contract.expiry is None else f"{contract.expiry:%Y%m%d}"
    asked: tuple[tuple[str, str], ...] = (
        (query.sec_type, contract.sec_type.value),
        (query.currency, contract.currency),
        (query.trading_class, contract.trading_class),
        (query.local_symbol, contract.local_symbol),
        (query.right, contract.right),
        (query.multiplier, "" if contract.multiplier == 1 else str(contract.multiplier)),
        (query.primary_exchange, contract.primary_exchange),
    )
    if query.con_id:
        asked = asked[:2]
    elif query.symbol and query.symbol not in {contract.symbol, contract.trading_class}:
        return False
    if any(said and is_ and said != is_ for said, is_ in asked):
        return False
    if query.expiry and not query.con_id and not expiry.startswith(query.expiry[:8]):
        return False
    exchange = query.exchange
    return exchange in {"", "SMART"} or exchange in details.valid_exchanges


def _at_exchange(details: ContractDetails, exchange: str) -> ContractDetails:
    if exchange in {"", details.contract.exchange} or exchange not in details.valid_exchanges:
        return details
    contract = msgspec.structs.replace(details.contract, exchange=exchange)
    return msgspec.structs.replace(details, contract=contract)


def _names() -> dict[str, str]:
    names = {one.symbol: one.name for one in UNDERLYINGS.values()}
    return names | {index.value: VOL_INDEX_NAMES[index] for index in VolIndex}


def _rank(wanted: str, symbol: str, name: str) -> int | None:
    if wanted == symbol:
        return 0
    if symbol.startswith(wanted):
        return 1
    if name.upper().startswith(wanted):
        return 2
    return 3 if wanted in name.upper() else None

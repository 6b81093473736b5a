"""Judges whether a machine, a folder and a gateway are fit for a desk, each with a remedy.

Pure: facts in, findings out; who gathers them is `infra/preflight`. Unknown is not well: what could
not be looked at is a warning, and a failure where the desk could not run without it.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.link.admission import (
    TESTED_VERSIONS,
    Terms,
    judge_gateway,
    masked,
    our_account,
)

PYTHON_MIN = (3, 11)
GIB = 1024**3
DISK_WELL_BYTES = 5 * GIB
CLOCK_WELL_S, CLOCK_MAX_S = 2.0, 10.0
FILES_MIN = 1024


class Verdict(enum.StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, what was found, and what to do about it; no remedy when it is well."""

    check: str
    verdict: Verdict
    found: str
    remedy: str = ""


class DataKind(enum.StrEnum):
    """What the broker lets us see of prices."""

    LIVE = "live"
    DELAYED = "delayed"
    REFUSED = "refused"
    SILENT = "silent"


class GatewayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway told of itself; `clock_ahead_s` is how far its clock is before ours."""

    server_version: int
    accounts: tuple[str, ...]
    clock_ahead_s: float | None
    data: DataKind
    data_words: str = ""


def judge_python(version: tuple[int, int, int]) -> Finding:
    """Return whether this Python will do."""
    found = ".".join(str(part) for part in version)
    if version[:2] < PYTHON_MIN:
        return _fail("python", found, "install Python 3.11 or newer and set up again")
    return _ok("python", found)


def judge_packages(
    *, installed: dict[str, str], wanted: tuple[str, ...], tested: dict[str, str]
) -> Finding:
    """Return whether all that is needed is there, in the versions it was tested with."""
    missing = [name for name in wanted if name not in installed]
    if missing:
        return _fail("packages", f"missing: {', '.join(missing)}", "install again: pip install .")
    strange = [
        f"{name} {installed[name]} (tested: {tested[name]})"
        for name in wanted
        if name in tested and tested[name] != installed[name]
    ]
    if strange:
        remedy = "pip install --constraint constraints.txt ."
        return _warn("packages", "; ".join(strange), remedy)
    return _ok("packages", f"{len(wanted)} needed, all there")


def judge_clock(*, synchronised: bool | None) -> Finding:
    """Return whether the system keeps its clock right by itself."""
    if synchronised is None:
        return _warn("clock", "the system does not tell whether it is kept right", _CLOCK)
    if not synchronised:
        return _warn("clock", "not synchronised, says the kernel", _CLOCK)
    return _ok("clock", "synchronised")


def judge_disk(*, free_bytes: int, reserve_bytes: int) -> Finding:
    """Return whether a day's messages and tables fit, besides the reserve."""
    found = f"{free_bytes / GIB:.1f} GiB free"
    if free_bytes < 2 * reserve_bytes:
        return _fail("disk", found, "free some space, or name another --data-dir")
    if free_bytes < DISK_WELL_BYTES:
        return _warn("disk", found, "free some space: a busy day writes a few GiB")
    return _ok("disk", found)


def judge_files(limit: int) -> Finding:
    """Return whether enough files may be open at once."""
    if limit < FILES_MIN:
        return _warn("open files", f"{limit} allowed", f"raise it: ulimit -n {FILES_MIN}")
    return _ok("open files", f"{limit} allowed")


def judge_gateway_facts(facts: GatewayFacts, terms: Terms) -> tuple[Finding, ...]:
    """Return what is to be said of a gateway that answered."""
    return (
        _version(facts, terms),
        _account(facts, terms),
        _skew(facts.clock_ahead_s),
        _data(facts),
    )


def _version(facts: GatewayFacts, terms: Terms) -> Finding:
    refusal = judge_gateway(
        terms=terms, server_version=facts.server_version, accounts=facts.accounts
    )
    if refusal is not None and refusal.words.startswith("server version"):
        return _fail("gateway version", refusal.words, "install the stable IB Gateway or TWS")
    return _ok("gateway version", f"server version {facts.server_version}")


def _account(facts: GatewayFacts, terms: Terms) -> Finding:
    refusal = judge_gateway(
        terms=terms, server_version=TESTED_VERSIONS[-1], accounts=facts.accounts
    )
    if refusal is not None:
        remedy = "log the gateway in to the account that is meant, or mend mode and broker.account"
        return _fail("account", refusal.words, remedy)
    kind = "real money" if terms.real_money else "paper"
    return _ok("account", f"{masked(our_account(terms, facts.accounts))}, {kind}")


def _skew(ahead_s: float | None) -> Finding:
    if ahead_s is None:
        return _warn("broker's clock", "the gateway did not tell its time", "look again")
    found = f"{ahead_s:+.1f} s against ours"
    if abs(ahead_s) > CLOCK_MAX_S:
        return _fail("broker's clock", found, _CLOCK)
    if abs(ahead_s) > CLOCK_WELL_S:
        return _warn("broker's clock", found, _CLOCK)
    return _ok("broker's clock", found)


def _data(facts: GatewayFacts) -> Finding:
    name, words = "market data", facts.data_words
    match facts.data:
        case DataKind.LIVE:
            return _ok(name, words or "live")
        case DataKind.DELAYED:
            remedy = "subscribe to it in the broker's account management; nothing is opened on it"
            return _warn(name, words or "delayed only", remedy)
        case DataKind.REFUSED:
            remedy = "subscribe to US equities and options and share the data with the paper user"
            return _fail(name, words or "refused", remedy)
        case DataKind.SILENT:
            return _warn(name, words or "nothing came", "look again while the market is open")


def _ok(check: str, found: str) -> Finding:
    return Finding(check=check, verdict=Verdict.OK, found=found)


def _warn(check: str, found: str, remedy: str) -> Finding:
    return Finding(check=check, verdict=Verdict.WARN, found=found, remedy=remedy)


def _fail(check: str, found: str, remedy: str) -> Finding:
    return Finding(check=check, verdict=Verdict.FAIL, found=found, remedy=remedy)


_CLOCK = "let it be kept right: systemctl enable --now chrony, or systemd-timesyncd"

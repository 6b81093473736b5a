"""Decides whether the gateway that answered is one we may trade through.

The versions are those our tests run against. Practice and paper money carries account numbers that
begin with DU or DF; nothing else is accepted there, and none of those where real money is meant.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.link.states import LinkTrouble

TESTED_VERSIONS = (176, 177, 178)
PAPER_PREFIXES = ("DU", "DF")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says of the account; `real_money` is true in mode live alone."""

    real_money: bool
    account: str = ""
    i_mean_live: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Why we may not trade through it."""

    trouble: LinkTrouble
    words: str


def judge_gateway(
    *, terms: Terms, server_version: int, accounts: tuple[str, ...]
) -> Refusal | None:
    """Return why this gateway is refused, None when it is the one that is meant."""
    if server_version not in TESTED_VERSIONS:
        allowed = ", ".join(str(one) for one in TESTED_VERSIONS)
        words = f"server version is {server_version}, allowed are {allowed}: tested with no other"
        return Refusal(LinkTrouble.WRONG_VERSION, words)
    fault = _real_fault(terms, accounts) if terms.real_money else _paper_fault(terms, accounts)
    return None if fault is None else Refusal(LinkTrouble.WRONG_ACCOUNT, fault)


def our_account(terms: Terms, accounts: tuple[str, ...]) -> str:
    """Return the account that is traded: the configured one, else the only one there is."""
    return terms.account or next(iter(accounts), "")


def _paper_fault(terms: Terms, accounts: tuple[str, ...]) -> str | None:
    if not accounts:
        return "the gateway names no account"
    strange = [one for one in accounts if not one.startswith(PAPER_PREFIXES)]
    if strange:
        shown = ", ".join(masked(one) for one in strange)
        return f"account {shown} is no paper account; allowed here are DU… and DF… only"
    if terms.account and terms.account not in accounts:
        return f"account {masked(terms.account)} is not among those of the gateway"
    if not terms.account and len(accounts) > 1:
        return f"the gateway has {len(accounts)} accounts; set broker.account to the one meant"
    return None


def _real_fault(terms: Terms, accounts: tuple[str, ...]) -> str | None:
    if not terms.i_mean_live or not terms.account:
        return "real money needs broker.account and broker.i_mean_live: true"
    if terms.account.startswith(PAPER_PREFIXES):
        return f"account {masked(terms.account)} is a paper account, and mode is live"
    if terms.account not in accounts:
        return f"account {masked(terms.account)} is not among those of the gateway"
    return None


def masked(account: str) -> str:
    """Return an account number as it may be shown: its prefix and its last two digits."""
    return f"{account[:2]}…{account[-2:]}" if len(account) > 4 else "…"

"""Names the states of the link and the ways in which it fails."""

from __future__ import annotations

import enum


class LinkState(enum.StrEnum):
    """Where the link stands; only READY lets entries through."""

    DOWN = "down"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    READY = "ready"
    CUT_OFF = "cut_off"
    COMPETING = "competing"
    REFUSED = "refused"


class LinkTrouble(enum.StrEnum):
    """Why there is no link, or not the one that was wanted."""

    UNREACHABLE = "unreachable"
    CLOSED_BY_PEER = "closed_by_peer"
    CLOSED_BY_US = "closed_by_us"
    SILENT = "silent"
    TOO_SLOW = "too_slow"
    GARBLED = "garbled"
    CLIENT_ID_TAKEN = "client_id_taken"
    WRONG_VERSION = "wrong_version"
    WRONG_ACCOUNT = "wrong_account"

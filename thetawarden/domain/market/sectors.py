"""Names the sectors of well-known companies, and the funds and indices that are a whole market.

Data, no decisions. Sectors are those of the Global Industry Classification Standard. A company
nobody has listed is of the sector UNKNOWN, in which all such count as alike.
"""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "unknown"
BROAD: Final = ("SPX", "XSP", "SPY", "NDX", "QQQ", "RUT", "IWM", "DJX", "DIA", "VIX", "ES")
"""What tracks a whole market: no single name, of no sector."""
BENCHMARK_LIKE: Final = ("SPX", "XSP", "SPY", "ES")
"""What is the benchmark itself under another name."""

_MEMBERS: Final = {
    "technology": "AAPL MSFT NVDA AMD AVGO ORCL CRM ADBE INTC CSCO QCOM IBM TXN MU AMAT NOW",
    "communication services": "GOOGL GOOG META NFLX DIS VZ T TMUS CMCSA",
    "consumer discretionary": "AMZN TSLA HD MCD NKE SBUX LOW BKNG TGT F GM",
    "consumer staples": "PG KO WMT PEP COST PM MO CL MDLZ",
    "financials": "JPM BAC WFC GS MS C V MA AXP BLK SCHW BRK",
    "health care": "JNJ UNH PFE LLY ABBV MRK TMO ABT BMY AMGN CVS GILD",
    "energy": "XOM CVX COP SLB EOG OXY",
    "industrials": "BA CAT GE HON UPS RTX LMT DE UNP MMM",
    "materials": "LIN FCX NEM APD",
    "utilities": "NEE DUK SO",
    "real estate": "AMT PLD SPG O",
}
SECTOR_OF: Final = {
    symbol: sector for sector, members in _MEMBERS.items() for symbol in members.split()
}
"""The sector of each company listed here."""


def sector_of(symbol: str) -> str:
    """Return the sector of a company, UNKNOWN when nobody has listed it."""
    return SECTOR_OF.get(symbol, UNKNOWN)

"""Matching, order life, expiry and assignment over a practice market, in the market's time."""

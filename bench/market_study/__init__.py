"""The practice market beside the real one: long-run statistics, a table and charts.

`python -m bench.market_study` (or `make study`) reads the real series from `../shared/data` when
that folder is there, simulates as many years, and writes `docs/practice-market.md` and its images.
"""

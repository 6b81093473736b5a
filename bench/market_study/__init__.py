"""The practice market beside the real one: long-run statistics, a table and charts.

`python -m bench.market_study` (or `make study`) reads the real series from `../shared/data`, or
from the folder THETAWARDEN_MARKET_DATA names, simulates as many years, and writes
`docs/practice-market.md` and its images.
"""

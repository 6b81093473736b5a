"""Series computed from price histories: averages, trend strength, realised volatility, correlation.

Arrays in, arrays of the same length out, oldest first; an element that has no full window behind
it, or a hole or an impossible price in it, is NaN. Nothing here decides what a number means.
"""

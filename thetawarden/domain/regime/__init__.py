"""What the market's state does to size, strike and entry: one file a rule, `assess` for the whole.

Every rule answers with a factor and its reason. Input that is missing, old or no number is never
taken for a quiet market: the factor is zero and names what was wrong.
"""

"""Whether a proposed order may be sent, how large, and why: one file a rule, `review` for all.

Every rule answers with findings that can be read by a person. Factors multiply, the smallest
maximum wins, rounding is down, zero means no trade. What is unknown never counts as harmless.
"""

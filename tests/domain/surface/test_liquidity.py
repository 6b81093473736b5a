"""How easily an option trades, graded and scored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.surface.liquidity import (
    GRADES,
    LiquidityGrade,
    LiquidityScale,
    score_liquidity,
)

SCALE = LiquidityScale()
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


def score(bid, ask, open_interest, volume):
    found = score_liquidity(
        bid_usd=np.array([bid]),
        ask_usd=np.array([ask]),
        open_interest=np.array([open_interest]),
        volume=np.array([volume]),
        scale=SCALE,
    )
    return GRADES[found.grade[0]], found.score[0]


@given(bid=ANY_FLOAT, ask=ANY_FLOAT, open_interest=ANY_FLOAT, volume=ANY_FLOAT)
def test_every_score_lies_between_nothing_and_one(bid, ask, open_interest, volume):
    with np.errstate(all="ignore"):
        grade, found = score(bid, ask, open_interest, volume)

    assert 0.0 <= found <= 1.0
    assert found == 0.0 or grade is not LiquidityGrade.SKIP


@given(
    width=st.floats(0.01, 0.2),
    open_interest=st.floats(100, 5000),
    volume=st.floats(0, 5000),
    better=st.sampled_from(["width", "open_interest", "volume"]),
)
def test_a_better_quote_never_scores_less(width, open_interest, volume, better):
    _, before = score(1.0, 1.0 + width, open_interest, volume)

    improved = {"width": width, "open_interest": open_interest, "volume": volume}
    improved[better] *= 0.5 if better == "width" else 2.0
    _, after = score(1.0, 1.0 + improved["width"], improved["open_interest"], improved["volume"])

    assert after >= before - 1e-12


@pytest.mark.parametrize(
    ("bid", "ask", "open_interest", "grade"),
    [
        (1.00, 1.10, 501, LiquidityGrade.GOOD),
        (1.00, 1.10, 500, LiquidityGrade.ACCEPTABLE),
        (1.00, 1.20, 900, LiquidityGrade.ACCEPTABLE),
        (1.00, 1.20, 99, LiquidityGrade.SKIP),
        (1.00, 1.40, 900, LiquidityGrade.SKIP),
        (0.00, 0.05, 900, LiquidityGrade.SKIP),
    ],
)
def test_the_worse_of_spread_and_open_interest_decides(bid, ask, open_interest, grade):
    assert score(bid, ask, open_interest, 50)[0] is grade

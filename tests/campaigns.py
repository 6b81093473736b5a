"""How much longer the campaigns are than in a run of all tests; `make chaos` asks for it."""

import os

TIMES = int(os.environ.get("THETAWARDEN_TEST_TIMES", "1"))

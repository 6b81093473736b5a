"""What could be sold: one module a strategy, one shape of answer, every reason for and against."""

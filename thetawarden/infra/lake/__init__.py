"""Tables: the only place that knows polars and Delta Lake."""

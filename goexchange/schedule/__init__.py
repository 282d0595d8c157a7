"""Windows with zones, percentiles from history, outage arithmetic: the one evaluator of time."""

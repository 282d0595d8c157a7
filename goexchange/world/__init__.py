"""A simulated Exchange site: pure; clock and disk come in."""

"""Nights in virtual time: the production driver against a simulated site, killed at every boundary."""

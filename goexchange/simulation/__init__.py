"""Nights in virtual time: the production driver against a simulated site, and its kills."""

"""Backup sets: which files belong to one, its manifest, what it can restore."""

"""A run as a machine without I/O: event in, effect out."""

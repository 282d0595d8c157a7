"""The only list of what can be observed, and the way from a host's answers to the actual state."""

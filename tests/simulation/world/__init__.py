"""The simulated site itself, without the product in front of it."""

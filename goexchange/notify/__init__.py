"""Delivery of messages."""

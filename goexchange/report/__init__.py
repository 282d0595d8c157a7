"""Plan and journal as documents for people and machines."""

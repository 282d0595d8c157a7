"""Plain data types; nothing with behaviour beyond checks on creation."""

"""Sessions that take longer than the tests: full counts of the reliability bar."""

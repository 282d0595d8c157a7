"""Arguments, printing, exit codes."""

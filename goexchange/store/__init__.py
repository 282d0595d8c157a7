"""Effects on this machine: files, journal file, leases, outbox, clock, scanning of big files."""

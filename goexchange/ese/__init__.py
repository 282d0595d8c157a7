"""ESE database, log and checkpoint formats on buffers: reading, verifying, writing, rendering."""

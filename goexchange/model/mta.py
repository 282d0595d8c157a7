"""What the message transfer agent (MTA) of Exchange 2003 is called, wherever it is named."""

from __future__ import annotations

MTA_NAME = "MTA"
"""What the queue database of a server's message transfer agent is called in addresses."""
MTA_ID = "6d746100-0000-4000-8000-000000002003"
"""The identity of its records on a host: there is one MTA on a server, and it has no GUID."""
MTA_SERVICE = "MSExchangeMTA"

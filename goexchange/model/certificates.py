"""Certificates of an Exchange server, as Exchange itself describes them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class Certificate:
    """One certificate that Exchange knows of on a server.

    Shape: `services` are those that use it, in Exchange's words (IIS, SMTP, IMAP, POP, ...), none
    for one that nothing uses; `status` is Exchange's own word for it (Valid, DateInvalid, ...).
    """

    thumbprint: str
    subject: str | Unknown
    services: tuple[str, ...] | Unknown
    status: str | Unknown
    expires_at_utc: datetime | Unknown

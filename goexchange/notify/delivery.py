"""One message over one channel of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from goexchange.model.configuration import NotifyChannel, SecretReference
from goexchange.model.notice import Message
from goexchange.notify.failure import DeliveryFailed
from goexchange.notify.other import send_through_apprise
from goexchange.notify.smtp import send_mail
from goexchange.notify.webhook import post

Resolve = Callable[[SecretReference], str]


def deliver(message: Message, channel: NotifyChannel, resolve: Resolve, *, at: datetime) -> str:
    """Send it; words for what became of it.

    Raises: DeliveryFailed; whatever `resolve` raises for a secret that cannot be read.
    """
    if channel.mail is not None:
        if not message.recipients:
            raise DeliveryFailed("nobody is named to mail it to", is_final=True)
        password = None if channel.mail.password is None else resolve(channel.mail.password)
        return send_mail(message, channel.mail, password, at=at)
    assert channel.url is not None
    url = resolve(channel.url)
    if urlsplit(url).scheme.lower() in ("http", "https"):
        return post(message, url)
    return send_through_apprise(message, url)

"""Delivery through apprise: a hundred services, by an address that carries a token."""

from __future__ import annotations

import logging

from goexchange.model.notice import Message
from goexchange.notify.failure import DeliveryFailed


def send_through_apprise(message: Message, url: str) -> str:
    """Send subject and text; words for what became of it.

    Raises: DeliveryFailed; apprise does not say why, so it is always tried again.
    """
    try:
        import apprise
    except ImportError:
        raise DeliveryFailed(
            "the extra 'notify' is not installed: pip install goexchange[notify]"
        ) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold the address
    service = apprise.Apprise()
    if not service.add(url):
        raise DeliveryFailed("apprise does not know the address of the channel", is_final=True)
    kind = (
        apprise.NotifyType.WARNING
        if message.document.get("is_urgent")
        else (apprise.NotifyType.INFO)
    )
    if not service.notify(
        title=message.subject,
        body=message.text,
        notify_type=kind,
        body_format=apprise.NotifyFormat.TEXT,
    ):
        raise DeliveryFailed("the service did not take it")
    return "the service took it"

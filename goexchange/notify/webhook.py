"""Delivery to a program: the message as JSON, posted to an address that may carry a token."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from goexchange.model.notice import Message
from goexchange.notify.failure import DeliveryFailed

TIMEOUT_S = 20.0
_TRY_AGAIN = frozenset({408, 425, 429})


def post(message: Message, url: str) -> str:
    """Post it; words for what the other side said, without the address's path.

    Shape: `Idempotency-Key` is the event's id, the same however often it is sent.
    Raises: DeliveryFailed.
    """
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port or {'https': 443}.get(parts.scheme, 80)}"
        request = urllib.request.Request(
            url,
            data=json.dumps(message.document, ensure_ascii=False).encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "goexchange",
                "Idempotency-Key": message.id,
            },
            method="POST",
        )
    except ValueError:
        raise DeliveryFailed("the address of the channel cannot be used", is_final=True) from None
    try:
        opener = urllib.request.build_opener(
            _NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(65_536)
            return f"{place} answered {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        is_final = 400 <= error.code < 500 and error.code not in _TRY_AGAIN
        raise DeliveryFailed(f"{place} answered {error.code}", is_final=is_final) from None
    except urllib.error.URLError as error:
        raise DeliveryFailed(f"{place} is not reached: {type(error.reason).__name__}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryFailed(f"{place} is not reached: {type(error).__name__}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is not carried to wherever the other side points."""

    def redirect_request(self, *_: object) -> None:
        """Never."""
        return

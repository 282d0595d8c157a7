"""Services that were asked for by name: whether the host has them, and what may be meant by one it
has not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from goexchange.model.actual import AskedService, Service

NEAR_MAX = 3
_CUTOFF = 0.8


def asked_services(names: Sequence[str]) -> dict[str, list[str]]:
    """The argument of observe-host that asks for services; none without a name."""
    return {"services": list(names)} if names else {}


def decode_asked(
    names: Sequence[str], told: Sequence[Mapping[str, Any]]
) -> tuple[AskedService, ...]:
    """Each service that was asked for, by what the host told; Windows does not tell upper from
    lower case.
    """
    found = {each["name"].lower(): each for each in told}
    return tuple(_asked(name, found) for name in names)


def _asked(name: str, found: Mapping[str, Mapping[str, Any]]) -> AskedService:
    plain = found.get(name.lower())
    if plain is None:
        return AskedService(name=name, service=None, near=_near(name, tuple(found.values())))
    service = Service(name=plain["name"], state=plain["state"], start_type=plain["start_type"])
    return AskedService(name=name, service=service)


def _near(name: str, told: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """By its name, or by the name that Windows shows for it."""
    words: dict[str, str] = {}
    for each in told:
        words.setdefault(each["display_name"].lower(), each["name"])
    for each in told:
        words[each["name"].lower()] = each["name"]
    close = get_close_matches(name.lower(), words, n=2 * NEAR_MAX, cutoff=_CUTOFF)
    return tuple(dict.fromkeys(words[each] for each in close))[:NEAR_MAX]

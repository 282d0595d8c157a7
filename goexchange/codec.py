"""Model types to plain JSON values and back; canonical JSON and its digest. The one home of cattrs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import attrs

from goexchange.errors import InvalidDocument
from goexchange.model.unknown import Unknown

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

_CANONICAL = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)
_PLAIN = frozenset((str, int, bool, float, NoneType))


def to_plain(value: object) -> Any:
    """A model value as dicts, lists, strings, numbers, booleans and None.

    Shape: enums by value, times as RFC 3339 UTC with microseconds only when they are not zero,
    unknown values as
    ``{"unknown": reason}``, members of a union of model classes with their class name under
    ``"is"``.
    """
    return _converter().unstructure(value)


def from_plain(kind: type[T], plain: object) -> T:
    """The inverse of `to_plain`. Unknown members are ignored (a newer minor version wrote them).

    Raises: InvalidDocument naming every place that does not fit.
    """
    from cattrs import transform_error
    from cattrs.errors import BaseValidationError

    try:
        return _converter().structure(plain, kind)
    except BaseValidationError as error:
        places = "; ".join(transform_error(error))
        raise InvalidDocument(f"not a valid {kind.__name__}: {places}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidDocument(f"not a valid {kind.__name__}: {error}") from error


def parse_json(content: bytes) -> Any:
    """The value of a JSON file in UTF-8.

    Raises: ValueError in every case of bad content: also where it is nested too deeply to be read,
    and where text holds half of a pair of surrogates, which no file could be written with again.
    """
    text = content.decode("utf-8")
    try:
        plain = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\ud" in text or "\\uD" in text:
        canonical_json(plain)
    return plain


def canonical_json(plain: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spare spaces: equal values give equal bytes."""
    return _CANONICAL.encode(plain).encode("utf-8")


def digest(plain: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(plain)).hexdigest()


def sha256(content: bytes) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The inverse of `time_text`; a time without a zone is refused, and what is no text.

    Raises: ValueError.
    """
    if not isinstance(text, str):
        raise ValueError(f"not a time: {text!r}")
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {text}")
    return moment.astimezone(UTC)


@cache
def _converter() -> Converter:
    from cattrs import Converter
    from cattrs.fns import identity

    converter = Converter(forbid_extra_keys=False)
    converter.register_unstructure_hook(datetime, time_text)
    converter.register_unstructure_hook_func(_is_enum, attrgetter("_value_"))
    converter.register_unstructure_hook_func(_is_plain_or_none, identity)
    converter.register_unstructure_hook_factory(
        _is_tuple, lambda kind: _unstructure_tuple(converter, kind)
    )
    converter.register_unstructure_hook_func(
        _is_json_object,
        lambda value: {name: _json(converter, each) for name, each in value.items()},
    )
    converter.register_structure_hook(datetime, lambda text, _: parse_time(text))
    converter.register_unstructure_hook(Unknown, lambda value: {"unknown": value.reason})
    converter.register_structure_hook(Unknown, lambda plain, _: Unknown(plain["unknown"]))
    for strict in (str, int, bool):
        converter.register_structure_hook(strict, _strict(strict))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_func(_is_plain_json, lambda plain, _: plain)
    converter.register_structure_hook_func(_is_tagged_union, _structure_union(converter))
    converter.register_unstructure_hook_factory(
        _is_tagged_union, lambda _union: lambda value: _unstructure_member(converter, value)
    )
    return converter


def _strict(kind: type) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return structure


def _number(value: Any, _: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"expected a number, found {type(value).__name__}")
    return float(value)


def _is_plain_json(kind: Any) -> bool:
    return kind is Any or kind is object or get_origin(kind) is Mapping or kind is Mapping


def _is_tagged_union(kind: Any) -> bool:
    if get_origin(kind) not in (Union, UnionType):
        return False
    members = [member for member in get_args(kind) if member is not NoneType]
    return Unknown in members or len(members) > 1


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_plain_or_none(kind: Any) -> bool:
    """Left as it is: cattrs writes no call for what is given `identity`."""
    return get_origin(kind) in (Union, UnionType) and _PLAIN.issuperset(get_args(kind))


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _is_json_object(kind: Any) -> bool:
    return get_origin(kind) is Mapping and get_args(kind) == (str, Any)


def _unstructure_tuple(converter: Converter, kind: Any) -> Any:
    """Lists of plain values need no look at each of them: a large plan is mostly these."""
    inner = get_args(kind)[0]
    if inner in _PLAIN:
        return list
    hook = converter.get_unstructure_hook(inner)
    return lambda value: [hook(each) for each in value]


def _json(converter: Converter, value: Any) -> Any:
    return value if type(value) in _PLAIN else converter.unstructure(value)


def _unstructure_member(converter: Converter, value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    plain = converter.unstructure(value)
    if kind is not Unknown and attrs.has(kind):
        plain["is"] = kind.__name__
    return plain


def _structure_union(converter: Converter) -> Any:
    def structure(plain: Any, kind: Any) -> Any:
        members = get_args(kind)
        if type(plain) in _PLAIN and type(plain) in members:
            return plain
        if isinstance(plain, dict) and set(plain) == {"unknown"} and Unknown in members:
            return Unknown(plain["unknown"])
        if isinstance(plain, dict) and "is" in plain:
            for member in members:
                if getattr(member, "__name__", None) == plain["is"]:
                    return converter.structure(plain, member)
            raise ValueError(f"unexpected kind {plain['is']}")
        return _structure_untagged(converter, plain, members)

    return structure


def _structure_untagged(converter: Converter, plain: Any, members: tuple[Any, ...]) -> Any:
    from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError

    failures = (BaseValidationError, StructureHandlerNotFoundError, KeyError, TypeError, ValueError)
    failure: Exception = ValueError("no member of the union fits")
    for member in members:
        if member is NoneType or member is Unknown:
            continue
        try:
            return converter.structure(plain, member)
        except failures as error:
            failure = error
    raise failure

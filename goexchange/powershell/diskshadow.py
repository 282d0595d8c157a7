"""What `diskshadow /s SCRIPT` prints, as far as its lines are known.

Source: outputs of the Exchange support tools' tester of shadow copies. The words are those of an
English Windows, and no final words are known: what is not there is Unknown, and neither a success
nor a failure of a backup ever rests on this text.
"""

from __future__ import annotations

import re

from attrs import frozen

from goexchange.model.unknown import Unknown

_GUID = r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}"
_BANNER = re.compile(r"\s*Microsoft DiskShadow version (\d+(?:\.\d+)*)\s*\Z")
_SET = re.compile(
    rf"\s*Alias VSS_SHADOW_SET for shadow set ID ({_GUID}) set as environment variable\.\s*\Z"
)
_EXPOSED = re.compile(r"\s*The shadow copy was successfully exposed as (.+?)\.\s*\Z")


@frozen(kw_only=True)
class ShadowOutput:
    """One run of diskshadow as printed: the set that it made, and where its copies were exposed."""

    version: str | Unknown
    shadow_set: str | Unknown
    exposed: tuple[str, ...]


def parse_diskshadow(text: str) -> ShadowOutput:
    """The output of `diskshadow /s`, complete or still growing.

    Unknown: what no known line says, as in every other language than English.
    """
    version: str | Unknown = Unknown("the output has no banner that is known")
    shadow_set: str | Unknown = Unknown("the output names no set of shadow copies")
    exposed: list[str] = []
    for line in re.split(r"[\r\n]+", text):
        if banner := _BANNER.match(line):
            version = banner[1]
        elif made := _SET.match(line):
            shadow_set = made[1].lower()
        elif shown := _EXPOSED.match(line):
            exposed.append(shown[1])
    return ShadowOutput(version=version, shadow_set=shadow_set, exposed=tuple(exposed))

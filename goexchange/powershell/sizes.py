"""Texts that Exchange prints for sizes, time spans and versions, as numbers.

Unknown: whatever does not have the known form; nothing is guessed.
Source: real CLIXML exports of Exchange objects; the vendor's table of build numbers.
"""

from __future__ import annotations

import re

from attrs import frozen

from goexchange.model.actual import Generation
from goexchange.model.unknown import Unknown

# The host's locale groups digits by comma, point, (narrow) no-break space or apostrophe.
_SIZE = re.compile(r"\((\d[\d\s.,\u00a0\u202f'\u2019]*)\s*bytes\)\s*\Z")
_SPAN = re.compile(r"(-?)(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?\Z")
_VERSION = re.compile(r"Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\)\Z")

# Third number of the cumulative updates, oldest first; RTM stands first as update 0.
_UPDATES = {
    Generation.EXCHANGE_2013: (
        516, 620, 712, 775, 847, 913, 995, 1044, 1076, 1104, 1130, 1156, 1178, 1210, 1236, 1263,
        1293, 1320, 1347, 1365, 1367, 1395, 1473, 1497,
    ),
    Generation.EXCHANGE_2016: (
        225, 396, 466, 544, 669, 845, 1034, 1261, 1415, 1466, 1531, 1591, 1713, 1779, 1847, 1913,
        1979, 2044, 2106, 2176, 2242, 2308, 2375, 2507,
    ),
    Generation.EXCHANGE_2019: (
        221, 330, 397, 464, 529, 595, 659, 721, 792, 858, 922, 986, 1118, 1258, 1544, 1748,
    ),
    Generation.SUBSCRIPTION_EDITION: (2562,),
}  # fmt: skip
_SUBSCRIPTION_EDITION_FROM = 2562


@frozen(kw_only=True)
class ServerVersion:
    """The four numbers of an Exchange build."""

    major: int
    minor: int
    build: int
    revision: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"


def parse_size(text: str) -> int | Unknown:
    """Bytes of a ByteQuantifiedSize text such as ``10.5 GB (11,274,289,152 bytes)``."""
    match = _SIZE.search(text)
    if match is None:
        return Unknown(f"not a size: {text[:80]!r}")
    return int(re.sub(r"\D", "", match[1]))


def parse_time_span(text: str) -> float | Unknown:
    """Seconds of an EnhancedTimeSpan text, ``[-][d.]hh:mm:ss[.fffffff]``."""
    match = _SPAN.match(text)
    if match is None:
        return Unknown(f"not a time span: {text[:80]!r}")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole_s = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    total_s = whole_s + (float(f"0.{fraction}") if fraction else 0.0)
    return -total_s if sign else total_s


def parse_server_version(text: str) -> ServerVersion | Unknown:
    """The numbers of an AdminDisplayVersion; it does not move with security updates."""
    match = _VERSION.match(text)
    if match is None:
        return Unknown(f"not a server version: {text[:80]!r}")
    major, minor, build, revision = map(int, match.groups())
    return ServerVersion(major=major, minor=minor, build=build, revision=revision)


def generation_of(version: ServerVersion) -> Generation | Unknown:
    """The product a version belongs to."""
    match (version.major, version.minor):
        case (6, 5):
            return Generation.EXCHANGE_2003
        case (8, minor) if minor <= 3:
            return Generation.EXCHANGE_2007
        case (14, minor) if minor <= 3:
            return Generation.EXCHANGE_2010
        case (15, 0):
            return Generation.EXCHANGE_2013
        case (15, 1):
            return Generation.EXCHANGE_2016
        case (15, 2) if version.build < _SUBSCRIPTION_EDITION_FROM:
            return Generation.EXCHANGE_2019
        case (15, 2):
            return Generation.SUBSCRIPTION_EDITION
    return Unknown(f"no known product has version {version}")


def cumulative_update_of(version: ServerVersion) -> int | Unknown:
    """The number of the cumulative update; 0 is the first release.

    Unknown: before 2013, and for a build that is not a known update's (a preview, or newer than
    this table).
    """
    generation = generation_of(version)
    if isinstance(generation, Unknown):
        return generation
    if generation not in _UPDATES or version.build not in _UPDATES[generation]:
        return Unknown(f"no cumulative update is known for build {version}")
    return _UPDATES[generation].index(version.build)

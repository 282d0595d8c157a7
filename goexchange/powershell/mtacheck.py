"""What `mtacheck` of Exchange 2003 wrote about the queue database of the message transfer agent.

Only the lines that the vendor's articles print are known, so a text with any other line in it says
nothing: what mtacheck writes besides on a real server is not confirmed.
Source: the vendor's knowledge base, articles on Mtacheck.
"""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen

from goexchange.model.unknown import Unknown


class MtaVerdict(Enum):
    """How a check ended; a closed list."""

    CLEAN = "clean"
    REPAIRED = "repaired"
    SERIOUS = "serious"  # it has errors that cannot be repaired


@frozen(kw_only=True)
class MtaReport:
    """One check. Of what was repaired: how many queues and objects, and the lines about them."""

    verdict: MtaVerdict
    queues_repaired: int
    objects_damaged: int
    messages_recovered: int
    details: tuple[str, ...]

    @property
    def repaired(self) -> int:
        """Everything that was found wrong."""
        return self.queues_repaired + self.objects_damaged


_VERDICTS = {
    "Database clean, no errors detected": MtaVerdict.CLEAN,
    "Database repaired, some data may have been lost": MtaVerdict.REPAIRED,
    "Database has serious errors and cannot be reconstructed.": MtaVerdict.SERIOUS,
}
_QUEUES = re.compile(r"(\d+) queue\(s\) required repair out of (\d+) detected\Z")
_OBJECTS = re.compile(r"(\d+) object\(s\) damaged out of (\d+) detected\Z")
_RECOVERED = re.compile(r"(\d+) messages? recovered to the queue\Z")
_DETAILS = (
    re.compile(r"Queue '[^']+' required reconstruction\Z"),
    re.compile(r"- corrupted queue file\Z"),
    _RECOVERED,
    re.compile(r"Object [0-9A-Fa-f]+ invalid\Z"),
    re.compile(r"- missing object file\Z"),
    re.compile(r"Object removed from queue '[^']+'\Z"),
    re.compile(r"MTS-ID: .+\Z"),
    re.compile(r"Some objects missing from the Boot Environment\.\.\.\Z"),
)


def parse_mtacheck(text: str) -> MtaReport | Unknown:
    """Read the log of one check.

    Unknown: without one verdict, with two that differ, with a line that is not known, or with
    figures that do not go with the verdict.
    """
    verdicts: list[MtaVerdict] = []
    details: list[str] = []
    queues = objects = recovered = 0
    for line in (each.strip() for each in text.splitlines()):
        if not line:
            continue
        if line in _VERDICTS:
            verdicts.append(_VERDICTS[line])
        elif (match := _QUEUES.match(line)) is not None:
            queues = int(match[1])
        elif (match := _OBJECTS.match(line)) is not None:
            objects = int(match[1])
        elif any(known.match(line) for known in _DETAILS):
            details.append(line)
            counted = _RECOVERED.match(line)
            recovered += int(counted[1]) if counted is not None else 0
        else:
            return Unknown(f"a line of mtacheck that is not known: {line[:120]!r}")
    if len(set(verdicts)) != 1:
        return Unknown("mtacheck gave no verdict" if not verdicts else "mtacheck gave two verdicts")
    found_something = bool(queues or objects or details)
    if (verdicts[0] is MtaVerdict.CLEAN) and found_something:
        return Unknown("mtacheck calls the database clean and names what was damaged")
    return MtaReport(
        verdict=verdicts[0],
        queues_repaired=queues,
        objects_damaged=objects,
        messages_recovered=recovered,
        details=tuple(details),
    )

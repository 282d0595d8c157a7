"""What isinteg of Exchange 2007 prints: one line for each test, and how far it is.

Only lines of the known forms count. The wording is not confirmed on a real server: output without a
result, with a result in another form, or that does not say that its last test was done, says
nothing.
Source: the vendor's reference of isinteg; per-test lines as they are known of 2000 to 2007.
"""

from __future__ import annotations

import re

from attrs import frozen

from goexchange.model.unknown import Unknown

_RESULT = re.compile(
    r"Test (?P<name>\S.{0,80}?) result: (?P<errors>\d{1,9}) error\(s\);"
    r" (?P<warnings>\d{1,9}) warning\(s\); (?P<fixes>\d{1,9}) fix\(es\); \d{1,12} row\(s\);"
    r" time: \d{1,4}h:\d{1,2}m:\d{1,2}s\Z"
)
_PROGRESS = re.compile(
    r"Now in test\s+(?P<at>\d{1,4})\(.{0,80}\) of total (?P<of>\d{1,4}) tests;"
    r" \d{1,3}% complete\.\Z"
)
_SELECTED = re.compile(r"You have selected (?P<group>.{1,128}?) / (?P<database>.{1,128}?)\.\Z")


@frozen(kw_only=True)
class IntegrityTest:
    """The result of one test."""

    name: str
    errors: int
    warnings: int
    fixes: int


@frozen(kw_only=True)
class StoreIntegrity:
    """A run that came to its last test; `database` is the one that it says it looked at."""

    group: str
    database: str
    tests: tuple[IntegrityTest, ...]

    @property
    def errors(self) -> int:
        """The errors of all tests, fixed or not."""
        return sum(each.errors for each in self.tests)

    @property
    def warnings(self) -> int:
        """The warnings of all tests."""
        return sum(each.warnings for each in self.tests)

    @property
    def fixes(self) -> int:
        """The fixes of all tests."""
        return sum(each.fixes for each in self.tests)


def parse_isinteg(text: str) -> StoreIntegrity | Unknown:
    """The whole run, or why it cannot be read."""
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    selected = [match for line in lines if (match := _SELECTED.match(line))]
    if len(selected) != 1:
        return Unknown("isinteg did not say which one database it looked at")
    tests = []
    for line in lines:
        if not line.startswith("Test "):
            continue
        match = _RESULT.match(line)
        if match is None:
            return Unknown(f"isinteg printed a result of an unknown form: {line[:120]!r}")
        tests.append(
            IntegrityTest(
                name=match["name"],
                errors=int(match["errors"]),
                warnings=int(match["warnings"]),
                fixes=int(match["fixes"]),
            )
        )
    progress = [match for line in lines if (match := _PROGRESS.match(line))]
    if not tests or not progress or progress[-1]["at"] != progress[-1]["of"]:
        return Unknown("isinteg did not say that its last test was done")
    return StoreIntegrity(
        group=selected[0]["group"], database=selected[0]["database"], tests=tuple(tests)
    )

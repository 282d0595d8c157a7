"""What is wrong between documents: each contradiction is reported where it is written."""

from __future__ import annotations

import pytest

from goexchange.documents import parse_documents
from goexchange.errors import Diagnostic, Severity
from goexchange.inventory import load_inventory
from goexchange.model.configuration import Inventory, TimeOfDay, Weekday
from goexchange.spec import Loaded, check_across
from goexchange.spec.across import window_length_s
from tests.unit.spec.specification import MINIMAL, desired, document, with_lines

INVENTORY = """\
apiVersion: goexchange/v1
kind: Inventory
metadata: {name: site}
servers:
  EX01: {generation: "2007"}
  EX02: {generation: "2019"}
  EX03: {}
windows:
  night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "02:00"}
  always: {zone: Europe/Berlin, from: "00:00", to: "00:00"}
"""


def inventory() -> Inventory:
    found, mistakes = load_inventory(parse_documents(INVENTORY, file="i.yaml").documents)
    assert found is not None and not mistakes
    return found


def contradictions(*texts: str, channels: set[str] | None = None) -> tuple[Diagnostic, ...]:
    loaded = [Loaded(desired=desired(text), document=document(text)) for text in texts]
    return check_across(loaded, inventory(), channels=channels)


def script(name: str, servers: str) -> str:
    return (
        "apiVersion: goexchange/v1\nkind: Specification\nmetadata: {name: a}\n"
        f"targets: {{servers: [{servers}]}}\nscript: {{name: {name}}}\n"
        "desired: {verified_within: 30d}\n"
    )


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (script("online-error-diagnostic", "EX01"), Severity.ERROR),
        (script("mta-error-correction", "EX01, EX02"), Severity.ERROR),
        (script("online-error-diagnostic", "EX01, EX02"), Severity.WARNING),
    ],
)
def test_a_script_that_does_not_apply_is_reported(text: str, severity: Severity) -> None:
    (found,) = contradictions(text)
    assert (found.id, found.severity) == ("script-not-for-version", severity)
    assert found.place is not None and (found.place.line, found.place.column) == (5, 16)
    assert "EX01 is Exchange 2007" in found.detail


def test_a_version_that_is_not_told_is_no_contradiction() -> None:
    assert contradictions(script("online-error-diagnostic", "EX02, EX03")) == ()


@pytest.mark.parametrize(
    ("added", "line", "words"),
    [
        ("  conflicts: {running: wait, wait_max: 4h}\n", 9, "waited for up to 4 h"),
        ("  conflicts: {scheduled: wait, wait_max: 5h30m}\n", 9, "5 h 30 m"),
        (
            "custom_processes: {before: [{name: slow, run: [a], limit: {timeout: 6h}}]}\n",
            9,
            "'slow' may run",
        ),
    ],
)
def test_a_wait_longer_than_the_window_is_an_error(added: str, line: int, words: str) -> None:
    (found,) = contradictions(with_lines(added + "schedule: {window: night}\n"))
    assert (found.id, found.severity) == ("longer-than-window", Severity.ERROR)
    assert found.place is not None and found.place.line == line
    assert words in found.detail and "'night' is 4 h long" in found.detail
    assert contradictions(with_lines(added + "schedule: {window: always}\n")) == ()


def test_a_run_time_beyond_the_window_is_a_warning() -> None:
    (found,) = contradictions(with_lines("schedule: {window: night, run_time_max: 6h}\n"))
    assert (found.id, found.severity) == ("longer-than-window", Severity.WARNING)
    assert contradictions(with_lines("schedule: {window: night, run_time_max: 4h}\n")) == ()


def test_a_time_of_day_needs_a_zone() -> None:
    declared = "  conflicts: {declared: [{name: tape, due: '01:00', lasts: 2h}]}\n"
    (found,) = contradictions(with_lines(declared))
    assert found.id == "zone-missing" and "'tape'" in found.detail
    (found,) = contradictions(with_lines("schedule: {due: 'SAT 22:00', every: 1w}\n"))
    assert found.id == "zone-missing" and "'due'" in found.detail
    assert contradictions(with_lines(declared + "schedule: {window: night}\n")) == ()
    zoned = declared.replace("name: tape", "name: tape, zone: Europe/Berlin")
    assert contradictions(with_lines(zoned)) == ()


def test_two_specifications_may_not_prune_each_others_sets() -> None:
    other = MINIMAL.replace("name: compact", "name: other")
    fewer = other.replace("path: 'E:\\goexchange'}", "path: 'e:\\goexchange\\'}, keep: {last: 1}")
    (found,) = contradictions(MINIMAL, fewer)
    assert found.id == "retention"
    assert "keeps 1" in found.detail and "'compact' keeps 3" in found.detail
    assert contradictions(MINIMAL, other) == ()
    elsewhere = fewer.replace("EX01", "EX02")
    assert contradictions(MINIMAL, elsewhere) == ()


def test_a_name_belongs_to_one_specification() -> None:
    (found,) = contradictions(MINIMAL, MINIMAL)
    assert found.id == "repeated" and "'compact'" in found.detail


def test_channels_have_to_be_configured() -> None:
    text = with_lines(
        "notifications: [{event: maintenance-failed, channels: [mail, pgaer], to: [a]}]\n"
    )
    (found,) = contradictions(text, channels={"pager"})
    assert found.id == "unknown-name" and "Did you mean 'pager'?" in found.detail
    assert contradictions(text) == ()
    assert "none at all" in contradictions(text, channels=set())[0].detail


def test_the_length_of_a_window_is_by_its_clock() -> None:
    night, always = inventory().windows
    assert window_length_s(night) == 4 * 3600
    assert window_length_s(always) is None
    assert (night.opens, night.days) == (TimeOfDay(hour=22, minute=0), (Weekday.SATURDAY,))

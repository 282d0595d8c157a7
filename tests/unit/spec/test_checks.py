"""What schemas cannot say: names, parts that need each other, and what the inventory knows."""

from __future__ import annotations

import pytest

from goexchange.errors import Severity
from goexchange.inventory import load_inventory
from goexchange.model.configuration import Inventory
from goexchange.spec import check_against_inventory, database_is_meant, select_servers
from tests.unit.documents.examples import SPECS, documents_of
from tests.unit.spec.specification import MINIMAL, desired, document, mistakes, with_lines

BEFORE = "    - {name: suspend, run: [a]}\n"


def processes(after: str, before: str = BEFORE) -> str:
    return with_lines(f"custom_processes:\n  before:\n{before}  after:\n{after}")


TABLE = [
    (
        processes("    - {name: b, run: [b], undoes: suspnd}\n"),
        "unknown-name",
        13,
        "Did you mean 'suspend'?",
    ),
    (processes("    - {name: suspend, run: [b]}\n"), "repeated", 13, "line 11"),
    (
        processes(
            "    - {name: b, run: [b], undoes: suspend}\n"
            "    - {name: c, run: [b], undoes: suspend}\n"
        ),
        "repeated",
        14,
        "line 13",
    ),
    (
        processes("    - {name: b, run: [b], undoes: suspend, per: run}\n"),
        "scope",
        13,
        "per server",
    ),
    (
        with_lines("custom_processes: {after: [{name: b, run: [b], undoes: x}]}\n"),
        "unknown-name",
        9,
        "There is none",
    ),
    (with_lines("", without=("  before",)), "backup-missing", 5, "verified copy"),
    (
        MINIMAL.replace(
            "after: {", "after: {offline: {target: {path: 'E:'}, include: [registry]}, "
        ),
        "include-after",
        8,
        "backup.before.offline",
    ),
    (with_lines("", without=("  after",)), "backup-missing", 5, "No older online backup fits"),
    (
        with_lines(
            "script: {name: offline-defrag}\ndesired: {white_space_max: 20%}\n",
            without=("script", "backup", "  "),
        ),
        "backup-missing",
        5,
        "offline-defrag",
    ),
    (
        with_lines(
            "script: {name: exchange-backup}\ndesired: {offline_backup_within: 30d}\n",
            without=("script", "backup", "  "),
        ),
        "backup-missing",
        5,
        "names none",
    ),
    (
        with_lines("notifications:\n  - {event: storage-online, before: [1h], to: [a@b]}\n"),
        "notification",
        10,
        "scheduled-maintenance-outage",
    ),
    (with_lines("notifications:\n  - {event: storage-online}\n"), "notification", 10, "addresses"),
    (
        with_lines("schedule: {due: 'SAT 22:00', every: 10d}\n", without=("schedule",)),
        "wrong-form",
        9,
        "whole weeks. For example: every: 4w",
    ),
    (
        with_lines("schedule: {due: '22:00', every: 36h}\n", without=("schedule",)),
        "wrong-form",
        9,
        "whole days",
    ),
    (
        with_lines("schedule: {due: '22:00', starting: 2026-02-30}\n", without=("schedule",)),
        "wrong-form",
        9,
        "no day of the calendar",
    ),
    (
        MINIMAL.replace("'E:\\goexchange'", "'E:\\goexchange', credential: 'exec:[a]'"),
        "secret-reference",
        7,
        "program",
    ),
]


@pytest.mark.parametrize(("text", "id", "line", "words"), TABLE)
def test_a_contradiction_is_reported_at_its_place(
    text: str, id: str, line: int, words: str
) -> None:
    found = [each for each in mistakes(text) if each.id == id]
    assert len(found) >= 1
    assert any(
        each.place is not None and each.place.line == line and words in each.detail
        for each in found
    ), found
    assert found[0].source_line


SCHEMA_TABLE = [
    ("desired: {white_space_max: 101%}\n", "wrong-form", "9:28"),
    ("desired: {verified_within: 0d}\n", "wrong-form", "9:28"),
    ("desired: {verified_within: 15m30d}\n", "wrong-form", "9:28"),
    ("schedule: {every: 4w}\n", "missing-key", "9:11"),
    ("schedule: {due: 'SA 22:00'}\n", "wrong-form", "9:17"),
    ("schedule: {run_time_max: 6}\n", "wrong-type", "9:26"),
    ("strategy: {servers_at_once: 0}\n", "out-of-range", "9:29"),
    ("notifications: [{event: maintenance-fail}]\n", "unknown-value", "9:25"),
    ("script_: x\n", "unknown-key", "9:1"),
    ("reports: {formats: [pdf]}\n", "unknown-value", "9:21"),
]


@pytest.mark.parametrize(("line", "id", "place"), SCHEMA_TABLE)
def test_a_value_that_cannot_be_is_reported_at_its_place(line: str, id: str, place: str) -> None:
    found = mistakes(with_lines(line))
    assert [(each.id, str(each.place)) for each in found] == [(id, f"s.yaml:{place}")]


BAD_PATHS = [
    "/mnt/x",
    "E:/x",
    "x",
    "E:\\..\\x",
    "\\\\server",
    "E:\\a|b",
    "E:\\a\tb",
    "\\\\s\\..\\c",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_no_host_has_is_refused(path: str) -> None:
    quoted = '"' + path.replace("\\", "\\\\").replace("\t", "\\t") + '"'
    found = mistakes(MINIMAL.replace("'E:\\goexchange'", quoted))
    assert [each.id for each in found] == ["wrong-form"]


@pytest.mark.parametrize(
    "path", ["E:", "E:\\", "E:\\a b\\c..d", "\\\\backup01\\exchange$", "\\\\?x\\y"]
)
def test_paths(path: str) -> None:
    found = mistakes(MINIMAL.replace("E:\\goexchange", path))
    assert bool(found) is ("?" in path)


def test_a_password_is_refused_and_never_shown() -> None:
    text = MINIMAL.replace("'E:\\goexchange'", "'E:\\x', credential: hunter2, oops: 1")
    found = mistakes(text)
    assert [each.id for each in found] == ["wrong-form", "unknown-key"]
    assert "keyring:service/user" in found[0].detail
    assert "hunter2" not in repr(found)


def test_a_condition_without_effect_is_a_warning() -> None:
    text = MINIMAL.replace("preventative-maintenance", "offline-space-diagnostic")
    found = sorted(
        mistakes(text + "desired: {white_space_max: 20%}\n"), key=lambda each: each.id
    )
    assert [(each.id, each.severity) for each in found] == [
        ("condition-without-effect", Severity.WARNING),
        ("script-without-condition", Severity.WARNING),
    ]
    assert "script: {name: offline-defrag}" in found[0].detail
    assert "'desired.measured_within'" in found[1].detail


@pytest.mark.parametrize(
    "line",
    [
        "offline-space-diagnostic, verify: offline}\ndesired: {measured_within: 90d}",
        "exchange-backup}\ndesired: {offline_backup_within: 90d}",
        "exchange-backup}\ndesired: {online_full_backup_within: 7d}",
        "offline-diagnostic-report}\ndesired: {measured_within: 90d, verified_within: 30d}",
        "store-error-correction}\ndesired: {verified_within: 30d}",
    ],
)
def test_a_script_with_its_condition_is_without_warning(line: str) -> None:
    assert mistakes(MINIMAL.replace("preventative-maintenance}", line)) == ()


@pytest.fixture(name="site", scope="module")
def berlin() -> Inventory:
    documents = documents_of(SPECS / "inventory" / "berlin.yaml")
    bonn = document("apiVersion: goexchange/v1\nkind: Inventory\nsites: {bonn: {}}\n")
    inventory, diagnostics = load_inventory([*documents, bonn])
    assert diagnostics == ()
    assert inventory is not None
    return inventory


INVENTORY_TABLE = [
    (MINIMAL.replace("EX01", "site:bonn"), "empty-selection", "4:21", "has no servers"),
    (
        MINIMAL.replace("EX01", "EX1"),
        "unknown-name",
        "4:21",
        "no server 'EX1'. Did you mean 'EX01'?",
    ),
    (
        MINIMAL.replace("[EX01]", "[EX01, 'group:berln-mailbox']"),
        "unknown-name",
        "4:27",
        "'berlin-mailbox'",
    ),
    (MINIMAL.replace("EX01", "site:koeln"), "unknown-name", "4:21", "no site 'koeln'"),
    (MINIMAL.replace("EX01", "dag:DAG2"), "unknown-name", "4:21", "Did you mean 'DAG1'?"),
    (with_lines("schedule: {window: berlin-nite}\n"), "unknown-name", "9:20", "'berlin-night'"),
    (with_lines("strategy: {canary: EX09}\n"), "unknown-name", "9:20", "no server 'EX09'"),
    (with_lines("strategy: {canary: EX02}\n"), "canary", "9:20", "Possible: EX01"),
]


@pytest.mark.parametrize(("text", "id", "place", "words"), INVENTORY_TABLE)
def test_names_that_the_inventory_does_not_know(
    text: str, id: str, place: str, words: str, site: Inventory
) -> None:
    found = check_against_inventory(desired(text), site, document(text))
    assert [(each.id, str(each.place)) for each in found] == [(id, f"s.yaml:{place}")]
    assert words in found[0].detail
    assert found[0].source_line in text.split("\n")


def test_an_agents_machine_has_to_be_known(site: Inventory) -> None:
    text = with_lines(
        "  after: {online: {method: agent, "
        "agent: {start: [a], state: [b], states: {}, runs_on: X}}}\n",
        without=("  after",),
    )
    found = check_against_inventory(desired(text), site, document(text))
    assert [each.id for each in found] == ["unknown-name"]
    assert "no machine 'X'" in found[0].detail


@pytest.mark.parametrize(
    ("servers", "selected"),
    [
        ("[EX01]", ("EX01",)),
        ("['dag:DAG1', EX01]", ("EX01", "EX02", "EX03")),
        ("['group:berlin-mailbox', 'dag:DAG1']", ("EX01", "EX02", "EX03")),
        ("['site:berlin']", ("EX01", "EX02", "EX03", "EX04")),
        ("['site:none']", ()),
    ],
)
def test_servers_are_selected_once_in_the_order_of_the_inventory(
    servers: str, selected: tuple[str, ...], site: Inventory
) -> None:
    targets = desired(MINIMAL.replace("[EX01]", servers)).targets
    assert select_servers(targets, site) == selected


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        ("DB01", True),
        ("db01", True),
        ("DB1", False),
        ("Archive 1", False),
        ("DB01x", False),
        ("ARCHIVE", False),
    ],
)
def test_databases_are_meant_by_patterns(name: str, is_meant: bool) -> None:
    text = MINIMAL.replace(
        "[EX01]", "[EX01], databases: {include: ['DB??', 'Archive*'], exclude: ['archive*']}"
    )
    assert database_is_meant(desired(text).targets, name) is is_meant


def test_a_batch_file_is_given_no_word_that_cmd_would_read() -> None:
    for word in ('a"b', "%PATH%"):
        text = with_lines(
            f"custom_processes: {{before: [{{name: a, run: ['C:\\b.CMD', '{word}']}}]}}\n"
        )
        assert [each.id for each in mistakes(text)] == ["unsafe-word"]
        assert mistakes(text.replace("b.CMD", "b.exe")) == ()


def test_a_resource_check_leads_from_one_due_time_to_another() -> None:
    text = with_lines("schedule: {resource_check: {due: 'FRI 09:00', every: 10d}}\n")
    assert [each.id for each in mistakes(text)] == ["wrong-form"]
    assert mistakes(text.replace("10d", "2w")) == ()


@pytest.mark.parametrize("name", ["MSExchangeIS", "winrm", "W3SVC"])
def test_a_service_that_a_mount_rests_on_is_never_stopped(name: str) -> None:
    text = with_lines(f"services: {{stop_while_down: [{name}]}}\n")
    assert [each.id for each in mistakes(text)] == ["service-needed"]
    assert mistakes(text.replace(name, "AcmeScan")) == ()
    assert desired(text.replace(name, "MSSQL$X")).services_stopped == ("MSSQL$X",)

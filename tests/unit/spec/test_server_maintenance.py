"""Commands that take a server down stand in a specification of their own."""

from __future__ import annotations

import pytest

from goexchange.documents import parse_documents
from goexchange.model.desired import ActiveCopies, DesiredState
from goexchange.spec import load_specification

GOOD = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: updates}
targets: {servers: [EX01]}
desired: {maintained_within: 30d}
script: {name: server-maintenance, active_copies: stay}
custom_processes:
  before:
    - {name: quiet, run: ['C:\ops\quiet.exe']}
  takes_server_down:
    - {name: updates, run: ['C:\ops\updates.cmd', install], restarts: true,
       limit: {timeout: 3h}, back_within: 20m, success_exit_codes: [0, 3010]}
    - {name: firmware, run: ['C:\ops\firmware.exe'], follow: flash.exe}
"""


def loaded(text: str) -> tuple[DesiredState | None, str]:
    found, diagnostics = load_specification(parse_documents(text, file="s.yaml").documents[0])
    return found, " ".join(each.detail for each in diagnostics)


def test_every_default_is_explicit() -> None:
    found, said = loaded(GOOD)
    assert found is not None and not said
    first, second = found.processes_down
    assert (first.restarts, first.timeout_s, first.back_within_s) == (True, 3 * 3600, 1200)
    assert first.success_exit_codes == (0, 3010) and second.follow == "flash.exe"
    assert (second.restarts, second.timeout_s, second.back_within_s) == (False, 7200, 3600)
    assert found.conditions.maintained_within_s == 30 * 86400
    assert found.script.active_copies is ActiveCopies.STAY


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("server-maintenance, active_copies: stay", "online-error-correction", "work of its own"),
        ("  takes_server_down:", "  after:", "Nothing says what server-maintenance runs"),
        ("metadata:", "services: {stop_while_down: [AcmeScan]}\nmetadata:", "stop_while_down"),
        ("[EX01]}", "[EX01], databases: {include: [DB05]}}", "targets.databases"),
        ("quiet.exe']}", "quiet.exe'], per: database}", "cannot run per database"),
        ("metadata:", "backup: {before: {offline: {target: {path: 'E:\\s'}}}}\nmetadata:",
         "take the backup out"),
        ("name: firmware", "name: updates", "Rename one"),
        ("install]", "'%TEMP%']", "a batch file the word %TEMP%"),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_said(old: str, new: str, words: str) -> None:
    text = GOOD.replace(old, new)
    if "after:" in new:
        text = text.partition("  after:")[0]
    _, said = loaded(text)
    assert words in said


def test_a_script_that_is_never_due_is_warned_of() -> None:
    _, said = loaded(GOOD.replace("desired: {maintained_within: 30d}\n", ""))
    assert "desired.maintained_within" in said

"""The texts of the host scripts: syntax, headers, and the calls that their contracts promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from goexchange.powershell import bootstrap
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.contracts_cmdlets import ASKED, OF_PILOTS, TOLD
from goexchange.powershell.contracts_jobs import JOB_REQUESTS
from goexchange.powershell.contracts_server import CLUSTER_NODE
from tests.powershell.script_text import (
    LANGUAGE,
    NAMES,
    commands_of,
    functions_of,
    syntax_errors,
    text_of,
)

# What Windows PowerShell 3.0 does not have: 5.0 classes and enums, ::new(), PowerShell 7 operators.
TOO_NEW = re.compile(
    r"::new\(|^\s*(?:class|enum) |\?\?=?|\?\.|&&|\|\||-AsHashtable|-File\b(?! \")", re.M
)
# What would turn data into code, or touch the network.
FORBIDDEN = re.compile(r"Invoke-Expression|\biex\b|DownloadString|Invoke-WebRequest|Add-Type", re.I)


# What Windows PowerShell 2.0 has of the cmdlets that host scripts use. Source: its own help.
IN_2_0 = frozenset(
    {
        "Add-PSSnapin", "ForEach-Object", "Get-Acl", "Get-ChildItem", "Get-Command", "Get-Item",
        "Get-Process", "Get-Service", "Get-WinEvent", "Get-WmiObject", "Import-Module",
        "New-Object", "Select-Object", "Set-Acl", "Set-Location", "Sort-Object", "Split-Path",
        "Start-Service", "Start-Sleep", "Stop-Process", "Stop-Service", "Test-Path", "Where-Object",
    }
)  # fmt: skip
SNAP_IN = frozenset(  # asked for only where they are there
    {"Get-WBJob", "Get-WBSummary", *ASKED, *TOLD, *OF_PILOTS, *CLUSTER_NODE.cmdlets}
)
# What came with 3.0 and .NET 4: operators, types, parameters, members of the class library.
NOT_IN_2_0 = re.compile(
    r"(?<=\s)-(?:not)?in\b|-sh[lr]\b|\[(?:ordered|pscustomobject)\]|\$PSItem|\$using:|\$PSScriptRoot"
    r"|\.(?:ForEach|Where|CopyTo|Enumerate\w+|WaitAll)\(|IsNullOrWhiteSpace|TryParse\(\[Guid"
    r"|(?:Where|ForEach)-Object [A-Za-z]|Get-ChildItem[^\n]* -(?:File|Directory)\b"
    r"|Combine\((?:[^(),]*(?:\([^()]*\))?[^(),]*,){2}",
    re.I,
)
ON_NEW_ONLY = {"Flush($true)": 1, "[NullString]": 1, "ReadAsync": 1}  # behind `$GxIsOld`


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_used_that_powershell_2_lacks(name: str) -> None:
    text = text_of(name)
    found = NOT_IN_2_0.search(text)
    assert not found, found
    for word, times in ON_NEW_ONLY.items():
        assert text.count(word) <= times, word
        if word in text:
            assert "$GxIsOld" in text[: text.index(word)].splitlines()[-1] + "".join(
                text[: text.index(word)].splitlines()[-8:]
            )


@pytest.mark.parametrize(
    "text",
    [
        "if ('a' -in $b) { 1 }", "[ordered]@{ a = 1 }",
        "[System.IO.Path]::Combine($a, 'b', (c $d))",
        "$a | Where-Object Name -eq 1", "$reader.CopyTo($plain)", "Get-ChildItem $a -File",
    ],
)  # fmt: skip
def test_what_powershell_2_lacks_is_found(text: str) -> None:
    assert NOT_IN_2_0.search(text)


# Only asked of a Windows that has managed accounts of a group, and so a later PowerShell.
NOT_REACHED = {"Test-ADServiceAccount"}


@pytest.mark.parametrize("name", [*CONTRACTS, "job-runner"])
def test_every_command_is_in_powershell_2_or_has_a_stand_in(name: str) -> None:
    called = {one for one in commands_of(name) if re.fullmatch(r"[A-Z]\w+-\w+", one)}
    assert called - NOT_REACHED <= IN_2_0 | SNAP_IN | set(functions_of("legacy"))


def test_stand_ins_are_made_for_what_is_used_and_only_on_old_hosts() -> None:
    text = text_of("legacy")
    names = {one for one in functions_of("legacy") if "Gx" not in one}
    used = {one for name in [*CONTRACTS, "job-runner"] for one in commands_of(name)}
    assert names <= used and not names & IN_2_0
    assert commands_of("legacy") - set(functions_of("legacy")) <= IN_2_0
    assert not re.search(r"^function ", text, re.M)
    assert len(re.findall(r"^if \(\$Gx(?:IsOld|HasNoTasks)\) \{$", text, re.M)) == 2


def test_stand_ins_take_every_parameter_that_scripts_give() -> None:
    """A named parameter that a function lacks would be an error on an old host alone."""
    texts = "\n".join(text_of(name) for name in [*CONTRACTS, "library", "job-runner"])
    legacy = text_of("legacy")
    for name in {one for one in functions_of("legacy") if "Gx" not in one}:
        body = legacy[legacy.index(f"function {name}") :].partition("\n    }\n")[0]
        for call in re.findall(rf"{name}\b([^\n|]*)", texts):
            for parameter in re.findall(r" -([A-Z]\w+)", call):
                is_common = parameter == "ErrorAction" and "[CmdletBinding()]" in body
                assert is_common or f"${parameter}" in body, (name, parameter)


@pytest.mark.parametrize("name", NAMES)
def test_syntax(name: str) -> None:
    assert syntax_errors(text_of(name)) == []


def test_syntax_of_the_text_inside_sentinel() -> None:
    inner = re.search(r"^\$watch = @'\n(.*?)^'@", text_of("sentinel"), re.M | re.S)
    assert inner is not None
    assert syntax_errors(inner[1]) == []
    assert not TOO_NEW.search(inner[1])


def test_syntax_of_the_runner_with_stubs() -> None:
    text = Path(__file__).with_name("run_with_stubs.ps1").read_text(encoding="ascii")
    assert syntax_errors(text) == []


def test_the_parser_finds_errors() -> None:
    assert syntax_errors("if ($true) { 'a'")


@pytest.mark.parametrize("name", NAMES)
def test_form(name: str) -> None:
    text = text_of(name)
    version = CONTRACTS[name].version if name in CONTRACTS else 1
    assert text.startswith(f"# goexchange host script: {name}, version {version}\n")
    assert "\r" not in text and "\t" not in text
    assert not TOO_NEW.search(text), TOO_NEW.search(text)
    assert not FORBIDDEN.search(text)


def test_every_contract_has_its_script_and_every_script_its_contract() -> None:
    assert set(NAMES) == {*CONTRACTS, "legacy", "library", "job-runner"}


@pytest.mark.parametrize("name", CONTRACTS)
def test_calls_are_those_of_the_contract(name: str) -> None:
    called = set(commands_of(name))
    if name == "start-job":
        called |= commands_of("job-runner")
    cmdlets = {command for command in called if re.fullmatch(r"[A-Z]\w+-\w+", command)} - LANGUAGE
    assert cmdlets == set(CONTRACTS[name].cmdlets)
    # Anything else is a script block (`$x`) or a tool, and tools go through one function.
    others = {
        one for one in called if one not in cmdlets | LANGUAGE and not one.startswith(("$", "("))
    }
    assert others == set()


@pytest.mark.parametrize("name", CONTRACTS)
def test_tools_are_those_of_the_contract(name: str) -> None:
    texts = text_of(name) + (text_of("job-runner") if name == "start-job" else "")
    assert ("Invoke-GxTool" in texts) == bool(CONTRACTS[name].tools)
    for tool in CONTRACTS[name].tools:
        assert tool in texts


@pytest.mark.parametrize("name", [name for name in CONTRACTS if CONTRACTS[name].changes_host])
def test_what_changes_the_host_checks_fence_and_root_first(name: str) -> None:
    body = text_of(name).split("\nfunction ")[-1]
    guard = "Assert-GxRoot" if name == "claim-fence" else "Assert-GxFence"
    body = body[body.index(guard) :]
    assert body.startswith(f"{guard} $Arguments.root")
    before = text_of(name)[: text_of(name).rindex(guard)]
    assert not re.search(r"Write-Gx|\[System.IO.File\]::(Move|Delete)|ScheduledTask", before)
    assert "Assert-GxRoot $Root" in text_of("library")


@pytest.mark.parametrize("name", [name for name in CONTRACTS if not CONTRACTS[name].changes_host])
def test_what_changes_nothing_calls_nothing_that_writes(name: str) -> None:
    writers = {
        "Write-GxFile",
        "Write-GxJson",
        "New-GxFolder",
        "Move-GxFlushMap",
        "New-GxPrivateFolder",
    }
    assert not {one for one in writers if one in text_of(name)}
    assert not [
        one
        for one in commands_of(name)
        if re.match(r"(Set|Remove|Register|Start|Stop)-(?!Gx|Sleep)", one)
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_scripts_read_only_the_arguments_of_their_contract(name: str) -> None:
    read = set(re.findall(r"\$Arguments\.(\w+)", text_of(name)))
    assert read <= set(CONTRACTS[name].arguments["properties"])


@pytest.mark.parametrize("name", CONTRACTS)
def test_refusal_codes_are_those_of_the_contract(name: str) -> None:
    said = set(re.findall(r"Stop-Gx '([a-z-]+)'", text_of(name)))
    assert said <= {*CONTRACTS[name].errors, "path-exists"}


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_answer_has_the_members_of_the_contract(name: str) -> None:
    for member in CONTRACTS[name].result["properties"]:
        is_written = re.search(rf"\b{member} = |\['{member}'\]", text_of(name))
        assert is_written or name == "swap-state", member


def test_the_runner_knows_every_kind_of_job() -> None:
    kinds = set(re.findall(r"^        '([a-z-]+)' \{", text_of("job-runner"), re.M))
    assert kinds == set(JOB_REQUESTS)
    read = set(re.findall(r"\$[Rr]equest\.(\w+)", text_of("job-runner")))
    assert read == {name for schema in JOB_REQUESTS.values() for name in schema["properties"]}


def test_functions_do_not_hide_cmdlets() -> None:
    known = {cmdlet for contract in CONTRACTS.values() for cmdlet in contract.cmdlets} | LANGUAGE
    for name in set(NAMES) - {"legacy"}:  # which is there to stand in for them
        assert not known & set(functions_of(name)) and "Get-Event" not in functions_of(name)


def test_digests_are_stable_and_differ() -> None:
    registered = bootstrap.registered_digests()
    assert sorted(registered.values()) == sorted(CONTRACTS)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in registered)
    assert bootstrap.digest("job-runner") not in registered

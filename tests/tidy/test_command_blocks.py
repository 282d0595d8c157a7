"""Every command block of the documents runs in a test or says why not; the reason is checked."""

from __future__ import annotations

import re
from collections.abc import Callable

from click.testing import CliRunner

from goexchange.cli.group import cli
from tests.powershell.script_text import syntax_errors
from tests.tidy.command_blocks import POWERSHELL, RUN, SHOWN, Block, blocks
from tests.tidy.sources import REPOSITORY

COMMANDS = {RUN, SHOWN, POWERSHELL, "bash", "cmd", "bat", "powershell-console"}
"""Languages of blocks that somebody types; documents are checked elsewhere, the rest is shown."""


def first_words(block: Block) -> set[str]:
    return {line.split()[0] for line in block.text.splitlines() if line.strip()}


def is_powershell(block: Block) -> bool:
    """The grammar at hand knows no list of bare words as an argument: they become one word."""
    text = re.sub(r"(?<=[\w:]), *(?=\w)", "", block.text)
    return block.language == POWERSHELL and not syntax_errors(text)


def is_of_a_domain(block: Block) -> bool:
    return block.language == RUN and first_words(block) <= {"kinit", "klist"}


def is_an_installation(block: Block) -> bool:
    return block.language == RUN and first_words(block) == {"pip"}


def is_run_when_installed(block: Block) -> bool:
    """The session `fresh` types it, taken from the document."""
    session = (REPOSITORY / "tests" / "end_to_end" / "fresh.py").read_text("utf-8")
    return block.language == RUN and f'first_block("{block.document}")' in session


def is_of_an_old_server(block: Block) -> bool:
    return block.language == RUN and "unconfirmed-generation" in block.text


def is_of_a_rebuild_with_copies(block: Block) -> bool:
    """`tests/end_to_end/test_reseeding.py` types it, on a site of its own."""
    return block.language == RUN and "rebuild-replicated-database" in block.text


def is_the_tests(block: Block) -> bool:
    return block.language == RUN and block.text.split()[-1] == "pytest"


REASONS: dict[str, Callable[[Block], bool]] = {
    "a real Exchange server": is_powershell,
    "a real Windows server": is_powershell,
    "a domain of your own": is_of_a_domain,
    "a server with Exchange 2010": is_of_an_old_server,
    "a database with copies": is_of_a_rebuild_with_copies,
    "it installs from a package registry": is_an_installation,
    "the session `fresh` does": is_run_when_installed,
    "it runs the tests": is_the_tests,
}


def test_every_command_block_is_run_or_says_why_not() -> None:
    for block in blocks():
        where = f"{block.document}:{block.line}"
        if block.language not in COMMANDS:
            assert not re.search(r"^\$? ?goexchange ", block.text, re.M), f"{where}: name its shell"
        elif block.language == SHOWN or block.reason is not None:
            continue
        else:
            assert block.language == RUN, f"{where}: {block.language} is typed by no test"


def test_every_reason_is_one_that_holds() -> None:
    seen = set()
    for block in blocks():
        if block.reason is not None:
            where = f"{block.document}:{block.line}"
            assert block.reason in REASONS, f"{where}: {block.reason}"
            assert REASONS[block.reason](block), f"{where} could be run: {block.reason}"
            seen.add(block.reason)
    assert seen == set(REASONS), "a reason that nothing gives any more"


def test_shown_sessions_begin_with_a_command_that_there_is() -> None:
    shown = [each for each in blocks() if each.language == SHOWN]
    for block in shown:
        for line in re.findall(r"^\$ goexchange (.+)$", block.text, re.M):
            verb, *words = line.split()
            done = CliRunner().invoke(cli, [verb, "--help"])
            assert done.exit_code == 0, f"{block.document}:{block.line}: {line}"
            for option in (each for each in words if each.startswith("--")):
                assert option in done.output, f"{block.document}:{block.line}: {option}"
    assert shown


def test_the_checks_notice_what_they_are_for() -> None:
    typed = Block(document="x.md", line=1, language=RUN, text="goexchange plan\n", reason=None)
    assert not is_of_a_domain(typed) and not is_an_installation(typed) and not is_the_tests(typed)
    broken = Block(document="x.md", line=1, language=POWERSHELL, text="Get-X (\n", reason=None)
    assert not is_powershell(broken)

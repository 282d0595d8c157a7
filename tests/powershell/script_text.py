"""The packaged scripts as tree-sitter sees them: their syntax errors, functions and commands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_powershell

import goexchange.powershell

FOLDER = Path(goexchange.powershell.__file__).parent / "scripts"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.ps1")))
# Commands of the language and of plain data: they touch neither the host nor Exchange.
LANGUAGE = frozenset(
    {
        "ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "New-Object", "Select-Object",
        "Set-Location", "Sort-Object", "Split-Path", "Start-Sleep", "Test-Path", "Where-Object",
    }
)  # fmt: skip


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.ps1").read_bytes().decode("ascii")


def syntax_errors(text: str) -> list[str]:
    content = text.encode()
    return [
        f"line {node.start_point[0] + 1}: {content[node.start_byte : node.end_byte][:60]!r}"
        for node in _walk(_parse(text))
        if node.type == "ERROR" or node.is_missing
    ]


@cache
def functions_of(name: str) -> dict[str, frozenset[str]]:
    """The functions of a script, each with the commands it calls."""
    found = {}
    for node in _walk(_parse(text_of(name))):
        if node.type == "function_statement":
            title = next(child for child in node.children if child.type == "function_name")
            found[_text(title)] = frozenset(_commands(node))
    return found


@cache
def commands_of(name: str) -> frozenset[str]:
    """Every command a script can come to, the functions of the library it uses included."""
    functions = {**functions_of("library"), **functions_of(name)}
    seen: set[str] = set()
    waiting = set(_commands(_parse(text_of(name))))
    while waiting:
        command = waiting.pop()
        seen.add(command)
        waiting |= set(functions[command]) - seen if command in functions else set()
    return frozenset(seen - set(functions))


def _commands(node: tree_sitter.Node) -> Iterator[str]:
    for member in _walk(node):
        if member.type == "command_name":
            yield _text(member)


def _text(node: tree_sitter.Node) -> str:
    assert node.text is not None
    return node.text.decode()


def _parse(text: str) -> tree_sitter.Node:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    return parser.parse(text.encode()).root_node


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walk(child)

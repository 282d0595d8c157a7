"""Sizes and words: modules, functions, parameters, lines; nothing unfinished."""

from __future__ import annotations

import ast
import re

import pytest

from tests.tidy.sources import Module, modules

MODULE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_is_short_documented_and_finished(module: Module) -> None:
    assert module.text.count("\n") <= MODULE_LINES_MAX
    assert ast.get_docstring(module.tree), "a module says what it is for"
    assert not UNFINISHED.search(module.text)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_functions_are_short_and_public_ones_documented(module: Module) -> None:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        start = first.end_lineno or 0 if ast.get_docstring(node) else node.lineno
        length = (node.end_lineno or 0) - start
        assert length <= FUNCTION_LINES_MAX, f"{module.name}.{node.name}: {length} lines"
        positional = [
            argument.arg for argument in node.args.args if argument.arg not in {"self", "cls"}
        ]
        assert len(positional) <= 4, f"{module.name}.{node.name}: {positional}"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_public_names_have_docstrings(module: Module) -> None:
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module.name}.{node.name} has no docstring"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_no_text_stands_alone(module: Module) -> None:
    """A string that goes nowhere and begins with a space is the lost half of a longer one."""
    for node in ast.walk(module.tree):
        body = getattr(node, "body", None)
        for statement in body[1:] if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                lost = str(statement.value.value).startswith(" ")
                assert not lost, f"{module.name}:{statement.lineno}"

"""Our templates and the operators' own: theirs come first, ours can be extended by name.

A file of the operators' folder with the name of one of ours replaces it; with
`{% extends "packaged/report.html.j2" %}` it overrides single blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.report import units
from goexchange.report.shown import shown, shown_lines
from goexchange.resources import template_text

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

PACKAGED = "packaged/"
Own = Mapping[str, str]  # the operators' templates: name below their folder -> text


def environment(own: Own, *, is_html: bool) -> SandboxedEnvironment:
    """The templates, sandboxed: what is undefined is an error, what is printed is made visible."""
    return _made(tuple(sorted(own.items())), is_html)


@lru_cache(maxsize=4)
def _made(own: tuple[tuple[str, str], ...], is_html: bool) -> SandboxedEnvironment:
    """The same templates are compiled once, however many pages are tried with them."""
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(_loader(dict(own))),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalized if is_html else shown,
    )
    made.filters.update(
        size=units.size_text,
        exact=units.bytes_text,
        duration=units.duration_text,
        between=lambda one: units.seconds_between(one.start_utc, one.end_utc),
        rate=units.rate_text,
        lines=_lines,
        recorded=lambda value: units.NOT_RECORDED if value in (None, "") else value,
    )
    return made


def rendered(name: str, own: Own, variables: Mapping[str, Any], *, is_html: bool) -> str:
    """One template rendered.

    Raises: InvalidDocument naming template, line and what is wrong.
    """
    return guarded(
        name, lambda: environment(own, is_html=is_html).get_template(name).render(variables)
    )


def guarded(name: str, render: Callable[[], str]) -> str:
    """What `render` gives, with every fault of a template told by its place.

    Raises: InvalidDocument.
    """
    from jinja2 import TemplateError, TemplateSyntaxError

    try:
        return render()
    except TemplateSyntaxError as error:
        is_named = error.name is not None and not error.name.startswith("<")
        where = f"{error.name if is_named else name}:{error.lineno}"
        raise InvalidDocument(f"the template {where} cannot be read: {error.message}") from error
    except TemplateError as error:
        raise InvalidDocument(f"the template {_place(error, name)}: {error.message}") from error
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise InvalidDocument(f"the template {_place(error, name)}: {error}") from error


def check_variables(name: str, own: Own, known: frozenset[str], *, is_html: bool) -> None:
    """Refuse a template of the operators that uses a variable which does not exist, in any branch.

    Raises: InvalidDocument naming template, line and variable.
    """
    from jinja2 import nodes
    from jinja2.meta import find_undeclared_variables

    def check() -> str:
        made = environment(own, is_html=is_html)
        tree = made.parse(own[name], name=name, filename=name)
        unknown = find_undeclared_variables(tree) - known - set(made.globals)
        for node in tree.find_all(nodes.Name):
            if node.name in unknown:
                raise InvalidDocument(
                    f"the template {name}:{node.lineno} uses the variable '{node.name}',"
                    f" which does not exist; there are: {', '.join(sorted(known))}"
                )
        return ""

    guarded(name, check)


def _place(error: Exception, name: str) -> str:
    """Template and line, from the traceback, which Jinja writes in terms of the template."""
    trace, found = error.__traceback__, name
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".j2") or file == name:
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _loader(own: Own) -> Callable[[str], tuple[str, str, Callable[[], bool]] | None]:
    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        text = own.get(name)
        if text is None:
            try:
                text = template_text(name.removeprefix(PACKAGED))
            except GoexchangeError:
                return None
        return text, name, lambda: True

    return load


def _finalized(value: Any) -> Any:
    """Every value that a template prints is made visible first; autoescape comes after."""
    return value if hasattr(value, "__html__") else shown(value)


def _lines(text: str, limit: int) -> Any:
    from markupsafe import escape

    return escape(shown_lines(text, limit=limit))

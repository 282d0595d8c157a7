"""What can be wrong in a file as YAML, in words for operators."""

from __future__ import annotations

from goexchange.errors import Diagnostic, Place

_SUMMARIES = {
    "alias": "aliases are not part of the documents",
    "anchor": "anchors are not part of the documents",
    "character": "a character that cannot be seen",
    "directive": "a directive that documents do not have",
    "duplicate-key": "a key is written twice",
    "empty": "the file is empty",
    "encoding": "the file is not UTF-8",
    "escape": "an escape made a character that cannot be seen",
    "key": "a key is not text",
    "number": "a number that cannot be used",
    "syntax": "the file is not YAML",
    "tab": "a tab in the indentation",
    "tag": "tags are not part of the documents",
    "too-deep": "nested too deeply",
    "too-large": "the file is too large",
}

_SYNTAX_DETAILS = (
    (
        "mapping values are not allowed",
        "A second ': ' stands on this line. Quote the text, or begin a new line.",
    ),
    (
        "unknown escape character",
        "Between double quotes '\\' begins an escape. Write paths in single quotes.",
    ),
    (
        "did not find expected hexdecimal number",
        "Between double quotes '\\' begins an escape. Write paths in single quotes.",
    ),
    ("unexpected end of stream", "A quote is opened and not closed."),
    (
        "could not find expected ':'",
        "A key is written without ': ' and a value, or a line is indented too little.",
    ),
    ("did not find expected key", "The line is not indented like the lines that it belongs to."),
    (
        "did not find expected '-' indicator",
        "The line is not indented like the list that it belongs to.",
    ),
    ("did not find expected ',' or ']'", "A ']' or ',' is missing."),
    ("did not find expected ',' or '}'", "A '}' or ',' is missing."),
    (
        "block sequence entries are not allowed",
        "A list cannot begin here. Begin it on a line of its own.",
    ),
    (
        "did not find expected <document start>",
        "Text follows where the document has ended. Check the indentation.",
    ),
    (
        "did not find expected alphabetic",
        "'*' and '&' have a meaning of their own in YAML. Write the text in quotes.",
    ),
)


def syntax_detail(problem: str, rest: str) -> str:
    """Return what to write instead of what the parser stumbled over; `rest` is what follows."""
    if "cannot start any token" in problem and rest:
        return f"'{rest[0]}' cannot begin a plain text. Write the text in quotes."
    for words, detail in _SYNTAX_DETAILS:
        if words in problem:
            return detail
    return problem[:1].upper() + problem[1:] + "."


def yaml_error(what: str, detail: str, place: Place, source_line: str | None = None) -> Diagnostic:
    """Return the message for one kind of mistake (`duplicate-key`, `tab`, ...)."""
    return Diagnostic(
        id=f"yaml-{what}",
        summary=_SUMMARIES[what],
        detail=detail,
        place=place,
        source_line=source_line,
    )

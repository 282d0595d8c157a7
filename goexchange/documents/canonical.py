"""The canonical form of a file: two spaces per level, no spare blanks; every comment kept."""

from __future__ import annotations

import re
from io import StringIO

from goexchange.documents.composing import parse_documents
from goexchange.documents.tree import to_plain

_BLANK_LINES = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_NEVER_WRAPPED = 1 << 16


def canonical(content: bytes, *, file: str) -> str:
    """Return the canonical text of a file that is without mistakes as YAML.

    Raises: ValueError when it cannot be brought into the form without losing something.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    before = parse_documents(content, file=file)
    assert not before.diagnostics, "ask parse_documents first"
    text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = _NEVER_WRAPPED
    yaml.brace_single_entry_mapping_in_flow_sequence = True  # else [{a: b}] becomes [a: b]
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    try:
        yaml.dump_all(list(yaml.load_all(text)), out)
    except (YAMLError, ValueError, AttributeError) as error:  # its own mistakes with rare input
        raise ValueError(f"it cannot be written in canonical form: {error}") from error
    made = _tidied(out.getvalue(), text)
    after = parse_documents(made, file=file)
    same = [to_plain(each.root) for each in before.documents] == [
        to_plain(each.root) for each in after.documents
    ]
    if after.diagnostics or not same or _comments(made) != _comments(text):
        raise ValueError("its canonical form would not say the same; it is left as it is")
    return made


def _tidied(text: str, original: str) -> str:
    # a block scalar may hold blank lines and blanks at line ends that mean something
    if not re.search(r"[:-] [|>][-+0-9]*\s*(?:#.*)?$", original, re.MULTILINE):
        text = _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text))
    return text.strip("\n") + "\n"


def _comments(text: str) -> list[str]:
    return [found.strip() for found in _COMMENT.findall(text)]

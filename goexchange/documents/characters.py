"""Bytes to text that a reader sees as it is: UTF-8, without characters that hide something."""

from __future__ import annotations

import re

from goexchange.documents.mistakes import yaml_error
from goexchange.errors import Diagnostic, Place

MAX_BYTES = 2 * 1024 * 1024

LINE_BREAK = re.compile(r"\r\n|\n|\r")
# control characters, and those that hide or reorder what follows
UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
)


def decode(content: bytes, file: str) -> tuple[str, Diagnostic | None]:
    """Return the text of a file, or why it has none."""
    start = Place(file=file, line=1, column=1)
    if len(content) > MAX_BYTES:
        detail = f"The file has {len(content)} bytes; a document has at most {MAX_BYTES}. Split it."
        return "", yaml_error("too-large", detail, start)
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            detail = f"The file is {name}. Save it as UTF-8."
            return "", yaml_error("encoding", detail, start)
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        lines = LINE_BREAK.split(before)
        place = Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
        detail = f"Byte 0x{content[error.start]:02x} is not UTF-8 here. Save the file as UTF-8."
        return "", yaml_error("encoding", detail, place)


def unreadable_character(text: str, file: str) -> Diagnostic | None:
    """Return a message about the first character that cannot be seen. Unknown: None for none."""
    match = UNREADABLE.search(text)
    if match is None:
        return None
    lines = LINE_BREAK.split(text[: match.start()])
    place = Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
    code = f"U+{ord(match.group()):04X}"
    detail = f"The character {code} cannot be seen and hides what the text says. Delete it."
    return yaml_error("character", detail, place)

"""What `goexchange --help` prints: verbs and global options, without click or any other library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_FIRST = "Declarative, guarded maintenance of Exchange Server databases."
_SECOND = (
    "Specifications say what has to be true; `plan` shows the difference; `apply` carries out a"
    " saved plan, step by step, journalled and resumable; `report` says what happened. Only verbs"
    " that say 'writes hosts' change anything beyond this machine's files."
)
# flags as they are shown -> what --help says of them; the command line is built from the same rows
OPTIONS: dict[str, str] = {
    "-C DIR": "Work as if started in DIR.",
    "--inventory PATH": "Inventory file or folder.",
    "--profile NAME": "Profile of the configuration to use.",
    "--store PATH": "Where runs, journals and leases are kept.",
    "--key FILE": "SSH key that signs what you approve or start (or GOEXCHANGE_KEY).",
    "--json": "Exactly one JSON document on standard output, on failure too.",
    "-v, --verbose": "Also show where an internal error happened.",
    "-q, --quiet": "No words but errors.",
    "--color [auto|always|never]": "When to colour (default: auto; NO_COLOR is kept).",
    "--log-format [text|json]": "What words on standard error look like (default: text).",
    "-h, --help": "Show this message and exit.",
}


def overview(verbs: Mapping[str, tuple[str, str]], width: int) -> str:
    """Return the text; `verbs` are names with module and description."""
    lines = ["Usage: goexchange [OPTIONS] VERB [ARGUMENTS]...", ""]
    for paragraph in (_FIRST, _SECOND):
        lines += [*_wrapped(paragraph, width, "  "), ""]
    lines += ["Options:", *_table(OPTIONS.items(), width), "", "Verbs:"]
    lines += _table(((name, text) for name, (_, text) in sorted(verbs.items())), width)
    lines += ["", "goexchange VERB --help shows the options of a verb."]
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    found = list(rows)
    column = max(len(name) for name, _ in found) + 4
    lines: list[str] = []
    for name, text in found:
        first, *more = _wrapped(text, width, " " * column)
        lines += [f"  {name}".ljust(column) + first.strip(), *more]
    return lines


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Return the text in lines; `textwrap` would cost more than all of this."""
    lines: list[str] = []
    line = indent
    for word in text.split():
        if line.strip() and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = indent
        line += word if not line.strip() else " " + word
    return [*lines, line]

"""Write `docs/reference/` from the schemas and the code: `python docs/generate.py`.

Run by hand after a change of a schema, an exit code, a fact or a guard; a test compares every byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from goexchange.cli.group import cli
from goexchange.cli.help import EXIT_CODES
from goexchange.cli.main import VERBS
from goexchange.driver.ending import SEVERITY
from goexchange.facts.catalogue import FACTS
from goexchange.guard.registry import GUARDS
from goexchange.model.actual import Generation
from goexchange.model.desired import NotificationEvent
from goexchange.report.message_variables import VARIABLES
from goexchange.schema import load_schema
from goexchange.spec import supported
from goexchange.spec.scripts import SCRIPTS, Cell

FOLDER = Path(__file__).resolve().parent / "reference"
SCHEMA_KINDS = ("specification", "inventory", "configuration", "policy", "specification-test")
GENERATED = "<!-- Written by docs/generate.py. Change the source, then run it again. -->"
COLUMNS = ("key", "type", "default", "meaning", "example")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
NOT_PLAIN = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})

Schema = dict[str, Any]


@frozen
class Book:
    """A schema being written; `seen` are the groups of keys written so far, by their content."""

    root: Schema
    seen: dict[str, str] = field(factory=dict)

    def first_place(self, schema: Schema, path: str) -> str:
        """Where the same keys were written first: `path` when that is here."""
        return self.seen.setdefault(json.dumps(schema["properties"]), path)


def documents() -> dict[str, str]:
    """Every generated document by its file name."""
    found = {f"{kind}.md": schema_document(kind) for kind in SCHEMA_KINDS}
    return found | {
        "exit-codes.md": exit_codes_document(),
        "facts.md": facts_document(),
        "guards.md": guards_document(),
        "messages.md": messages_document(),
        "scripts.md": scripts_document(),
        "verbs.md": verbs_document(),
    }


def messages_document() -> str:
    """Every event, and every variable that a message template may use."""
    intro = (
        "How to use them: [notifications](../notifications.md). A variable that does not apply to"
        " an event is empty, never missing; a name that is not in the list is an error before a run"
        " starts."
    )
    events = [("event", "template of ours")]
    events += [(f"`{one.value}`", f"`messages/{one.value}.txt.j2`") for one in NotificationEvent]
    rows = [("variable", "what it is", "example")]
    for name, (meaning, example) in VARIABLES.items():
        rows.append((f"`{name}`", meaning, f"`{json.dumps(example, ensure_ascii=False)}`"))
    parts = [_head("Messages: events and variables", "What people can be told.", intro)]
    for title, table in (("Events", events), ("Variables", rows)):
        lines = [table[0], tuple("---" for _ in table[0]), *table[1:]]
        parts.append(f"## {title}\n\n" + "\n".join(f"| {' | '.join(one)} |" for one in lines))
    return "\n\n".join(parts) + "\n"


# --- documents with a schema --------------------------------------------------------------------


def schema_document(kind: str) -> str:
    """Every key of one document kind, in the order of its schema."""
    root = load_schema(kind)
    book = Book(root)
    title = "".join(word.capitalize() for word in kind.split("-"))
    intro = (
        f"`kind: {title}`, checked by `schemas/{kind}.v1.json` (`goexchange schema {kind}` prints"
        " it, for editors). Keys of lists are written `key[]`, keys that you name yourself"
        " `key.NAME`. A key without a default in the table is required there."
    )
    parts = [_head(f"{title}: every key", root["description"], intro)]
    keys = {name: name in root.get("required", ()) for name in root["properties"]}
    alone = [name for name in keys if not _has_keys(root["properties"][name], root)]
    top = (_row(name, root["properties"][name], root, is_required=keys[name]) for name in alone)
    parts.append("## On top\n\n" + _rows(top))
    for name in (each for each in keys if each not in alone):
        key = root["properties"][name]
        rows = _rows(_walk(name, key, book, is_required=keys[name]))
        parts.append("\n\n".join([f"## `{name}`", rows, *_notes(key)]))
    for name, part in root["definitions"].items():
        if "properties" in part:
            rows = _rows(_members("", part, book))
            parts.append(
                "\n\n".join([f"## {_spoken(name)}", part["description"], rows, *_notes(part)])
            )
    parts.append(_forms(root))
    if kind == "specification":
        parts.append(_not_executed())
    return "\n\n".join(parts) + "\n"


def _walk(path: str, key: Schema, book: Book, *, is_required: bool) -> Iterator[tuple[str, ...]]:
    """The row of a key and those below it; definitions have sections, what is the same is named."""
    row = _row(path, key, book.root, is_required=is_required)
    whole = _resolved(key, book.root)
    if _object_definition(key, book.root) is not None:
        yield row
        return
    first = book.first_place(whole, path) if "properties" in whole else path
    if first != path:
        yield (*row[:3], f"{row[3]} The same keys as `{first}`.", row[4])
        return
    yield row
    yield from _members(path, whole, book)


def _members(path: str, schema: Schema, book: Book) -> Iterator[tuple[str, ...]]:
    for name, key in schema.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        yield from _walk(below, key, book, is_required=name in schema.get("required", ()))
    inner = {"items": f"{path}[]", "additionalProperties": f"{path}.NAME", "else": path}
    for keyword, below in inner.items():
        if isinstance(schema.get(keyword), dict):
            yield from _members(below, _resolved(schema[keyword], book.root), book)


def _row(path: str, key: Schema, root: Schema, *, is_required: bool) -> tuple[str, ...]:
    whole = {**_resolved(key, root), **key}
    default = "**required**" if is_required else f"`{_flow(whole['default'])}`"
    example = f"`{_flow(whole['examples'][0])}`"
    return f"`{path}`", _type(key, root), default, _meaning(whole, root), example


def _meaning(whole: Schema, root: Schema) -> str:
    """The description, without the words about a form that the type column links to."""
    named = _definition(whole, root)
    form = "" if named is None else str(root["definitions"][named]["description"])
    own = str(whole["description"]).removesuffix(form).rstrip()
    return own or str(whole["description"])


def _type(schema: Schema, root: Schema) -> str:
    """The type in words; forms that have a name are linked to what they look like."""
    named = _definition(schema, root)
    whole = _resolved(schema, root)
    types = whole.get("type", [])
    can_be_null = "null" in types and not isinstance(types, str)
    base = [each for each in ([types] if isinstance(types, str) else types) if each != "null"]
    if named is not None:
        words = f"[{_spoken(named)}](#{_spoken(named).replace(' ', '-')})"
    elif "enum" in whole:
        words = ", ".join(f"`{_flow(each)}`" for each in whole["enum"] if each is not None)
    elif base == ["array"]:
        words = f"list of {_type(whole['items'], root)}"
    elif "additionalProperties" in whole and isinstance(whole["additionalProperties"], dict):
        words = "keys that you name"
    elif "if" in whole and "else" in whole:
        words = f"{_type(whole['then'], root)}, or keys"
    else:
        spoken = {"string": "text", "object": "keys", "boolean": "`true`, `false`",
                  "integer": "whole number", "number": "number"}  # fmt: skip
        words = " or ".join(spoken[each] for each in base) + _bounds(whole)
    return words + (", or null" if can_be_null else "")


def _bounds(schema: Schema) -> str:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is not None and highest is not None:
        return f", {lowest} to {highest}"
    return f", {lowest} or more" if lowest is not None else ""


def _definition(schema: Schema, root: Schema) -> str | None:
    """The name of the definition that a schema is, by reference or by the very same pattern."""
    parts = schema.get("allOf", ())
    reference = schema.get("$ref") or (parts[0].get("$ref") if len(parts) == 1 else None)
    if reference is not None:
        return str(reference).removeprefix("#/definitions/")
    for name, part in root["definitions"].items():
        if "pattern" in schema and part.get("pattern") == schema["pattern"]:
            return str(name)
    return None


def _object_definition(schema: Schema, root: Schema) -> str | None:
    name = _definition(schema, root)
    return name if name is not None and "properties" in root["definitions"][name] else None


def _resolved(schema: Schema, root: Schema) -> Schema:
    parts = schema.get("allOf", ())
    reference = schema.get("$ref") or (parts[0].get("$ref") if len(parts) == 1 else None)
    if reference is None:
        return schema
    definition = root["definitions"][str(reference).removeprefix("#/definitions/")]
    return {**definition, **{name: part for name, part in schema.items() if name != "allOf"}}


def _has_keys(schema: Schema, root: Schema) -> bool:
    whole = _resolved(schema, root)
    if "items" in whole:
        return _has_keys(whole["items"], root)
    return "properties" in whole or isinstance(whole.get("additionalProperties"), dict)


def _notes(schema: Schema) -> list[str]:
    """What holds between keys, as far as the schema says it in words; once each."""
    found: dict[str, None] = {}

    def look(part: Any) -> None:
        for rule in part.get("allOf", ()) if isinstance(part, dict) else ():
            if "description" in rule.get("then", {}):
                found[rule["then"]["description"]] = None
        for inner in part.values() if isinstance(part, dict) else ():
            look(inner)

    look(schema)
    return [f"Note: {text}" for text in found]


def _forms(root: Schema) -> str:
    """What the named forms of values look like."""
    parts = ["## Forms of values"]
    for name, part in sorted(root["definitions"].items()):
        if "properties" not in part:
            example = _flow(part["examples"][0])
            parts.append(f"### {_spoken(name)}\n\n{part['description']} Example: `{example}`.")
    return "\n\n".join(parts)


def _not_executed() -> str:
    """What may be written and is refused by `plan`, from the list that the planner itself reads."""
    # The list is private to its module on purpose; this is the one reader that only describes it.
    names = [name.format(value="...") for name, _ in supported._ROWS]
    lines = "\n".join(f"- {name}" for name in names)
    return (
        "## What this version does not execute\n\n`validate` accepts it, `plan` refuses it by name"
        f" and place; it is never ignored.\n\n{lines}"
    )


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        pairs = (f"{_flow(name)}: {_flow(each)}" for name, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        is_plain = PLAIN.match(value) and value.lower() not in NOT_PLAIN
        return value if is_plain else "'" + value.replace("'", "''") + "'"
    return json.dumps(value)


# --- lists that live in the code ----------------------------------------------------------------


def exit_codes_document() -> str:
    """The table of exit codes, and which one wins."""
    rows = [
        (str(int(code)), f"`{name}`", meaning, changed)
        for code, (name, meaning, changed) in EXIT_CODES.items()
    ]
    order = ", ".join(str(int(code)) for code in SEVERITY)
    head = _head(
        "Exit codes",
        "One code for each thing that an operator does next. `goexchange exit-codes` prints the"
        " same table.",
    )
    table = _table(("code", "name", "meaning", "was anything changed?"), rows)
    after = f"When several hold at the end of a run, the first of these wins: {order}."
    night = "After 22, 23, 24 and 25: [left offline at night](../left-offline-at-night.md)."
    return "\n\n".join([head, table, after, night]) + "\n"


def facts_document() -> str:
    """The catalogue of facts, by what they are about."""
    parts = [
        _head(
            "Facts",
            "Everything that can be observed, by the ids that plans, premises and messages use."
            " A fact that could not be read is *unknown*, with a reason; it never becomes a value.",
            "Class `identity`: which thing it is. `health`: how it is. `informational`: shown, and"
            " never a premise.",
        )
    ]
    for subject in ("server", "host", "database"):
        rows = [
            (f"`{fact.id}`", fact.fact_class.value, fact.docs)
            for fact in FACTS.values()
            if fact.id.startswith(f"{subject}.")
        ]
        parts.append(f"## Of a {subject}\n\n" + _table(("fact", "class", "meaning"), rows))
    return "\n\n".join(parts) + "\n"


def guards_document() -> str:
    """The registered guards: rule, when decided, what they read."""
    rows = [
        (
            f"`{guard.id}`",
            guard.rule[0].upper() + guard.rule[1:] + ".",
            ", ".join(moment.value for moment in guard.moments),
            ", ".join(f"`{fact}`" for fact in guard.reads) or "plan and journal",
        )
        for guard in GUARDS.values()
    ]
    head = _head(
        "Guards",
        "Rules that may refuse a step. *block* and *unknown* refuse; *due* means that the rule can"
        " only be decided before a later step. No guard refuses a step that brings a database back"
        " into service.",
    )
    table = _table(("guard", "rule", "decided at", "reads"), rows)
    once = (
        "Decided once for the whole plan, when `apply` starts: `premises` (each predicate of the"
        " plan still holds), `approval` (of this very plan, unexpired, with every consent),"
        " `valid` (the plan has not expired)."
    )
    return "\n\n".join([head, table, once]) + "\n"


def scripts_document() -> str:
    """Script by version: applies, why not, what instead; from the table that the planner reads."""
    versions = tuple(Generation)
    rows = [
        (f"`{script.value}`", *(cells[each].standing.value for each in versions))
        for script, cells in SCRIPTS.items()
    ]
    head = _head(
        "Scripts",
        "`applies`: it runs there. `applies by consent`: it runs there with the consent"
        " `unconfirmed-generation`, because the facts about the version's tools are not confirmed."
        " `no`: there is nothing there that it could work on; a plan refuses it by name, with the"
        " reason below.",
    )
    table = _table(("script", *(each.value for each in versions)), rows)
    reasons = [
        (f"`{script.value}`", versions_text, why, instead)
        for script, cells in SCRIPTS.items()
        for (why, instead), versions_text in _reasons(cells).items()
    ]
    where = _table(("script", "Exchange", "why not", "what instead"), reasons)
    return "\n\n".join([head, table, "## Where not, and what instead", where]) + "\n"


def _reasons(cells: Mapping[Generation, Cell]) -> dict[tuple[str, str], str]:
    """The versions of each reason, together."""
    found: dict[tuple[str, str], list[str]] = {}
    for generation, cell in cells.items():
        if cell.why is not None:
            found.setdefault((cell.why, cell.instead or ""), []).append(generation.value)
    return {key: ", ".join(value) for key, value in found.items()}


def verbs_document() -> str:
    """Every verb with its options, as the command line itself declares them."""
    context = click.Context(cli, info_name="goexchange")
    intro = (
        "What each verb reads and writes; `goexchange VERB --help` says the same. Options of the"
        " first table stand before the verb, the common ones also after it."
    )
    parts = [_head("Verbs", intro), _options(cli)]
    for verb, (_, summary) in sorted(VERBS.items()):
        command = cli.get_command(context, verb)
        assert command is not None
        parts += [f"## `{verb}`", f"{summary}.", *_verb(command)]
        for name, below in sorted(getattr(command, "commands", {}).items()):
            parts += [f"### `{verb} {name}`", *_verb(below)]
    return "\n\n".join(parts) + "\n"


def _verb(command: click.Command) -> Iterator[str]:
    if command.help:
        yield "\n\n".join(" ".join(each.split()) for each in command.help.split("\n\n"))
    options = _options(command)
    if options:
        yield options


def _options(command: click.Command) -> str:
    """A table of arguments and options; empty when there are none."""
    rows = []
    for each in command.params:
        if isinstance(each, click.Argument):
            rows.append((f"`{_taken(each)}{'...' if each.nargs != 1 else ''}`", "", "argument"))
        elif isinstance(each, click.Option):
            takes = "" if each.is_flag or each.count else f" {_taken(each)}"
            default = f"`{each.default}`" if each.show_default else ""
            rows.append((f"`{', '.join(each.opts)}{takes}`", default, each.help or ""))
    return _table(("option", "default", "meaning"), rows) if rows else ""


def _taken(parameter: click.Parameter) -> str:
    """What stands for the value; click's own words for it differ between its versions."""
    if parameter.metavar is not None:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(map(str, parameter.type.choices))
    is_argument = isinstance(parameter, click.Argument)
    return (parameter.name if is_argument else parameter.type.name or "").upper()


# --- Markdown -----------------------------------------------------------------------------------


def _head(title: str, *paragraphs: str) -> str:
    return "\n\n".join([f"# {title}", GENERATED, *paragraphs])


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return _table(COLUMNS, rows)


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = tuple(columns)
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """Write every document; nothing else is in the folder."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    main()

"""Our reading of YAML 1.2 is that of a round-trip parser, but for its remains of YAML 1.1."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from goexchange.documents import parse_documents, to_plain

# ruamel.yaml also takes 1_000, 0b1, -0x1, -0o7, dates and '=' for other things than text, and
# .5e3 for text
_RUAMEL_1_1 = re.compile(r"_|[-+]?0b|[-+]0[xo]|\d{4}-\d|=|[-+]?\.\d+[eE]\d|<<")

_WORDS = st.lists(
    st.sampled_from(
        [*"0123456789+-.eE:xoab~", "null", "true", "no", "Yes", "off", "0x", "0o", "TRUE"]
    ),
    min_size=1,
    max_size=5,
).map("".join)
_VALUES = st.recursive(
    _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: "[" + ", ".join(parts) + "]")
        | st.lists(inner, max_size=2).map(
            lambda parts: "{" + ", ".join(f"k{n}: {part}" for n, part in enumerate(parts)) + "}"
        )
    ),
    max_leaves=4,
)


@given(_VALUES)
@settings(max_examples=150, deadline=None)
def test_values_are_read_alike(value: str) -> None:
    assume(not _RUAMEL_1_1.search(value))
    text = f"top:\n  - {value}\n"
    try:
        expected = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):  # ValueError: its own mistake with '-.' and the like
        return
    parsed = parse_documents(text, file="f")
    if any(each.id in ("yaml-number", "yaml-key", "yaml-syntax") for each in parsed.diagnostics):
        return
    assert repr(to_plain(parsed.documents[0].root)) == repr(expected)

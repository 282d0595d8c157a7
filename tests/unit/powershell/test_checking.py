"""Our small checker says what the JSON Schema library says."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.powershell.checking import fits, problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.contracts_jobs import JOB_REQUESTS, JOB_RESULTS

SCHEMAS = [
    *(contract.arguments for contract in CONTRACTS.values()),
    *(contract.result for contract in CONTRACTS.values()),
    *JOB_REQUESTS.values(),
    *JOB_RESULTS.values(),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.sampled_from(
        ["", "text", "2026-11-22T10:15:00Z", "YQ==", "open", "placed", "after", "ended"]
    ),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("ab_", max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def values_for(schema: Any) -> st.SearchStrategy[Any]:
    """Values near the schema: mostly right, sometimes with one thing wrong or missing."""
    if schema.get("type") == "array":
        return st.lists(values_for(schema["items"]), max_size=2)
    if "properties" in schema:
        members = {name: values_for(member) for name, member in schema["properties"].items()}
        left_out = st.sampled_from([None, *members]) | st.none()
        return st.tuples(st.fixed_dictionaries(members), left_out).map(
            lambda pair: {name: value for name, value in pair[0].items() if name != pair[1]}
        )
    if schema.get("type") == "object":
        return st.just({"a": 1})
    return SCALARS


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_agrees_with_jsonschema(data: st.DataObject) -> None:
    schema = data.draw(st.sampled_from(SCHEMAS))
    value = data.draw(values_for(schema) | ANY)
    is_valid = jsonschema.Draft7Validator(schema).is_valid(value)
    assert (not list(problems(value, schema))) == is_valid
    assert fits(value, schema) == is_valid


def test_names_the_place() -> None:
    schema = CONTRACTS["poll-job"].result
    found = list(problems({"watched": [{"path": 1, "size_bytes": None}]}, schema))
    assert "$.watched[0].path: expected string, found int" in found
    assert "$.state: missing" in found


def test_another_keyword_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="oneOf"):
        list(problems(1, {"oneOf": []}))

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft7Validator

from goexchange.plan.plan_schema import plan_schema
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import dump, seal
from tests.unit.plan.builders import NOW, database, inventory, server, spec, state

FILE = Path(__file__).parents[3] / "schemas" / "plan.v1.json"


def test_the_schema_in_the_repository_is_the_model_s() -> None:
    assert json.loads(FILE.read_text("utf-8")) == plan_schema(), (
        "the model has changed: write goexchange.plan.plan_schema.plan_schema() to"
        " schemas/plan.v1.json"
    )


def test_a_plan_fits_its_schema_and_a_broken_one_does_not() -> None:
    Draft7Validator.check_schema(plan_schema())
    validator = Draft7Validator(plan_schema())
    seen = server(databases=(database(), database("DB06", is_mounted=False)))
    plain = json.loads(
        dump(seal(make_draft([spec()], inventory(), state(seen), now=NOW), NOW, "me"))
    )
    assert list(validator.iter_errors(plain)) == []
    plain["body"]["decisions"][0]["need"] = "whatever"
    plain["body"]["lanes"][0]["steps"][0]["call"]["is"] = "Shell"
    assert len(list(validator.iter_errors(plain))) >= 2

"""Every record of a night is as the journal's schema says."""

from __future__ import annotations

import json

import jsonschema

from goexchange.journal.chain import line_of
from goexchange.model.run import RecordKind
from goexchange.resources import schema_text
from goexchange.simulation.night import make_night
from goexchange.simulation.site import one_database
from tests.simulation.night.documents import AT, inventory, specification


def test_every_record_of_a_night_fits_the_schema() -> None:
    validator = jsonschema.Draft7Validator(json.loads(schema_text("journal")))
    night = make_night(one_database(), [specification()], inventory(), at=AT)
    for _ in range(60):
        night.take(night.performer.perform(night.next()))
    night.kill()
    night.run_to_end()
    records = night.performer.records
    for record in records:
        plain = json.loads(line_of(record))
        assert not [error.message for error in validator.iter_errors(plain)], plain
    seen = {record.kind for record in records}
    assert {RecordKind.RUN_RESUMED, RecordKind.PROGRESS, RecordKind.LOOKED} <= seen

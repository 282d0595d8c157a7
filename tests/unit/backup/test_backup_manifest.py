"""Manifests: round trip, digest, schema, bad ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from attrs import evolve

from goexchange.backup.manifest import (
    database_facts,
    manifest_bytes,
    parse_manifest,
    restores,
    set_digest,
)
from goexchange.codec import canonical_json, digest
from goexchange.errors import InvalidDocument
from goexchange.ese.header import (
    DatabaseHeader,
    DatabaseState,
    read_database_header,
    rebuild,
    write_database_header,
)
from goexchange.model.backup_set import (
    BackupSet,
    FileRole,
    LogFacts,
    OnlineBackup,
    SetFile,
    SetMethod,
)

SCHEMA = Path(__file__).parents[3] / "schemas" / "backup-set.v1.json"


@pytest.fixture
def body(header: DatabaseHeader) -> BackupSet:
    database = SetFile(
        role=FileRole.DATABASE,
        path="DB01.edb",
        source_path="D:\\DB01\\DB01.edb",
        size_bytes=102 * 32768,
        sha256="d" * 64,
        reason="the database itself",
        database=database_facts(read_database_header(write_database_header(header) * 2)),
    )
    log = SetFile(
        role=FileRole.LOG,
        path="logs/E00.log",
        source_path="D:\\Logs\\E00.log",
        size_bytes=1048576,
        sha256="e" * 64,
        reason="current log of the stream",
        log=LogFacts(generation=None),
    )
    return BackupSet(
        set_id="EX1-DB01-1",
        server="EX1",
        database="DB01",
        database_guid="6f1b6bb2-1b5d-4b7e-8a57-4d2c8a1d9e01",
        taken_at_utc=datetime(2024, 3, 9, 22, 5, tzinfo=UTC),
        run="run-1",
        plan="plan-1",
        method=SetMethod.OFFLINE_COPY,
        files=(database, log),
        restores=restores(header, missing_generations=()),
    )


def test_a_manifest_reads_back_and_states_its_own_digest(body: BackupSet):
    content = manifest_bytes(body)
    sealed = parse_manifest(content)
    assert sealed.body == body
    assert sealed.sha256 == set_digest(body) == json.loads(content)["sha256"]
    assert manifest_bytes(body) == content


def test_a_manifest_fits_its_schema(body: BackupSet):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    document = json.loads(manifest_bytes(body))
    jsonschema.Draft7Validator(schema).validate(document)
    document["body"]["files"][0]["path"] = "..\\up"
    assert not jsonschema.Draft7Validator(schema).is_valid(document)


def test_the_header_facts_are_in_the_words_of_the_tool(body: BackupSet):
    facts = body.files[0].database
    assert facts is not None
    assert facts.state == "Clean Shutdown"
    assert facts.last_consistent == "(0x14,3,8)"
    assert facts.log_signature == ("Create time:03/02/2024 08:15:00.000 Rand:771203311 Computer:")


def test_a_clean_set_carries_the_last_online_backup_forward(header: DatabaseHeader):
    found = restores(header, missing_generations=())
    assert found.clean_point == "(0x14,3,8)"
    assert found.clean_point_at_utc == datetime(2024, 3, 9, 6, 20, tzinfo=UTC)
    assert found.carries_forward == OnlineBackup(
        first_generation=0x0E,
        last_generation=0x10,
        marked_at_utc=datetime(2024, 3, 9, 6, 17, tzinfo=UTC),
    )


def test_a_gap_carries_nothing_forward_and_a_dirty_or_evidence_set_has_no_clean_point(
    header: DatabaseHeader,
):
    assert restores(header, missing_generations=((1, 2),)).carries_forward is None
    dirty = rebuild(header, state=DatabaseState.DIRTY_SHUTDOWN, log_required_high=0x14)
    assert restores(dirty, missing_generations=()).clean_point is None
    evidence = restores(header, missing_generations=(), method=SetMethod.EVIDENCE)
    assert evidence.clean_point is None


def test_an_edited_manifest_is_refused(body: BackupSet):
    content = manifest_bytes(body).replace(b"EX1-DB01-1", b"EX1-DB01-2")
    with pytest.raises(InvalidDocument, match="changed after it was sealed"):
        parse_manifest(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"apiVersion":"goexchange/v1","kind":"Plan","body":{},"sha256":""}',
        b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":""}',
        b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":"","body":{"a":NaN}}',
        b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":"","body":{"a":"\\ud800"}}',
        b'{"apiVersion":"goexchange/v1","kind":"BackupSet","sha256":"","body":{"a":1e999}}',
    ],
)
def test_what_is_no_manifest_is_refused_in_words(content: bytes):
    with pytest.raises(InvalidDocument, match="manifest"):
        parse_manifest(content)


def test_a_sealed_body_of_another_shape_is_refused_naming_the_place():
    plain = {"set_id": 7}
    content = canonical_json(
        {
            "apiVersion": "goexchange/v1",
            "kind": "BackupSet",
            "sha256": digest(plain),
            "body": plain,
        }
    )
    with pytest.raises(InvalidDocument, match="set_id"):
        parse_manifest(content)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "C:x", "a\\b", "", "."])
def test_a_path_out_of_the_set_is_refused(body: BackupSet, path: str):
    files = (evolve(body.files[0], path=path), body.files[1])
    with pytest.raises(InvalidDocument, match="leads out"):
        parse_manifest(manifest_bytes(evolve(body, files=files)))


def test_a_path_that_stands_twice_is_refused(body: BackupSet):
    files = (body.files[0], evolve(body.files[1], path="db01.EDB"))
    with pytest.raises(InvalidDocument, match="stands twice"):
        parse_manifest(manifest_bytes(evolve(body, files=files)))

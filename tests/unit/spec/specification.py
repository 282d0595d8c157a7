"""A specification as text, changed line by line, for the tests of this folder."""

from __future__ import annotations

from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic
from goexchange.model.desired import DesiredState
from goexchange.spec import load_specification

MINIMAL = """\
apiVersion: goexchange/v1
kind: Specification
metadata: {name: compact}
targets: {servers: [EX01]}
script: {name: preventative-maintenance}
backup:
  before: {offline: {target: {path: 'E:\\goexchange'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}
"""


def with_lines(added: str, *, without: tuple[str, ...] = ()) -> str:
    """Return the smallest specification without lines that begin so, and with others at the end."""
    kept = [line for line in MINIMAL.splitlines() if not line.startswith(without or ("\0",))]
    return "\n".join(kept) + "\n" + added


def document(text: str) -> Document:
    """Return a document that has no mistakes as YAML."""
    parsed = parse_documents(text, file="s.yaml")
    assert parsed.diagnostics == ()
    return parsed.documents[0]


def desired(text: str) -> DesiredState:
    """Return the desired state of a specification that has no mistakes."""
    found, diagnostics = load_specification(document(text))
    assert diagnostics == ()
    assert found is not None
    return found


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong in a specification."""
    return load_specification(document(text))[1]

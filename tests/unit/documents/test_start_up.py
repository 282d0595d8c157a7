"""Reading documents loads nothing that only mistakes, or other verbs, need."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.unit.documents.examples import ROOT, SPECS

HEAVY = ("jsonschema", "numpy", "jinja2", "rich", "pyinfra", "winrm", "pypsrp", "asyncio", "cattrs")
PROGRAM = """
import json, sys
from goexchange.documents import parse_documents
from goexchange.inventory.loading import load_inventory
from goexchange.settings.loading import load_configuration
from goexchange.spec.loading import load_specification
before = sorted(sys.modules)
for path in sys.argv[1:]:
    for document in parse_documents(open(path, "rb").read(), file=path).documents:
        assert load_specification(document)[0] is not None
print(json.dumps([before, sorted(sys.modules)]))
"""


def test_valid_documents_need_no_heavy_library() -> None:
    command = [sys.executable, "-c", PROGRAM, str(SPECS / "weekly-preventative.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    before, after = json.loads(done.stdout)
    assert "yaml" not in before
    assert "yaml" in after
    assert "difflib" not in after
    assert "zoneinfo" not in after
    assert set(HEAVY).isdisjoint(after)

"""Reports in a real browser: readable by everybody, at every width, with nothing from elsewhere.

Runs where chromium and axe-core are: GOEXCHANGE_AXE names the file `axe.min.js`, which `.ci/run`
gets with npm.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from goexchange.model.plan import Plan
from goexchange.model.run import Record
from goexchange.report.html import render_html
from goexchange.report.model import build_report
from tests.unit.report import conftest as nights

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = os.environ.get("GOEXCHANGE_AXE", "")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not Path(AXE).is_file(),
    reason="needs chromium, and GOEXCHANGE_AXE with the path of axe-core's axe.min.js",
)
Night = Callable[[Plan], tuple[Record, ...]]
PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>
<iframe id="f" title="f" width="{width}" height="3000" srcdoc="{document}"></iframe>
<pre id="result">nothing</pre>
<script>
document.getElementById('f').addEventListener('load', async () => {{
  const frame = document.getElementById('f').contentWindow;
  const script = frame.document.createElement('script');
  script.textContent = {axe};
  frame.document.head.appendChild(script);
  const found = await frame.axe.run(frame.document, {{resultTypes: ['violations']}});
  const root = frame.document.documentElement;
  document.getElementById('result').textContent = btoa(unescape(encodeURIComponent(JSON.stringify({{
    violations: found.violations.map(v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html)]),
    requests: frame.performance.getEntriesByType('resource').map(e => e.name),
    overflow: root.scrollWidth - root.clientWidth,
    dark: frame.matchMedia('(prefers-color-scheme: dark)').matches,
  }}))));
}});
</script></body></html>"""


def looked_at(document: str, folder: Path, *, width: int, is_dark: bool = False) -> Any:
    """What axe-core and the browser say of a document at a width."""
    import base64

    document = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", document)
    axe = json.dumps(Path(AXE).read_text("utf-8")).replace("</", "<\\/")
    page = folder / "page.html"
    page.write_text(
        PAGE.format(width=width, document=html.escape(document, quote=True), axe=axe), "utf-8"
    )
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--blink-settings=preferredColorScheme={0 if is_dark else 1}",
            f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=60000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )
    found = re.search(r'<pre id="result">([A-Za-z0-9+/=]+)</pre>', done.stdout)
    assert found and found[1] != "nothing", done.stderr[-2000:]
    return json.loads(base64.b64decode(found[1]))


@pytest.mark.parametrize(
    ("night", "width", "is_dark"),
    [("clean", 1280, False), ("offline", 400, False), ("way-back", 1280, True)],
)
def test_a_report_can_be_read_by_everybody(
    tmp_path: Path, night: str, width: int, is_dark: bool
) -> None:
    plan = nights.sealed(nights.body())
    document = render_html(build_report(plan, nights.NIGHTS[night](plan)))
    seen: Mapping[str, Any] = looked_at(document, tmp_path, width=width, is_dark=is_dark)
    assert seen["dark"] is is_dark
    assert seen["violations"] == []
    assert seen["requests"] == [] and seen["overflow"] <= 0


def test_the_check_notices_what_is_wrong(tmp_path: Path) -> None:
    wrong = (
        '<html><head><title>x</title></head><body><img src="http://elsewhere.example/x.png">'
        '<p style="color:#ddd;background:#fff;width:900px">faint</p></body></html>'
    )
    seen = looked_at(wrong, tmp_path, width=400)
    ids = {violation[0] for violation in seen["violations"]}
    assert {"image-alt", "html-has-lang", "color-contrast"} <= ids
    assert seen["requests"] == ["http://elsewhere.example/x.png"] and seen["overflow"] > 0

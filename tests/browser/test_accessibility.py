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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from goexchange.report.html import render_html
from goexchange.report.model import build_report
from goexchange.report.sheet_html import render_sheet_html
from goexchange.report.site_html import render_site
from goexchange.report.trend import make_trend
from tests.unit.report import conftest as nights
from tests.unit.report import sheets

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = os.environ.get("GOEXCHANGE_AXE", "")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not Path(AXE).is_file(),
    reason="needs chromium, and GOEXCHANGE_AXE with the path of axe-core's axe.min.js",
)
PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>
<iframe id="f" title="f" width="{width}" height="3000" srcdoc="{document}"></iframe>
<pre id="result">nothing</pre>
<script>
const axe = {axe};
document.getElementById('f').addEventListener('load', async () => {{
  const frame = document.getElementById('f').contentWindow;
  const script = frame.document.createElement('script');
  script.textContent = axe;
  frame.document.head.appendChild(script);
  const found = axe && await frame.axe.run(frame.document, {{resultTypes: ['violations']}});
  const root = frame.document.documentElement;
  document.getElementById('result').textContent = btoa(unescape(encodeURIComponent(JSON.stringify({{
    violations: (found ? found.violations : []).map(
      v => [v.id, v.help, v.nodes.slice(0, 3).map(n => n.html)]),
    requests: frame.performance.getEntriesByType('resource').map(e => e.name),
    overflow: root.scrollWidth - root.clientWidth,
    dark: frame.matchMedia('(prefers-color-scheme: dark)').matches,
  }}))));
}});
</script></body></html>"""


def looked_at(
    document: str, folder: Path, *, width: int, is_dark: bool = False, has_axe: bool = True
) -> Any:
    """What the browser, and axe-core unless it is left out, say of a document at a width."""
    import base64

    document = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", document)
    source = Path(AXE).read_text("utf-8") if has_axe else ""
    axe = json.dumps(source).replace("</", "<\\/")
    page = folder / "page.html"
    page.write_text(
        PAGE.format(width=width, document=html.escape(document, quote=True), axe=axe), "utf-8"
    )
    colours = f"--blink-settings=preferredColorScheme={0 if is_dark else 1}"
    done = browse(folder, colours, "--virtual-time-budget=60000", "--dump-dom", page.as_uri())
    found = re.search(r'<pre id="result">([A-Za-z0-9+/=]+)</pre>', done.stdout)
    assert found and found[1] != "nothing", done.stderr[-2000:]
    return json.loads(base64.b64decode(found[1]))


def browse(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Start the browser without a screen and without any network, and wait for its end."""
    assert CHROMIUM is not None
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            *words,
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


def written(name: str) -> str:
    """The HTML of a named night, or of a sheet."""
    plan = nights.sealed(nights.body())
    if name in nights.NIGHTS:
        return render_html(build_report(plan, nights.NIGHTS[name](plan)))
    if name == "large":
        large = nights.large_plan(20, 5)
        return render_html(build_report(large, nights.large_night(large)))
    if name == "site":
        return render_site(
            make_trend(build_report(plan, one(plan)) for one in nights.NIGHTS.values())
        )
    return render_sheet_html(sheets.all_sheets()[name])


LARGE = "large"  # of the same form as the others; it takes as long as they do together
NAMED = ["clean", "way-back", "offline", "unprotected", "refused", LARGE]
OTHERS = ["dead", "plan", "rehearsal", "verification", "check", "resources", "pilot", "site"]


@pytest.mark.parametrize(
    ("name", "width"),
    [
        *((name, 1280) for name in NAMED),
        *((name, 400) for name in (*NAMED[:-1], *OTHERS)),
        pytest.param(LARGE, 400, marks=pytest.mark.long),
    ],
)
def test_a_report_can_be_read_by_everybody(tmp_path: Path, name: str, width: int) -> None:
    is_dark = (len(name) + width) % 3 == 0  # of each width some in dark
    document = written(name)
    is_all = name != LARGE or width == 1280  # the large one is looked through once
    seen: Mapping[str, Any] = looked_at(
        document, tmp_path, width=width, is_dark=is_dark, has_axe=is_all
    )
    assert seen["dark"] is is_dark
    assert seen["violations"] == []
    assert seen["requests"] == [] and seen["overflow"] <= 0
    assert len(document.encode()) < 2_000_000


def as_printed(document: str) -> str:
    """The document with its rules for paper in force, whatever it is shown on."""
    return document.replace("@media screen and", "@media not all and").replace(
        "@media print", "@media all"
    )


@pytest.mark.parametrize(
    "name", [*NAMED[:-1], *(pytest.param(one, marks=pytest.mark.long) for one in (LARGE, *OTHERS))]
)
def test_nothing_is_cut_on_paper(tmp_path: Path, name: str) -> None:
    """A4 leaves 184 mm between the margins: 695 pixels."""
    document = written(name)
    assert looked_at(as_printed(document), tmp_path, width=695, has_axe=False)["overflow"] <= 0
    assert 1 <= pages(document, tmp_path) <= 300


def pages(document: str, folder: Path) -> int:
    """How many pages the browser prints it on."""
    page, paper = folder / "paper.html", folder / "paper.pdf"
    page.write_text(document, "utf-8")
    asked = [f"--print-to-pdf={paper}", page.as_uri()]
    browse(folder, *asked)
    return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))


def test_the_check_notices_what_is_wrong(tmp_path: Path) -> None:
    wrong = (
        '<html><head><title>x</title></head><body><img src="http://elsewhere.example/x.png">'
        '<p style="color:#ddd;background:#fff;width:900px">faint</p></body></html>'
    )
    seen = looked_at(wrong, tmp_path, width=400)
    ids = {violation[0] for violation in seen["violations"]}
    assert {"image-alt", "html-has-lang", "color-contrast"} <= ids
    assert seen["requests"] == ["http://elsewhere.example/x.png"] and seen["overflow"] > 0

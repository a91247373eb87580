"""A page in a real browser, headless."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
    "--enable-logging=stderr",
)
ASK = """
<script>
addEventListener("load", () => {
  const said = (() => { %s })();
  const box = document.createElement("pre");
  box.id = "said";
  box.textContent = JSON.stringify(said);
  document.body.append(box);
});
</script>
"""


def ask(  # noqa: PLR0913  # a page, a question, and how the window is
    folder: Path,
    page: str,
    script: str,
    *,
    frame: int = 0,
    at: str = "",
    flags: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401  # what a script returns
    """Open the page in a window and return what a script found there.

    ``frame``: in a frame so many pixels wide; a browser's window has a least width.
    """
    if BROWSER is None:
        pytest.skip("chromium is not installed: run setup/install")
    file, body = folder / "report.html", page
    if frame:
        inner = f'<iframe width="{frame}" height="900" srcdoc="{escape(page)}"></iframe>'
        body = f"<body>{inner}</body>"
    file.write_text(body.replace("</body>", ASK % script + "</body>", 1))
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [str(BROWSER), *QUIET, profile, *flags, "--dump-dom", f"{file.as_uri()}{at}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-500:]
    return json.loads(unescape(found[1]))

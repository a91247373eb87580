"""The command that draws the feature map."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from harness.commands.options import group

app = group()


class Form(Enum):
    """How the map is written."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


@app.command("map")
def draw(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, the latest last.")],
    form: Annotated[Form, typer.Option("--format", help="html, md or json.")] = Form.HTML,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: feature-map.* in the last run.")
    ] = None,
) -> None:
    """Draw what which distribution does on which Windows release, from the verdicts of runs."""
    from harness.errors import ResultsError
    from harness.report.feature_map import Ran, feature_map, to_json, to_markdown
    from harness.report.map_page import render_map
    from harness.report.store import Store

    render = {Form.HTML: render_map, Form.MARKDOWN: to_markdown, Form.JSON: to_json}[form]
    folders = [run.resolve() for run in runs]
    target = (out or folders[-1] / f"feature-map.{form.value}").absolute()
    ran = [
        Ran(folder.name, os.path.relpath(folder, target.parent), Store(folder).verdicts())
        for folder in folders
    ]
    text = render(feature_map(ran))
    try:
        target.write_text(text)
    except OSError as wrong:
        said = f"{target}: cannot write the map ({wrong.strerror}); name another file with --out"
        raise ResultsError(said) from wrong
    typer.echo(f"map: {target}")

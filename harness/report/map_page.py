"""The feature map as one HTML page that needs nothing else."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.report.feature_map import MARKS, NOT_CERTIFIED, WORDS, FeatureMap


def render_map(table: FeatureMap) -> str:
    """Return the page."""
    loader = PackageLoader("harness.report", ".")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("map.html.j2")
    return page.render(
        table=table, legend=[(mark, WORDS[state], state) for state, mark in MARKS.items()],
        not_certified=NOT_CERTIFIED,
    )  # fmt: skip

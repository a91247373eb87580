"""The ``hvcert`` command. Heavy imports stay inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from harness.commands import contract, history, image, lab, results, run, selftest, sweep
from harness.commands import map as feature_map
from harness.commands.options import EMBEDDED, InventoryFile

ROOT = Path(__file__).parent.parent

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: loading rich would cost more than everything else
    help="Certifies Linux guests on Hyper-V; proves itself on a stand-in host.",
)
app.add_typer(run.app)
app.add_typer(results.app)
app.add_typer(history.app)
app.add_typer(feature_map.app)
app.add_typer(sweep.app)
app.add_typer(selftest.app)
app.add_typer(lab.app, name="lab")
app.add_typer(image.app, name="image")
app.add_typer(contract.app, name="contract")


def main() -> None:
    """Run the command line; an error of the harness is one sentence and exit status 2."""
    from harness.errors import HarnessError, InventoryError

    try:
        app()
    except InventoryError as wrong:
        _fail("\n".join((f"{wrong.path}:", *(f"  {problem}" for problem in wrong.problems))))
    except HarnessError as wrong:
        _fail(str(wrong))


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"hvcert: {sentence}\n")
    raise SystemExit(2)


@app.command()
def read(
    topic: Annotated[
        str,
        typer.Argument(
            help="mmio, interrupts, balloon, meminfo, vss, storage, df, kdump, framebuffer, panic "
            "or health."
        ),
    ],
    file: Annotated[str, typer.Argument(help="Console log or output; `-` is standard input.")],
) -> None:
    """Read raw text with the judges' parsers; one JSON object, null for what it does not say."""
    import json

    from harness.checks.text import decode
    from harness.reading import TOPICS

    if topic not in TOPICS:
        _fail(f"no topic {topic}; there are {', '.join(TOPICS)}")
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as wrong:
        _fail(f"{file}: {wrong.strerror}; name a file to read, or - for standard input")
    typer.echo(json.dumps(TOPICS[topic](decode(raw)), indent=2))


@app.command("list")
def list_cases() -> None:
    """List the certification cases: id, feature, parameters, what it proves."""
    from harness.catalogue import cases

    for row in cases(ROOT / "testcases"):
        typer.echo("\t".join(row))


@app.command()
def doctor(inventory: InventoryFile = EMBEDDED) -> None:
    """Look at hosts, credentials, templates and guests before a night is lost; say what to fix."""
    from harness import lab
    from harness.doctor import examine
    from harness.inventory.load import load
    from harness.run import open_session

    loaded = load(inventory)
    with lab.embedded(loaded.lab, lab.images(loaded)):
        findings = examine(loaded, open_session)
    for finding in findings:
        mark = {True: "ok", False: "FIX", None: "?"}[finding.ok]
        typer.echo(f"{mark:4}{finding.subject}: {finding.check}: {finding.said}")
        if finding.ok is not True and finding.advice:
            typer.echo(f"      {finding.advice}")
    raise SystemExit(2 if any(finding.ok is False for finding in findings) else 0)


if __name__ == "__main__":
    main()

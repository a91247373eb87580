"""The ``hvcert`` command. Heavy imports stay inside the commands: ``--help`` answers at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

ROOT = Path(__file__).parent.parent
EMBEDDED = ROOT / "inventories" / "embedded.yaml"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: loading rich would cost more than everything else
    help="Certifies Linux guests on Hyper-V; proves itself on a stand-in host.",
)
lab_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The stand-in Hyper-V host alone."
)
app.add_typer(lab_app, name="lab")
image_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Guest images of your own."
)
app.add_typer(image_app, name="image")
contract_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="How a host answers, cmdlet by cmdlet."
)
app.add_typer(contract_app, name="contract")

PYTEST = (
    *(sys.executable, "-m", "pytest", str(ROOT / "testcases"), "-p", "harness.pytest_plugin"),
    *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"),
    "--tb=short",
)
RunFolder = Annotated[Path, typer.Argument(help="A run, such as results/latest.")]
InventoryFile = Annotated[Path, typer.Option("--inventory", help="Inventory file.")]
TableFile = Annotated[
    Path | None, typer.Option("--table", help="Write verdicts and times to this file (Markdown).")
]
Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", help="Break the stand-in on purpose; `hvcert lab faults` lists how."),
]


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
def run(  # noqa: PLR0913, PLR0917  # Typer's form: one parameter per option
    inventory: InventoryFile = EMBEDDED,
    select: Annotated[
        str, typer.Option(help="Cases to run: a pytest -k expression over ids and names.")
    ] = "",
    results: Annotated[Path, typer.Option(help="Folder of all results.")] = Path("results"),
    workers: Annotated[int, typer.Option("-n", help="Cases at a time.", min=0)] = 0,
    fault: Faults = None,
    long: Annotated[bool, typer.Option("--long", help="Also the cases marked long.")] = False,  # noqa: FBT002  # Typer's form
    keep_cores: Annotated[bool, typer.Option("--keep-cores", help="Copy cores, too.")] = False,  # noqa: FBT002  # Typer's form
    repeat: Annotated[
        int, typer.Option(help="Until there are so many runs; results/flakiness.md counts.", min=1)
    ] = 1,
) -> None:
    """Run the certification cases; exit status 0 as expected, 1 a verdict failed, 2 an error."""
    from harness import lab
    from harness.inventory.load import load
    from harness.report.result import new_name
    from harness.watch import watch

    for warning in lab.with_faults(load(inventory), tuple(fault or ())).warnings:
        typer.echo(f"warning: {warning}", err=True)
    options = [f"--inventory={inventory.absolute()}", f"--results={results.absolute()}"]
    options += [] if long else ["-m", "not long"]
    options += ["-k", select] if select else []
    options += ["-n", str(workers)] if workers else []
    options += [f"--fault={name}" for name in fault or ()]
    options += ["--keep-cores"] if keep_cores else []

    def once() -> tuple[int, Path]:
        folder = results.absolute() / new_name()
        return watch([*PYTEST, *options, f"--run={folder.name}"], folder), folder

    if repeat == 1:
        raise SystemExit(once()[0])
    from harness.repeat import repeat as again

    raise SystemExit(again(repeat, results.absolute(), once, typer.echo))


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


@app.command()
def report(folder: RunFolder, table: TableFile = None) -> None:
    """Make a run's report.html again from its stored verdicts, and show where its time went."""
    from harness.report.store import Store
    from harness.watch import show_times

    store = Store(folder.resolve())
    rows = store.verdicts()
    written = store.write_report(rows)
    show_times(rows, store.times())
    typer.echo(f"report: {written}")
    if table is not None:
        store.write_table(rows, table)
        typer.echo(f"table: {table}")


@app.command()
def replay(folders: Annotated[list[Path], typer.Argument(help="Runs, or one.")]) -> None:
    """Run the cases of runs again from recordings, with no host; status 1 if a verdict differs."""
    from harness.replay import replay_all

    found = replay_all([folder.resolve() for folder in folders])
    for folder, (verdicts, differ) in zip(folders, found, strict=True):
        for difference in differ:
            typer.echo(str(difference))
        where = "" if len(folders) == 1 else f"{folder}: "
        typer.echo(f"{where}{len(verdicts)} verdicts from the recording, {len(differ)} differ")
    raise SystemExit(1 if any(differ for _, differ in found) else 0)


@app.command()
def judge(folder: RunFolder) -> None:
    """Judge a run again by today's rules, from its recording; list the verdicts that differ."""
    from harness.replay import replay as again

    verdicts, differ = again(folder.resolve())
    for difference in differ:
        typer.echo(str(difference))
    typer.echo(f"{len(verdicts)} verdicts judged again, {len(differ)} differ: see {folder}/replay")


@app.command()
def selftest(  # noqa: PLR0913, PLR0917  # Typer's form: one parameter per option
    fault: Faults = None,
    listed: Annotated[bool, typer.Option("--list", help="List the faults, name first.")] = False,  # noqa: FBT002  # Typer's form
    quick: Annotated[bool, typer.Option("--quick", help="Judge kept recordings.")] = False,  # noqa: FBT002
    few: Annotated[bool, typer.Option("--few", help="Two sentinel cases, not seven.")] = False,  # noqa: FBT002
    stale: Annotated[bool, typer.Option("--stale", help="Rows of earlier commits do.")] = False,  # noqa: FBT002
    keep: Annotated[bool, typer.Option("--keep", help="Keep recordings in the project.")] = False,  # noqa: FBT002
    results: Annotated[Path, typer.Option(help="Folder of its results.")] = Path(
        "results/selftest"
    ),
    inventory: InventoryFile = EMBEDDED,
    workers: Annotated[int, typer.Option("-n", help="Cases at a time.", min=0)] = 0,
) -> None:
    """Run the cases against each fault; print the matrix; status 1 when one is not noticed."""
    if listed:
        _lab("faults")
    chosen = {"--quick": quick, "--few": few, "--stale": stale, "--keep": keep}
    given = (*(f"--fault={name}" for name in fault or ()), *(o for o, on in chosen.items() if on))
    run_options = (f"--inventory={inventory.absolute()}", f"-n{workers}")
    _lab("selftest", f"--results={results.absolute()}", *given, "--", *run_options)


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


@lab_app.command()
def up(
    host: Annotated[
        list[str] | None,
        typer.Option(help="NAME:WINDOWS:ADDRESS; windows is 2012r2, 2016, 2019, 2022 or 2025."),
    ] = None,
    fault: Faults = None,
) -> None:
    """Bring the stand-in host up and leave it up; any WinRM client can use it."""
    hosts = (f"--host={entry}" for entry in host or ())
    _lab("up", *hosts, *(f"--fault={name}" for name in fault or ()))


@lab_app.command()
def down() -> None:
    """Take the stand-in host down, with every machine and file that it made."""
    _lab("down")


@lab_app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002  # Typer's form
) -> None:
    """Show the stand-in hosts that are up: address, user, password, Windows release."""
    _lab("status", *(["--json"] if as_json else []))


@lab_app.command()
def limits() -> None:
    """Print every known difference of the stand-in from Hyper-V."""
    _lab("limits")


@lab_app.command()
def faults() -> None:
    """Print every fault that can be seeded in the stand-in: name, level, what it does."""
    _lab("faults")


@lab_app.command()
def image(name: Annotated[str, typer.Argument(help="Image to build.")] = "debian-12") -> None:
    """Build the guest image if it is not in the cache, and print where it is."""
    _lab("image", "--name", name)


@image_app.command("stage")
def image_stage(
    source: Annotated[Path, typer.Argument(help="A raw, qcow2, VHD or VHDX image.")],
    host: Annotated[str, typer.Option(help="A host of the inventory.")],
    generation: Annotated[int, typer.Option(help="Of the VM that boots it.", min=1, max=2)],
    inventory: InventoryFile = EMBEDDED,
    name: Annotated[str, typer.Option(help="Of the template; default: the file's.")] = "",
) -> None:
    """Put an image on a host as a read-only template, and print its path for an inventory."""
    from harness.staging import stage_image

    typer.echo(stage_image(source, inventory, host, name or source.stem, generation))


@contract_app.command("record")
def contract_record(
    out: Annotated[Path, typer.Option(help="File to write.")],
    inventory: InventoryFile = EMBEDDED,
    host: Annotated[str, typer.Option(help="A host of the inventory; default: the first.")] = "",
) -> None:
    """Ask a host every kind of call, on a VM of our own; write its answers without any name."""
    from harness.contract.recording import record

    typer.echo(record(inventory, host, out))


@contract_app.command("compare")
def contract_compare(
    one: Annotated[Path, typer.Argument(help="A recording.")],
    other: Annotated[
        Path | None, typer.Argument(help="Another; without it, Microsoft's documentation.")
    ] = None,
) -> None:
    """Print what differs, per cmdlet and field; exit status 1 when anything does."""
    from harness.contract.compare import compare

    found = compare(one, other)
    for difference in found:
        typer.echo(str(difference))
    typer.echo(f"{len(found)} differ")
    raise SystemExit(1 if found else 0)


def _lab(*arguments: str) -> NoReturn:
    from harness.lab import PROGRAM

    raise SystemExit(subprocess.run((*PROGRAM, *arguments), check=False).returncode)  # noqa: S603


if __name__ == "__main__":
    main()

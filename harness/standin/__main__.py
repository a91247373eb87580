"""The stand-in as a program: ``python -m harness.standin up|down|status|share|image|limits``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from harness.errors import HarnessError
from harness.standin import state
from harness.standin.hostlist import FORM, parse_hosts, with_faults

ROOT = Path(__file__).parents[2]
BARE = "--no-templates"
FAULT = "break the hosts on purpose: NAME, or HOST/NAME for one of them; `faults` lists them"
IMAGE = "build this guest image if need be, may be repeated; without it debian-12"

SIMULATED = "--simulated"
RECORDINGS = "guests are recordings; so much of a recorded second passes, such as 0.02"
OTHER_OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("status", "--json", {"action": "store_true"}),
    ("contract", "windows", {"choices": ("2012r2", "2016", "2019", "2022", "2025")}),
    ("image", "--name", {"default": "debian-12"}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one sentence on stderr and exit status 2."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupted)  # so that half-done work is cleared away
    try:
        return int(options.run(options))
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-done is left\n")
        return 130


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.standin", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, said in (
        ("serve", _serve, "serve in the foreground"),
        ("up", _up, "start the hosts and leave them up"),
        ("down", _down, "end the hosts, their machines and their files"),
        ("status", _status, "show the hosts that are up"),
        ("share", _share, "give guest images to the hosts that are up"),
        ("image", _image, "build a guest image if need be and print its path"),
        ("limits", _limits, "print every known difference from Hyper-V"),
        ("faults", _faults, "print every fault that can be seeded, name first"),
        ("contract", _contract, "print what is documented of the objects of a release, as JSON"),
        ("selftest", _selftest, "run the cases against each fault and print the matrix"),
    ):
        command = commands.add_parser(name, help=said, description=said)
        command.set_defaults(run=run)
        if name in ("serve", "up", "down", "status", "share"):
            command.add_argument("--state", type=Path, default=state.default_folder())
        if name in ("serve", "up"):
            command.add_argument("--host", action="append", default=[], help=FORM)
            command.add_argument(SIMULATED, type=float, metavar="SCALE", help=RECORDINGS)
            command.add_argument(BARE, action="store_true", help="hosts without template disks")
            command.add_argument("--fault", action="append", default=[], help=FAULT)
        if name in ("up", "share"):
            command.add_argument("--image", action="append", default=[], help=IMAGE)
        if name == "selftest":
            command.add_argument("--fault", action="append", default=[], help="instead of all")
            command.add_argument("--results", type=Path, default=Path("results/selftest"))
            command.add_argument("--quick", action="store_true", help="judge recordings again")
            command.add_argument("--few", action="store_true", help="two sentinels, not seven")
            command.add_argument("--keep", action="store_true", help="recordings, and the document")
            command.add_argument("--complete", action="store_true", help="run what kept rows lack")
            command.add_argument("--stale", action="store_true", help="rows of earlier commits do")
            command.add_argument("options", nargs="*", help="options of `hvcert run`, after --")
        for wanted, option, more in OTHER_OPTIONS:
            if name == wanted:
                command.add_argument(option, **more)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from harness.standin.image.build import find_image
    from harness.standin.image.records import IMAGES
    from harness.standin.lab import serve

    bare = options.no_templates or options.simulated is not None
    found = {} if bare else {name: find_image(name) for name in IMAGES}
    hosts = with_faults(parse_hosts(options.host), options.fault)
    images = {name: path for name, path in found.items() if path}
    serve(options.state, hosts, images, options.simulated)
    return 0


def _up(options: argparse.Namespace) -> int:
    from harness.standin.daemon import up

    hosts = with_faults(parse_hosts(options.host), options.fault)
    given = [BARE] if options.no_templates else []
    given += [f"{SIMULATED}={options.simulated}"] if options.simulated is not None else []
    for name in () if given else options.image or ("debian-12",):
        _build(name)
    up(options.state, hosts, *given)
    return _show(options.state, as_json=False)


def _down(options: argparse.Namespace) -> int:
    from harness.standin.daemon import down

    down(options.state)
    return 0


def _status(options: argparse.Namespace) -> int:
    return _show(options.state, as_json=options.json)


def _show(folder: Path, *, as_json: bool) -> int:
    entries = state.status(folder)
    if as_json:
        sys.stdout.write(json.dumps(entries, indent=2) + "\n")
    elif not entries:
        sys.stdout.write("no stand-in host is up\n")
    for entry in () if as_json else entries:
        sys.stdout.write(
            f"{entry['name']}: Windows Server {entry['windows']}, {entry['url']},"
            f" {entry['https_url']}, user {entry['username']}, password {entry['password']}\n"
        )
        if "faults" in entry:
            sys.stdout.write(f"  broken on purpose: {', '.join(entry['faults'])}\n")
    return 0


def _share(options: argparse.Namespace) -> int:
    from harness.standin.share import share

    share(options.state, {name: _build(name) for name in options.image})
    return 0


def _image(options: argparse.Namespace) -> int:
    sys.stdout.write(f"{_build(options.name)}\n")
    return 0


def _build(name: str) -> Path:
    from harness.standin.image.build import ensure_image
    from harness.standin.image.tools import require_tools

    require_tools()
    return ensure_image(name, lambda text: print(text, file=sys.stderr))  # noqa: T201  # progress


def _limits(_options: argparse.Namespace) -> int:
    from harness.standin.limits import LIMITS

    sys.stdout.write("".join(f"- {sentence}\n" for sentence in LIMITS))
    return 0


def _selftest(options: argparse.Namespace) -> int:
    from harness.standin.selftest import Kept, Sitting, quick, selftest

    def say(text: str) -> None:
        sys.stdout.write(text.rstrip() + "\n")
        sys.stdout.flush()

    kept = Kept(ROOT / "tests" / "recorded" / "matrix", ROOT / "docs" / "detection-matrix.md")
    if options.quick:
        return quick(kept.recordings, say)
    sitting = Sitting(
        options.results,
        options.options,
        few=options.few,
        kept=kept if options.keep or options.complete else None,
        stale=options.stale,
        complete=options.complete,
    )
    return selftest(options.fault, sitting, say)


def _contract(options: argparse.Namespace) -> int:
    from harness.standin.documented import documented

    sys.stdout.write(json.dumps(documented(options.windows)) + "\n")
    return 0


def _faults(_options: argparse.Namespace) -> int:
    from harness.standin.seeded.table import FAULTS

    sys.stdout.write("".join(f"{f.name}\t{f.level.value}\t{f.does}\n" for f in FAULTS))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""A check as data, what it found, and the one way to run a table of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.errors import CredentialError, DeadlineExceeded, GuestError, HarnessError, HostError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one subject. ``ok``: None means not checked, and is never a pass.

    ``subject`` is ``this machine``, ``host hv-1``, ``guest debian-12`` or
    ``guest debian-12 on hv-1``; ``advice`` says what to fix, empty when nothing is.
    """

    check: str
    subject: str
    ok: bool | None
    said: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A check's answer before it is tied to its subject."""

    ok: bool | None
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """One small question about a T. ``needs``: checks that must have passed before it can run.

    ``advice`` is given when the question itself fails with an error that has none.
    """

    name: str
    ask: Callable[[T], Said]
    needs: tuple[str, ...] = ()
    advice: str = ""


def good(text: str) -> Said:
    """Say that all is well."""
    return Said(ok=True, text=text)


def wrong(text: str, advice: str) -> Said:
    """Say what is wrong and what to do."""
    return Said(ok=False, text=text, advice=advice)


def open_question(text: str, advice: str = "") -> Said:
    """Say why this could not be checked."""
    return Said(ok=None, text=text, advice=advice)


def run_checks(
    checks: Iterable[Check[T]], subject: str, about: T, outcomes: dict[str, bool | None]
) -> Iterator[Finding]:
    """Run a table in order; ``outcomes`` carries what passed on to the tables after it."""
    for check in checks:
        missing = [name for name in check.needs if outcomes.get(name) is not True]
        if missing:
            said = open_question(f"not checked: it needs “{missing[0]}”, which did not pass")
        else:
            said = _asked(check, about)
        outcomes[check.name] = said.ok
        yield Finding(check.name, subject, said.ok, said.text, said.advice)


def _asked(check: Check[T], about: T) -> Said:
    try:
        return check.ask(about)
    except (HostError, GuestError) as error:
        return wrong(error.what, error.advice or check.advice)
    except DeadlineExceeded as error:
        return wrong(str(error), check.advice)
    except CredentialError as error:
        return wrong(f"{error.reference}: {error.problem}", error.advice)
    except HarnessError as error:
        return wrong(str(error), check.advice)

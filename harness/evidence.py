"""What was asked, what came back; a value never travels without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question and its verbatim answer.

    ``where`` names who answered (``host hv-2019``, ``guest debian-12``), ``asked`` is the command
    as a person would type it, ``answer`` the raw text. ``picture``: a PNG file, which the
    store keeps in place of the text; ``answer`` then only describes it.
    """

    asked: str
    answer: str
    where: str = ""
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """A parsed value together with the texts it was parsed from."""

    value: T
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Probe(Generic[T]):
    """A question as data: the command, and the pure function that reads its answer.

    ``privileged`` commands run through the guest's ``become``. ``fails_ok``: a non-zero exit status
    still leaves an answer to read (its stdout may be empty).
    """

    argv: tuple[str, ...]
    parse: Callable[[str], T]
    privileged: bool = False
    fails_ok: bool = False

"""A mapping of the inventory being read: every wrong thing is noted, reading goes on.

A reader that finds a problem notes it and returns a stand-by value of the right type. Such a
value never gets out: ``load`` raises when there is any problem.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from harness.inventory.report import (
    WRITE_INSTEAD,
    Misread,
    Report,
    key_shown,
    names_a_secret,
    shown,
)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

# as in $HOME, ${HOME} and, with a default, ${HVCERT_CACHE:-~/.cache/hvcert}
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Section:
    """One mapping at ``path``; ``folder`` is where relative paths of this machine start."""

    values: Mapping[str, object]
    path: str
    report: Report
    folder: Path

    def at(self, key: str) -> str:
        """Return the path of a key."""
        joint = "." if self.path and not key.startswith("[") else ""
        return f"{self.path}{joint}{key}"

    def problem(self, key: str, sentence: str) -> None:
        """Note a problem of a key."""
        self.report.problem(self.at(key), sentence)

    def has(self, key: str) -> bool:
        """Tell whether the key is written at all."""
        return key in self.values

    def only(self, *known: str) -> None:
        """Note every key that is not one of these."""
        for key in self.values:
            if key not in known:
                self.problem(key_shown(key), _unknown(key, known))

    def text(self, key: str, default: str | None = None, *, lines: bool = False) -> str:
        """Return a text; numbers and words like true are refused, with the quotes they need."""
        value = self.values.get(key, default)
        if key not in self.values and default is None:
            self.problem(key, "missing")
            return ""
        try:
            return _whole_text(value, lines=lines)
        except ValueError as error:
            self.problem(key, str(error))
            return ""

    def parsed(self, key: str, parse: Callable[[str], T], stand_by: T, default: str = "") -> T:
        """Return a text that ``parse`` understands; its ValueError becomes the problem."""
        text = self.text(key, default or None)
        if not text:
            return stand_by
        try:
            return parse(text)
        except ValueError as error:
            self.problem(key, str(error))
            return stand_by

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        """Return a member of an Enum by its value."""
        first = next(iter(kind))
        words = tuple(str(member.value) for member in kind)
        word = self.word(key, words, str(default.value) if default else None)
        return kind(word) if word else first

    def word(self, key: str, words: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the words; "" after a problem."""
        text = self.text(key, default)
        if text and text not in words:
            near = difflib.get_close_matches(text.lower(), words, n=1)
            hint = f"did you mean {near[0]}?" if near else "write " + ", ".join(words)
            self.problem(key, f"{shown(text)} is unknown ({hint})")
        return text if text in words else ""

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number within bounds, both included."""
        value = self.values.get(key, default)
        if key not in self.values and default is None:
            self.problem(key, "missing")
        elif not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.problem(key, f"{shown(value)} is no whole number from {low} to {high}")
        else:
            return value
        return low

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, f"{shown(value)} is neither true nor false")
            return default
        return value

    def local_path(self, key: str) -> Path:
        """Return a path of this machine; ``~`` and $VARIABLES expanded, relative to the file."""
        text = self.text(key)
        if "PRIVATE KEY" in text:
            self.problem(key, "write the path of the key's file, not the key itself")
            return self.folder
        try:
            return self.folder / _expanded(text)
        except ValueError as error:
            self.problem(key, str(error))
            return self.folder

    def section(self, key: str) -> Section | None:
        """Return a mapping below this one; None after a problem."""
        if not self.has(key):
            self.problem(key, "missing")
            return None
        return self.of(self.values[key], self.at(key))

    def of(self, value: object, path: str) -> Section | None:
        """Return a value as a Section; None after a problem."""
        if isinstance(value, dict):
            return Section(value, path, self.report, self.folder)
        self.report.problem(path, f"must be keys with values, is {_kind(value)}")
        return None

    def items(self, key: str, *, required: bool = False) -> tuple[tuple[str, object], ...]:
        """Return a list's items, each with its path; a list that is written must not be empty."""
        if not self.has(key):
            if required:
                self.problem(key, "missing")
            return ()
        value = self.values[key]
        if not isinstance(value, list):
            self.problem(key, f"must be a list, is {_kind(value)}")
            return ()
        if not value:
            self.problem(
                key, "an empty list; name at least one" + ("" if required else ", or none")
            )
        return tuple((f"{self.at(key)}[{n}]", item) for n, item in enumerate(value))

    def sections(self, key: str, *, required: bool = False) -> tuple[Section, ...]:
        """Return a list of mappings."""
        found = (self.of(item, path) for path, item in self.items(key, required=required))
        return tuple(section for section in found if section is not None)

    def argvs(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of commands, each a list of words: ``[[update-grub]]``."""
        commands = []
        for path, item in self.items(key):
            holder, _, index = path.rpartition("[")
            if isinstance(item, list):
                one = Section({f"[{index}": item}, holder, self.report, self.folder)
                commands.append(one.texts(f"[{index}"))
            else:
                self.report.problem(path, "a command is a list of words: [update-grub]")
        return tuple(commands)

    def texts(self, key: str, parse: Callable[[str], str] = str) -> tuple[str, ...]:
        """Return a list of texts, each understood by ``parse``."""
        read = []
        for path, item in self.items(key):
            try:
                read.append(parse(_whole_text(item, lines=False)))
            except ValueError as error:
                self.report.problem(path, str(error))
        return tuple(read)


def _whole_text(value: object, *, lines: bool) -> str:
    if not isinstance(value, str):
        raise ValueError(_no_text(value))  # noqa: TRY004  # the sentence is caught as ValueError
    if any(not (c.isprintable() or (lines and c in "\n\t")) for c in value):
        raise ValueError("has a control character or a line break")
    if not (lines or value.strip()):
        raise ValueError("empty")
    return value


def _expanded(text: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        known = os.environ.get(name) or found[2]
        if known is None:
            raise Misread(text, f"names ${name}, which is not set in the environment")
        return known

    path = os.path.expanduser(_VARIABLE.sub(value, text))  # noqa: PTH111  # keeps ~nobody as it is
    if path.startswith("~"):
        raise Misread(text, "starts with the home of a user that does not exist")
    return path


def _unknown(key: str, known: tuple[str, ...]) -> str:
    if names_a_secret(key):
        return f"unknown key; {WRITE_INSTEAD}"
    near = difflib.get_close_matches(key.lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else "known here: " + ", ".join(known)
    return f"unknown key ({hint})"


def _no_text(value: object) -> str:
    if isinstance(value, bool | int | float):
        return f'must be a text; put it in quotes: "{shown(value)}"'
    return f"must be a text, is {_kind(value)}"


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "a mapping", list: "a list", bool: "true or false", str: "a text"}
    return names.get(type(value), "a number")

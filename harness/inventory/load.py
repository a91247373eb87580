"""YAML → Inventory; the only file that knows YAML."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import yaml

from harness.errors import InventoryError
from harness.inventory.guests import read_guest
from harness.inventory.hosts import read_host, read_lab_host
from harness.inventory.model import Inventory
from harness.inventory.report import Report, key_shown, names_a_secret
from harness.inventory.rules import check_together
from harness.inventory.section import Section

MAXIMUM = 1 << 20
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


def load(path: Path) -> Inventory:
    """Read an inventory; raise InventoryError with every problem at once, each with its path."""
    report = Report()
    document = document_of(path, report)
    if not isinstance(document, dict):
        if not report.problems:
            report.problem("", "the file must have the keys hosts and guests at its left edge")
        raise InventoryError(str(path), tuple(report.problems))
    top = Section(document, "", report, path.absolute().parent)
    inventory = _read(top, path)
    check_together(inventory, report)
    if report.problems:
        raise InventoryError(str(path), tuple(dict.fromkeys(report.problems)))
    return _with_warnings(inventory, report)


def document_of(path: Path, report: Report) -> object:
    """Return what a YAML file holds as dicts, lists, texts and numbers; note its problems."""
    return _Document(report).read(_source(path))


def _read(top: Section, path: Path) -> Inventory:
    hosts = tuple(read_host(section) for section in top.sections("hosts", required=True))
    guests = tuple(read_guest(part, hosts) for part in top.sections("guests", required=True))
    lab = tuple(read_lab_host(section) for section in top.sections("lab"))
    known = top.local_path("known_issues") if top.has("known_issues") else None
    top.only("lab", "hosts", "guests", "known_issues")
    return Inventory(path, hosts, guests, lab, known_issues=known)


def _with_warnings(read: Inventory, report: Report) -> Inventory:
    return replace(read, warnings=tuple(report.warnings))


def _source(path: Path) -> str:
    try:
        if path.stat().st_size > MAXIMUM:
            raise InventoryError(str(path), ("larger than 1 MiB: this is no inventory",))
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        why = f"cannot be read ({error.strerror}); name a file with --inventory"
        raise InventoryError(str(path), (why,)) from None
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise InventoryError(str(path), (why,)) from None


class _Document:
    """Turns YAML's nodes into dicts, lists, texts, numbers, true, false and None.

    PyYAML's own construction is not used: it drops the first of two equal keys, reads ``off`` as
    false and ``1:30`` as 90, and runs tags. Here only ``true`` and ``false`` are truth values and
    plain decimal digits are numbers.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.done: dict[int, object] = {}
        self.open: set[int] = set()

    def read(self, text: str) -> object:
        try:
            node = yaml.compose(text, Loader=yaml.BaseLoader)
            if node is None:
                self.report.problem("", "the file is empty; start from inventories/embedded.yaml")
                return None
            return self.value(node, "")
        except yaml.YAMLError as error:
            self.report.problem("", _syntax(error, text))
        except (ValueError, OverflowError):  # PyYAML on "\\UFFFFFFFF" or "%YAML 1.999…9"
            self.report.problem("", "YAML: an escape or a version number out of range")
        except RecursionError:
            self.report.problem("", "YAML: nested too deeply")
        return None

    def value(self, node: yaml.Node, path: str) -> object:
        if id(node) in self.open:
            self.report.problem(path, "an alias that contains itself")
            return None
        if node.tag not in _PLAIN_TAGS:
            self.report.problem(path, f"line {_line(node)}: tags (! or !!) are not read")
            return None
        if id(node) not in self.done:
            self.open.add(id(node))
            self.done[id(node)] = self.made(node, path)
            self.open.discard(id(node))
        return self.done[id(node)]

    def made(self, node: yaml.Node, path: str) -> object:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{n}]") for n, item in enumerate(node.value)]
        return _scalar(str(node.value), quoted=getattr(node, "style", None) is not None)

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, object]:
        read: dict[str, object] = {}
        hidden = names_a_secret(path.rpartition(".")[2])
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.report.problem(path, f"line {_line(key_node)}: a key must be a word")
                continue
            key = str(key_node.value)
            if key in read:
                name = "a key" if hidden else key_shown(key)
                self.report.problem(path, f"line {_line(key_node)}: {name} appears twice")
            below = path if hidden else f"{path}.{key_shown(key)}".lstrip(".")
            read[key] = self.value(value_node, below)
        return read


def _scalar(text: str, *, quoted: bool) -> object:
    if quoted:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax(error: yaml.YAMLError, text: str) -> str:
    """Say where YAML broke; what it quotes from the file is left out, it may be a secret."""
    mark = getattr(error, "problem_mark", None)
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        position = getattr(error, "position", 0)
        return f"YAML: line {text.count(chr(10), 0, position) + 1}: a character YAML forbids"
    said = re.sub(r"'(?!<)[^']*'", "…", str(error.problem or error.context))
    advice = ""
    if "escape character" in said:
        advice = (
            "; in double quotes a backslash starts an escape: put Windows paths in 'single quotes'"
        )
    return f"YAML: line {mark.line + 1}, column {mark.column + 1}: {said}{advice}"

"""What differs between two recordings, or between one and Microsoft's documentation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract.shape import ENUM, Shape, properties_of, types_in

NOTHING = "-"
Recording = Mapping[str, Any]
"""A recording as JSON has it; see ``recording.record_host``."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same: where, and what each side has."""

    step: str
    cmdlet: str
    field: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.cmdlet} ({self.step}): {self.field}: {self.left} | {self.right}"


def between(left: Recording, right: Recording) -> list[Difference]:
    """Return what differs, in the order of the left recording."""
    others = {answer["step"]: answer for answer in right["answers"]}
    found: list[Difference] = []
    for answer in left["answers"]:
        other = others.pop(answer["step"], None)
        fields = [("", "asked", "not asked")] if other is None else _answers(answer, other)
        found += [_difference(answer, *field) for field in fields]
    return found + [_difference(answer, "", "not asked", "asked") for answer in others.values()]


def _difference(answer: Mapping[str, Any], field: str, left: str, right: str) -> Difference:
    return Difference(answer["step"], answer["cmdlet"], field or "answer", left, right)


def _answers(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if left["refused"] != right["refused"]:
        for key in ("id", "category", "exception"):
            said = [str((side["refused"] or {}).get(key, NOTHING)) for side in (left, right)]
            if said[0] != said[1]:
                yield f"error {key}", said[0], said[1]
    kinds = [_by_kind(side["objects"]) for side in (left, right)]
    for kind in dict.fromkeys((*kinds[0], *kinds[1])):
        one, other = kinds[0].get(kind), kinds[1].get(kind)
        if one is None or other is None:
            has = [NOTHING if side is None else "there" for side in (one, other)]
            yield f"object {kind}", has[0], has[1]
        else:
            yield from _shapes(kind.rpartition(".")[2], one, other)


def _by_kind(objects: list[Shape]) -> dict[str, Shape]:
    """Return the first object of each type: how many there are is a host's own business."""
    found: dict[str, Shape] = {}
    for shape in objects:
        found.setdefault(next(iter(types_in(shape)), str(shape["is"])), shape)
    return found


def _shapes(path: str, left: Shape, right: Shape) -> Iterator[tuple[str, str, str]]:
    if left["is"] != "object" or right["is"] != "object":
        if left != right:
            yield path, told(left), told(right)
        return
    for key in ("types", "text"):
        if left[key] != right[key]:
            yield f"{path} {key}", _text(left[key]), _text(right[key])
    one, other = properties_of(left), properties_of(right)
    for name in dict.fromkeys((*one, *other)):
        if name not in one or name not in other:
            has = [told(side[name]) if name in side else NOTHING for side in (one, other)]
            yield f"{path}.{name}", has[0], has[1]
        else:
            yield from _shapes(f"{path}.{name}", one[name], other[name])


def told(shape: Shape) -> str:
    """Return a shape in a few words, such as ``I32 2`` or ``enum VMState Running (2)``."""
    kind, name = str(shape["is"]), next(iter(types_in(shape)), "").rpartition(".")[2]
    if kind == "enum":
        return f"enum {name} {shape['name']} ({shape['number']}, {shape['as'] or 'no number'})"
    if kind == "list":
        items = shape["of"]
        held = ", ".join(told(s) for s in items if isinstance(s, dict)) if items else ""  # type: ignore[union-attr]
        return f"list {name} of [{held}]"
    value = shape.get("value")
    return " ".join(part for part in (kind, name, "" if value is None else str(value)) if part)


def _text(value: object) -> str:
    return " < ".join(map(str, value)) if isinstance(value, list) else str(value)


def with_documentation(recording: Recording, documented: Mapping[str, Any]) -> list[Difference]:
    """Return where the recording is not as documented: the recording left, Microsoft right.

    ``documented`` holds ``types`` (name → ``chain`` or null, ``properties`` of name → allowed
    kinds) and ``enums`` (full name → name → number). What is not documented is not judged.
    """
    types, enums = documented["types"], documented["enums"]
    found: list[Difference] = []
    for answer in recording["answers"]:
        for shape in answer["objects"]:
            name = next(iter(types_in(shape)), "")
            fields = [*_enums_of(shape, enums, "")]
            if name in types:
                fields += _documented(shape, name, types[name])
            found += [_difference(answer, *field) for field in fields]
    return list(dict.fromkeys(found))


def _documented(
    shape: Shape, name: str, known: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    short, chain = name.rpartition(".")[2], known["chain"]
    if chain is not None and list(types_in(shape)) != chain:
        yield f"{short} types", _text(list(types_in(shape))), _text(chain)
    held = properties_of(shape)
    for prop, kinds in known["properties"].items():
        if prop not in held:
            yield f"{short}.{prop}", NOTHING, "|".join(kinds)
        elif kinds and _kind(held[prop]) not in kinds:
            yield f"{short}.{prop}", told(held[prop]), "|".join(kinds)
    for prop in held.keys() - known["properties"].keys() - set(known["added"]):
        yield f"{short}.{prop}", told(held[prop]), NOTHING


def _kind(shape: Shape) -> str:
    """Return the element of a plain value, the full name of an enum, ``list``, ``object`` …"""
    return next(iter(types_in(shape)), "") if shape["is"] == "enum" else str(shape["is"])


def _enums_of(
    shape: Shape, enums: Mapping[str, Mapping[str, int]], path: str
) -> Iterator[tuple[str, str, str]]:
    """Yield every enum in it whose chain or number is not the documented one."""
    if shape["is"] == "enum":
        known = enums.get(_kind(shape), {})
        number = known.get(str(shape["name"]), shape["number"])
        if shape["number"] != number:
            yield path, told(shape), f"{shape['name']} ({number})"
        if types_in(shape)[1:] != (ENUM, "System.ValueType", "System.Object"):
            yield f"{path} types", _text(list(types_in(shape))), f"… < {ENUM} < …"
    for name, inner in properties_of(shape).items():
        yield from _enums_of(inner, enums, f"{path}.{name}".lstrip("."))
    items = shape.get("of")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield from _enums_of(item, enums, path)

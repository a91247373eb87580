"""What a session or a shell hands out ↔ JSON, without any secret. Only the classes listed here."""

from __future__ import annotations

import base64
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from harness.errors import ErrorRecordFacts, HarnessError
from harness.evidence import Evidence, Measured
from harness.guest.shell import Completed
from harness.host.facts import HostFacts
from harness.host.render import MASK
from harness.host.session import Answer, HostObject
from harness.secret import Secret
from harness.units import Bytes

LISTED = (Answer, Bytes, Completed, ErrorRecordFacts, Evidence, HostFacts, HostObject, Measured)
CLASSES: Mapping[str, type] = {one.__name__: one for one in LISTED}
PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*(-----END)")
Clean = Callable[[str], str]


def cleaner(secrets: Iterable[Secret]) -> Clean:
    """Return what takes secrets out of a text: plain, as Base64, and private keys of any kind."""
    found = [secret.reveal() for secret in secrets]
    forms = [form for text in found if text for form in _forms(text)]

    def clean(text: str) -> str:
        for form in forms:
            text = text.replace(form, MASK)
        return PRIVATE_KEY.sub(rf"\1{MASK}\2", text) if "PRIVATE KEY" in text else text

    return clean


def _forms(text: str) -> Iterator[str]:
    yield text
    for encoding in ("utf-8", "utf-16-le"):
        yield base64.b64encode(text.encode(encoding)).decode("ascii")


def pack(value: object, clean: Clean) -> Any:  # noqa: ANN401  # JSON
    """Return JSON types; raise TypeError for what is not listed."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (tuple, list)):
        return [pack(item, clean) for item in value]
    if isinstance(value, Mapping):
        return {"map": {clean(str(key)): pack(item, clean) for key, item in value.items()}}
    return _pack_object(value, clean)


def _pack_object(value: object, clean: Clean) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    if isinstance(value, HarnessError):
        given = {name: pack(item, clean) for name, item in _given(value).items()}
        return {"error": type(value).__name__, "given": given}
    name = type(value).__name__
    if CLASSES.get(name) is not type(value) or not is_dataclass(value):
        said = f"{name} cannot be recorded: list it in harness/record/codec.py"
        raise TypeError(said)
    given = {field.name: pack(getattr(value, field.name), clean) for field in fields(value)}
    return {"class": name, "given": given}


def _given(error: HarnessError) -> dict[str, object]:
    """Return what the error was made of: each keeps its parameters as attributes."""
    made = type(error).__init__
    if not inspect.isfunction(made):  # no own one: the error is made of one sentence
        return {"": str(error)}
    names = list(inspect.signature(made).parameters)[1:]
    return {name: getattr(error, name) for name in names}


def unpack(value: Any) -> Any:  # noqa: ANN401  # the inverse of pack
    """Return what ``pack`` was given; lists are tuples again."""
    if isinstance(value, list):
        return tuple(unpack(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "map" in value:
        return {key: unpack(item) for key, item in value["map"].items()}
    return _unpack_object(value)


def _unpack_object(value: Mapping[str, Any]) -> object:
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    if "seconds" in value:
        return timedelta(seconds=value["seconds"])
    given = {name: unpack(item) for name, item in value["given"].items()}
    if "error" in value:
        kind = errors()[value["error"]]
        return kind(given[""]) if "" in given else kind(**given)
    return CLASSES[value["class"]](**given)


def errors() -> dict[str, type[HarnessError]]:
    """Return the harness's errors by name."""
    found: dict[str, type[HarnessError]] = {}
    left: list[type[HarnessError]] = [HarnessError]
    while left:
        one = left.pop()
        found[one.__name__] = one
        left += one.__subclasses__()
    return found

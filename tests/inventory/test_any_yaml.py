"""Whatever the file holds, ``load`` returns an Inventory or raises InventoryError."""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import InventoryError
from harness.inventory.load import load
from tests.inventory.conftest import GOOD

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def paths_in(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = [path] if path else []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        below += paths_in(item, (*path, key))
    return below


FULL = copy.deepcopy(GOOD)
FULL["guests"][0].update(
    preparations=[{"file": "/a", "content": "", "reason": "r", "activate": [["a"]]}],
    expect=[{"case": "DM-01", "outcome": "fail", "reason": "r", "hosts": ["hv-1"]}],
    hosts=["hv-1"],
    address="10.0.0.1",
)
FULL["hosts"][0].update(memory_reserve="2 GiB", ca="/ca", vlan=3, authentication="credssp")
FULL["lab"] = [{"name": "hv-1", "windows": "2019", "address": "127.0.0.2"}]


def tried(folder: Path, content: bytes) -> None:
    path = folder / "any.yaml"
    path.write_bytes(content)
    with contextlib.suppress(InventoryError):
        load(path)


@QUICK
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    tried(tmp_path, content)


@QUICK
@given(text=st.text(alphabet=st.sampled_from("ab1:- \n[]{}&*!|>'\"%@#?,~<0x_.\\U\t"), max_size=60))
def test_any_text_of_yaml_s_own_characters(tmp_path: Path, text: str) -> None:
    tried(tmp_path, text.encode())


@QUICK
@given(place=st.sampled_from(paths_in(FULL)), value=VALUES)
def test_any_value_at_any_place(tmp_path: Path, place: tuple[Any, ...], value: object) -> None:
    content: Any = copy.deepcopy(FULL)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    tried(tmp_path, json.dumps(content).encode())


@QUICK
@given(section=st.sampled_from(["hosts", "guests", "lab"]), value=VALUES)
def test_any_content_of_a_list(tmp_path: Path, section: str, value: object) -> None:
    tried(tmp_path, json.dumps({**FULL, section: [value]}).encode())


@QUICK
@given(
    text=st.text(max_size=30), key=st.sampled_from(["vm_path", "address", "switch", "name", "ca"])
)
def test_any_text_of_a_host_loads_or_is_a_problem_of_that_key(
    tmp_path: Path, text: str, key: str
) -> None:
    content = copy.deepcopy(GOOD)
    content["hosts"][0][key] = text
    path = tmp_path / "any.yaml"
    path.write_text(json.dumps(content))
    try:
        read = load(path)
    except InventoryError as error:
        assert all(one.startswith(f"hosts[0].{key}: ") for one in error.problems)  # noqa: PT017
        str(error).encode()
    else:
        assert str(getattr(read.hosts[0], key)).encode()


def test_the_full_inventory_that_is_broken_here_is_correct_but_for_the_lab(tmp_path: Path) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(json.dumps(FULL))
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert caught.value.problems == (
        "lab[0].address: 127.0.0.2, but host hv-1 has the address hv-1.lab.example",
    )

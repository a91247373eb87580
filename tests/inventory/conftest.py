"""A correct inventory, and fixtures that change it and return what ``load`` makes of it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from harness.errors import InventoryError
from harness.inventory.load import load
from harness.inventory.model import Inventory

Change: TypeAlias = Callable[[dict[str, Any]], object]
Problems: TypeAlias = Callable[[Change], tuple[str, ...]]
Loaded: TypeAlias = Callable[[Change], Inventory]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
GOOD: dict[str, Any] = {
    "hosts": [
        {
            "name": "hv-1",
            "address": "hv-1.lab.example",
            "username": "LAB\\hvcert",
            "password": {"env": "HVCERT_PASSWORD"},
            "switch": "External",
            "vm_path": "D:\\hvcert\\vms",
        }
    ],
    "guests": [
        {
            "name": "debian-12",
            "template": {"path": "D:\\templates\\debian-12.vhdx", "generation": 2},
            "memory": "2 GiB",
            "processors": 2,
            "family": "debian",
            "release": "12",
            "ssh": {"user": "root", "key": "~/.ssh/id_ed25519", "host_key": KEY},
        }
    ],
}


def write(folder: Path, change: Change) -> Path:
    content = copy.deepcopy(GOOD)
    change(content)
    path = folder / "lab.yaml"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return lambda change: load(write(tmp_path, change))


@pytest.fixture
def problems_of(tmp_path: Path) -> Problems:
    def problems(change: Change) -> tuple[str, ...]:
        with pytest.raises(InventoryError) as caught:
            load(write(tmp_path, change))
        return caught.value.problems

    return problems


@pytest.fixture
def text_problems(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    def problems(text: str) -> tuple[str, ...]:
        path = tmp_path / "lab.yaml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(InventoryError) as caught:
            load(path)
        return caught.value.problems

    return problems

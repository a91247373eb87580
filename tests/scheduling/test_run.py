"""Whole runs on stand-in hosts without guests: who runs what where, and what of the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CASES = """
import time
import pytest
from harness.verdict import pass_if

pytestmark = pytest.mark.feature("Host")

@pytest.mark.parametrize("number", range(6))
@pytest.mark.case("HOST-01")
def test_the_host_answers(host, certify, number):
    time.sleep(0.5)
    certify(pass_if(host.facts.value.build > 0, host.host.name, (host.facts.evidence[0],)))

@pytest.mark.long
@pytest.mark.case("HOST-02")
def test_it_takes_long(host, certify):
    certify(pass_if(True, host.host.name, (host.facts.evidence[0],)))

@pytest.mark.needs(guests=400)
@pytest.mark.case("HOST-03")
def test_it_needs_much(host, certify):
    certify(pass_if(True, host.host.name, (host.facts.evidence[0],)))
"""
HOST = """
  - name: {name}
    address: {address}
    transport: http
    username: Administrator
    password: {{file: "${{HVCERT_LAB_DIR}}/{name}/password"}}
    switch: LabSwitch
    vm_path: C:\\hvcert\\vms
    pool: ws2022
"""
INVENTORY = """
lab:
  - {{name: one, windows: "2022", address: 127.86.41.1}}
  - {{name: two, windows: "2022", address: 127.86.41.2}}
hosts:{hosts}
guests:
  - name: debian-12
    template: {{path: 'C:\\none.vhdx', generation: 1}}
    memory: 1024 MiB
    processors: 2
    family: debian
    release: "12"
    ssh: {{user: root, key: {key}, host_key: {{policy: accept-new, reason: no guest}}}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Bring a pool of two hosts up; the folder has its inventory and cases."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "key").write_text("")
    (folder / "key").chmod(0o600)
    addresses = {"one": "127.86.41.1", "two": "127.86.41.2"}
    hosts = "".join(HOST.format(name=n, address=a) for n, a in addresses.items())
    (folder / "lab.yaml").write_text(INVENTORY.format(hosts=hosts, key=folder / "key"))
    (folder / "test_host.py").write_text(CASES)
    given = [f"--host={name}:2022:{address}" for name, address in addresses.items()]
    standin(folder, "up", *given)
    yield folder
    standin(folder, "down")


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HVCERT_LAB_DIR": str(folder / "state" / "lab")}


def standin(folder: Path, *words: str) -> None:
    (folder / "state").mkdir(exist_ok=True)
    command = (sys.executable, "-m", "harness.standin", *words)
    subprocess.run(command, check=True, cwd=ROOT, env=environment(folder), capture_output=True)


def run(lab: Path, results: Path, *options: str) -> list[dict[str, Any]]:
    command = (
        *(sys.executable, "-m", "pytest", str(lab / "test_host.py"), "-p", "harness.pytest_plugin"),
        *("-c", str(ROOT / "pyproject.toml"), "--rootdir", str(lab), "-p", "no:cacheprovider"),
        *(f"--inventory={lab / 'lab.yaml'}", f"--results={results}", "-q", *options),
    )
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment(lab), capture_output=True, text=True
    )
    written = results / "latest" / "verdicts.jsonl"
    assert written.exists(), done.stdout + done.stderr
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    assert {row["because"] for row in rows} != {"the run ended before this case"}, done.stdout
    return rows


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_pool_shares_the_cases_and_each_runs_once(
    lab: Path, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    rows = run(lab, tmp_path, *workers)
    ran = [row for row in rows if row["outcome"] == "pass"]
    assert len(ran) == 7
    assert {row["pool"] for row in rows} == {"ws2022"}
    assert all(row["because"] == row["host"] for row in ran)
    if workers:
        assert {row["host"] for row in ran} == {"one", "two"}


def test_what_fits_on_no_host_is_not_run_and_says_why(lab: Path, tmp_path: Path) -> None:
    (row,) = [row for row in run(lab, tmp_path) if row["case"] == "HOST-03"]
    assert row["outcome"] == "not-run"
    assert "the case needs 409600 MiB" in row["because"]


def test_what_would_not_end_in_time_is_not_run(lab: Path, tmp_path: Path) -> None:
    rows = run(lab, tmp_path, "--deadline", "+5m", "-n", "auto")
    outcomes = {row["case"]: (row["outcome"], row["because"]) for row in rows}
    assert outcomes["HOST-01"][0] == "pass"
    assert outcomes["HOST-02"] == (
        "not-run",
        "it would not end before the deadline: it takes about 0:10:00",
    )

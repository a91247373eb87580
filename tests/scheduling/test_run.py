"""Whole runs on stand-in hosts without guests: who runs what where, and what of the rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.errors import ResultsError
from harness.merge import merge
from harness.resume import prepare
from tests.guest.conftest import Sshd, start_sshd

__all__ = ["start_sshd"]

ROOT = Path(__file__).parents[2]
CASES = """
import pathlib
import time
import pytest
from harness.verdict import pass_if

pytestmark = pytest.mark.feature("Host")

@pytest.mark.parametrize("number", range(6))
@pytest.mark.case("HOST-01")
def test_the_host_answers(host, certify, number):
    time.sleep(0.5)
    certify(pass_if(host.facts.value.build > 0, host.host.name, (host.facts.evidence[0],)))

@pytest.mark.case("HOST-04")
def test_it_fails_at_first(host, certify, tmp_path_factory):
    mark = pathlib.Path(__file__).with_name("tried")
    again = mark.exists()
    mark.touch()
    certify(pass_if(again, "tried again" if again else "tried once", (host.facts.evidence[0],)))

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
    """Bring two hosts of a pool up, the third is down; the folder has its inventory and cases."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "key").write_text("")
    (folder / "key").chmod(0o600)
    addresses = {"one": "127.86.41.1", "two": "127.86.41.2"}
    there = {**addresses, "down": "127.86.41.9"}
    hosts = "".join(HOST.format(name=n, address=a) for n, a in there.items())
    (folder / "lab.yaml").write_text(INVENTORY.format(hosts=hosts, key=folder / "key"))
    (folder / "cases").mkdir()
    (folder / "cases" / "test_host.py").write_text(CASES)
    given = [f"--host={name}:2022:{address}" for name, address in addresses.items()]
    standin(folder, "up", *given)
    (folder / "state" / "lab" / "down").mkdir()
    (folder / "state" / "lab" / "down" / "password").write_text("none")
    (folder / "state" / "lab" / "down" / "password").chmod(0o600)
    yield folder
    standin(folder, "down")


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HVCERT_LAB_DIR": str(folder / "state" / "lab")}


def standin(folder: Path, *words: str) -> None:
    (folder / "state").mkdir(exist_ok=True)
    program = (sys.executable, "-m", "harness.standin", *words)
    subprocess.run(program, check=True, cwd=ROOT, env=environment(folder), capture_output=True)


def command(lab: Path, results: Path, *options: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "pytest", str(lab / "cases"), "-p", "harness.pytest_plugin"),
        *(f"--config-file={ROOT / 'pyproject.toml'}", "--rootdir=.", "-p", "no:cacheprovider"),
        *(f"--inventory={lab / 'lab.yaml'}", f"--results={results}", "-q", *options),
    )


def run(lab: Path, results: Path, *options: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        command(lab, results, *options),
        check=False, cwd=lab, env=environment(lab), capture_output=True, text=True,
    )  # fmt: skip
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
    assert len(ran) >= 7
    assert {row["pool"] for row in rows} == {"ws2022"}
    assert all(row["because"] == row["host"] for row in ran if row["case"] == "HOST-01")
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


def test_a_case_that_passes_at_the_second_try_is_flaky_and_keeps_both(
    lab: Path, tmp_path: Path
) -> None:
    (lab / "cases" / "tried").unlink(missing_ok=True)
    (row,) = run(lab, tmp_path, "--retries", "1", "-k", "HOST-04")
    assert (row["outcome"], row["because"]) == ("pass", "tried again")
    (earlier,) = row["earlier"]
    assert (earlier["outcome"], earlier["because"]) == ("fail", "tried once")
    for kept in (row["recording"], earlier["recording"], earlier["evidence"][0]["path"]):
        assert (tmp_path / "latest" / kept).stat().st_size > 0
    junit = ET.parse(tmp_path / "latest" / "junit.xml")  # noqa: S314  # we wrote it
    assert [e.get("message") for e in junit.iter("flakyFailure")] == ["tried once"]
    assert len(list(junit.iter("testcase"))) == 1


def test_without_retries_the_first_verdict_stands(lab: Path, tmp_path: Path) -> None:
    (lab / "cases" / "tried").unlink(missing_ok=True)
    (row,) = run(lab, tmp_path, "-k", "HOST-04")
    assert (row["outcome"], row["earlier"]) == ("fail", [])


def comparable(results: Path) -> list[tuple[str, ...]]:
    """Return what of a JUnit does not depend on when and where it was made."""
    junit = ET.parse(results / "latest" / "junit.xml")  # noqa: S314  # we wrote it
    return [
        (case.get("classname", ""), case.get("name", ""), *(child.tag for child in case))
        for case in junit.iter("testcase")
    ]


def test_a_run_that_is_killed_three_times_ends_as_one_that_was_not(
    lab: Path, tmp_path: Path
) -> None:
    (lab / "cases" / "tried").touch()
    run(lab, tmp_path / "whole", "-n", "2")
    results, name = tmp_path / "killed", "20261127-060000-abcdef"
    folder, options = results / name, ["-n", "2", "--run", name]
    for settled in (1, 3, 5):
        child = subprocess.Popen(
            command(lab, results, *options), cwd=lab, env=environment(lab),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        while child.poll() is None and verdicts(folder) < settled:
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        with (folder / "verdicts-gw0.jsonl").open("a") as torn:
            torn.write('{"case": "HOST-')
        assert len(prepare(folder)) < 9
        options = ["-n", "2", "--run", name, "--resume"]
    run(lab, results, *options)
    assert comparable(results) == comparable(tmp_path / "whole")
    assert len(json.loads((folder / "run.json").read_text())["sittings"]) == 3


def verdicts(folder: Path) -> int:
    return sum(path.read_text().count("\n") for path in folder.glob("verdicts-*.jsonl"))


def test_two_shards_make_one_run(lab: Path, tmp_path: Path) -> None:
    (lab / "cases" / "tried").touch()
    run(lab, tmp_path / "whole", "-n", "2")
    folders = []
    for shard in ("1/2", "2/2"):
        run(lab, tmp_path / shard[0], "-n", "2", "--shard", shard)
        folders.append((tmp_path / shard[0] / "latest").resolve())
    with pytest.raises(ResultsError, match="shard 2/2 is missing"):
        merge(folders[:1], tmp_path / "merged" / "none")
    with pytest.raises(ResultsError, match="shard 1/2 is there twice"):
        merge([folders[0], shutil.copytree(folders[0], tmp_path / "copy")], tmp_path / "none")
    rows = merge(folders, tmp_path / "merged" / "latest")
    assert comparable(tmp_path / "merged") == comparable(tmp_path / "whole")
    assert all(
        (tmp_path / "merged" / "latest" / row.recording).exists() for row in rows if row.seconds
    )
    (folders[1] / "inventory.yaml").write_text("other")
    with pytest.raises(ResultsError, match="is another than that of"):
        merge(folders, tmp_path / "merged" / "other")


def test_workers_of_xdist_s_own_gateways_take_part(lab: Path, tmp_path: Path) -> None:
    """As over ssh: processes that execnet starts, with the results folder shared."""
    spec = f"2*popen//python={sys.executable}"
    rows = run(lab, tmp_path, "--dist", "load", "--tx", spec, "-k", "HOST-01")
    assert [row["outcome"] for row in rows] == ["pass"] * 6


def test_workers_over_ssh_take_part(
    lab: Path, tmp_path: Path, start_sshd: Callable[..., Sshd]
) -> None:
    """Another machine as it is for execnet: its own folder, to which the cases are copied."""
    server = start_sshd()
    known = f"[127.0.0.1]:{server.port} {(server.folder / 'host.pub').read_text()}"
    (tmp_path / "known").write_text(known)
    (tmp_path / "client").write_text(
        f"Host box\nHostName 127.0.0.1\nPort {server.port}\nIdentityFile {server.folder}/user\n"
        f"UserKnownHostsFile {tmp_path}/known\nIdentitiesOnly yes\nBatchMode yes\n"
    )
    (tmp_path / "there").mkdir()
    spec = "//".join(
        (
            "2*ssh=box",
            f"ssh_config={tmp_path / 'client'}",
            f"python={sys.executable}",
            f"chdir={tmp_path / 'there'}",
            f"env:HVCERT_LAB_DIR={lab / 'state' / 'lab'}",
        )
    )
    given = ("--dist", "load", "--rsyncdir=cases", "--tx", spec, "-k", "HOST-01")
    rows = run(lab, tmp_path / "results", *given)
    assert [row["outcome"] for row in rows] == ["pass"] * 6
    workers = {path.name for path in (tmp_path / "results" / "latest").glob("verdicts-gw*.jsonl")}
    assert workers == {"verdicts-gw0.jsonl", "verdicts-gw1.jsonl"}
    assert (tmp_path / "there" / "cases" / "test_host.py").exists()


def test_a_resumed_shard_stays_the_part_that_it_was(lab: Path, tmp_path: Path) -> None:
    """Other runs have changed how long cases are said to take meanwhile."""
    (lab / "cases" / "tried").touch()
    name = "20261127-070000-abcdef"
    first = run(lab, tmp_path, "--run", name, "--shard", "1/2")
    known = json.loads((tmp_path / "durations.json").read_text())
    (tmp_path / "durations.json").write_text(json.dumps({key: [9999.0] for key in known}))
    (tmp_path / name / "times-main.jsonl").unlink()  # nothing is settled
    assert prepare(tmp_path / name) == frozenset()
    again = run(lab, tmp_path, "--run", name, "--shard", "1/2", "--resume")
    assert [row["recording"] for row in again] == [row["recording"] for row in first]

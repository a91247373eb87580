"""A literal password is refused with what to write instead, and never shown."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.inventory.conftest import Loaded, Problems

SECRET = "hunter2-Sommer"  # noqa: S105  # a made-up password to look for
FORMS = ("password: {env: NAME}", "{file: PATH}", "{keyring: service/user}")
Texts = Callable[[str], tuple[str, ...]]


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        [SECRET],
        {SECRET: None},
        {"value": SECRET},
        {"env": SECRET},
        {"env": [SECRET]},
        {"keyring": SECRET},
        {"env": "A", "value": SECRET},
        {SECRET: {SECRET: 1}},
        428571,
        {"env": 428571},
        None,
    ],
    ids=str,
)
def test_a_literal_password_is_refused_and_not_shown(problems_of: Problems, value: object) -> None:
    said = " ".join(problems_of(lambda d: d["hosts"][0].update(password=value)))
    assert "hosts[0].password" in said
    assert SECRET not in said
    assert "428571" not in said


@pytest.mark.parametrize("value", [SECRET, {"value": SECRET}, None, 7])
def test_what_to_write_instead_is_said(problems_of: Problems, value: object) -> None:
    (said,) = problems_of(lambda d: d["hosts"][0].update(password=value))
    assert all(form in said for form in FORMS)


@pytest.mark.parametrize(
    "key", ["passwd", "Password", "pass", "pwd", "secret", "api_key", "ssh_password", "token"]
)
@pytest.mark.parametrize("where", ["host", "ssh", "top"])
def test_a_password_under_another_key_is_refused_and_not_shown(
    problems_of: Problems, key: str, where: str
) -> None:
    def change(content: dict[str, Any]) -> None:
        place = {"host": content["hosts"][0], "ssh": content["guests"][0]["ssh"], "top": content}
        place[where][key] = SECRET

    (said,) = problems_of(change)
    assert f"{key}: unknown key; a secret is never written" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("address", f"https://admin:{SECRET}@hv-1:5986/wsman"),
        ("address", f"admin:{SECRET}@hv-1"),
        ("name", f"admin:{SECRET}@hv-1"),
        ("username", f"admin:{SECRET}"),
        ("vm_path", f"\\\\admin:{SECRET}@files\\share"),
        ("transport", f"https://admin:{SECRET}@hv-1"),
        ("memory_reserve", f"https://a:{SECRET}@b"),
    ],
)
def test_a_password_in_a_url_is_refused_and_not_shown(
    problems_of: Problems, key: str, value: str
) -> None:
    said = " ".join(problems_of(lambda d: d["hosts"][0].update({key: value})))
    assert f"hosts[0].{key}: " in said
    assert SECRET not in said


def test_a_url_under_an_unknown_key_is_not_shown(problems_of: Problems) -> None:
    (said,) = problems_of(lambda d: d["hosts"][0].update(url=f"https://a:{SECRET}@hv-1"))
    assert said.startswith("hosts[0].url: unknown key")
    assert SECRET not in said


def test_a_private_key_is_refused_and_not_shown(problems_of: Problems) -> None:
    text = f"-----BEGIN OPENSSH PRIVATE KEY----- {SECRET}"
    (said,) = problems_of(lambda d: d["guests"][0]["ssh"].update(key=text))
    assert said == "guests[0].ssh.key: write the path of the key's file, not the key itself"


@pytest.mark.parametrize(
    "value",
    [
        f"*{SECRET}",
        f"!{SECRET} x",
        f"!{SECRET}!x y",
        f"&{SECRET} a\n    b: &{SECRET} c\n",
        f'"{SECRET}',
        f"'{SECRET}' '{SECRET}'",
        f"[{SECRET}",
        f"{{{SECRET}",
        f"{SECRET}: {SECRET}: {SECRET}",
        f"@{SECRET}",
        f"%{SECRET}",
        f"{{{SECRET}: 1, {SECRET}: 2}}",
        f'"\\q{SECRET}"',
    ],
)
def test_yaml_that_does_not_parse_shows_no_part_of_the_file(
    text_problems: Texts, value: str
) -> None:
    assert SECRET not in " ".join(text_problems(f"hosts:\n  - password: {value}\n"))


@pytest.mark.parametrize(
    "reference", [{"env": "A_B"}, {"file": "/run/secret"}, {"keyring": "hv/lab/user"}], ids=str
)
def test_a_reference_is_read(loaded: Loaded, reference: dict[str, str]) -> None:
    host = loaded(lambda d: d["hosts"][0].update(password=reference)).hosts[0]
    assert host.password
    assert {host.password.kind.value: host.password.name} == reference

"""The signs are made when their module is read: read again, they are made anew."""

from __future__ import annotations

import importlib

from harness.checks import health_signs

SIGNS = {name: repr(value) for name, value in vars(health_signs).items() if name.isupper()}


def test_the_signs_are_made_as_they_were() -> None:
    again = importlib.reload(health_signs)
    made = {name: repr(value) for name, value in vars(again).items() if name.isupper()}
    assert made == SIGNS

"""The report in a real browser, headless: what a reader sees, with any width, keyboard or eyes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.report.page import render_report
from tests.report.browser import ask
from tests.report.rows import GRID, PICTURE, RUN, TIMES, night

CONTRAST = """
const light = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map((v) => v / 255)
  .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (!/, 0\\)$/.test(c)) return c; } return "rgb(255, 255, 255)"; };
const poor = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.checkVisibility() || e.closest("svg, script, option")) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push([e.className, e.textContent.trim().slice(0, 30), ratio]);
}
return poor;
"""  # noqa: E501  # a script
Look = Callable[..., Any]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Return a function that opens the page in a window and returns what a script found there."""
    page = render_report(RUN, night(), TIMES, {PICTURE: GRID}.get)
    return partial(ask, tmp_path, page)


def test_the_title_and_the_table_are_there(look: Look) -> None:
    script = "return [document.title, document.querySelectorAll('.verdicts tbody tr').length]"
    assert look(script) == ["STAND-IN – hvcert 20261125-231243-41c2f1", len(night())]


@pytest.mark.parametrize("width", [340, 768, 1280])
def test_the_page_fits_a_window_of_any_width(look: Look, width: int) -> None:
    script = """const inner = document.querySelector("iframe").contentDocument;
      for (const one of inner.querySelectorAll("details")) one.open = true;
      return inner.documentElement.scrollWidth"""
    assert look(script, frame=width) <= width


def test_the_filter_shows_what_was_asked_for(look: Look) -> None:
    script = """const form = document.querySelector(".filter");
      form.elements.text.value = "nmi";
      form.querySelector("[value=pass]").checked = false;
      form.dispatchEvent(new Event("input"));
      const shown = [...document.querySelectorAll(".verdicts tbody tr")].filter((r) => r.checkVisibility());
      return [form.hidden, shown.map((r) => r.querySelector("th").textContent), form.querySelector("output").textContent];
    """  # noqa: E501  # a script
    hidden, shown, said = look(script)
    assert not hidden
    assert shown == ["NMI-02[Saved]"]
    assert said == f"1 of {len(night())}"


def test_a_link_to_a_case_opens_its_story_and_the_keyboard_is_there(look: Look) -> None:
    script = """const one = document.getElementById("DM-07-debian-12-hv-2019");
      return [one.open, document.activeElement === one.querySelector("summary"),
        one.querySelectorAll("svg[role=img]").length, one.querySelector(".steps") !== null]"""
    assert look(script, at="#DM-07-debian-12-hv-2019") == [True, True, 2, True]


def test_everything_that_acts_can_be_reached_by_keyboard(look: Look) -> None:
    script = """return [...document.querySelectorAll("a, summary, input, .scroll")]
      .filter((e) => e.tabIndex < 0).map((e) => e.outerHTML)"""
    assert look(script) == []


DARK = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")


@pytest.mark.parametrize("flags", [(), DARK])
def test_all_text_stands_out_from_its_ground(look: Look, flags: tuple[str, ...]) -> None:
    assert look(CONTRAST, flags=flags) == []


def test_an_outcome_is_told_by_word_and_sign_not_by_colour_alone(look: Look) -> None:
    script = """return [...document.querySelectorAll(".badge")].map((b) => b.textContent.trim())"""
    for text in look(script):
        assert re.fullmatch(r"\S (pass|fail|error|not-run|not-applicable)( \(.*\))?", text)


def test_printing_opens_every_story(look: Look) -> None:
    script = """dispatchEvent(new Event("beforeprint"));
      const all = [...document.querySelectorAll("details.story")].every((one) => one.open);
      dispatchEvent(new Event("afterprint"));
      return [all, document.querySelectorAll("details.story:not([open])").length > 0]"""
    assert look(script) == [True, True]

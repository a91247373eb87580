"use strict";
// The page works without this: it only adds the filter, opens what a link points to, and opens all for printing.
const form = document.querySelector(".filter");
const rows = [...document.querySelectorAll(".verdicts tbody tr")];
const show = () => {
  const text = form.elements.text.value.trim().toLowerCase();
  const words = new Set([...form.querySelectorAll("[name=word]:checked")].map((box) => box.value));
  let shown = 0;
  for (const row of rows) {
    row.hidden = !words.has(row.dataset.word) || !row.textContent.toLowerCase().includes(text);
    shown += !row.hidden;
  }
  form.querySelector("output").textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
};
form.hidden = false;
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
};
addEventListener("hashchange", open);
addEventListener("load", open);
const folded = () => document.querySelectorAll("details.story:not([open])");
let opened = [];
addEventListener("beforeprint", () => { opened = [...folded()]; opened.forEach((one) => { one.open = true; }); });
addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));

"""Keeps the verdicts of one test function until they are settled: written, each with its proof."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.errors import HarnessError, ResultsError
from harness.report.result import CaseResult, Try, slug
from harness.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.bench import Bench
    from harness.inventory.model import Guest
    from harness.report.step import Step
    from harness.report.store import Store


Item = tuple[str, str]
"""A case and the parameter of it that the function hands in, "" where there is none."""


@dataclass(slots=True)
class Ledger:
    """One test function on one guest and host; ``parameters`` are those that it hands in.

    ``prefix`` is the parameter by which pytest calls the function, "" where there is none.
    ``case`` is the first of the function's cases, the one that has the parameters; ``cases`` are
    those of them that the inventory wants on this guest, () for ``case`` alone.
    ``blocked``: why it got no turn on its host.
    ``spent`` and ``counted`` (until when) divide the function's time among its rows.
    """

    case: str
    feature: str
    guest: Guest
    host: str
    prefix: str
    parameters: tuple[str, ...]
    store: Store
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    bench: Bench | None = None
    cases: tuple[str, ...] = ()
    steps: Callable[[], tuple[Step, ...]] = tuple
    verdicts: dict[Item, Verdict] = field(default_factory=dict)
    rows: dict[Item, CaseResult] = field(default_factory=dict)
    unwritten: list[CaseResult] = field(default_factory=list)
    spent: dict[Item, float] = field(default_factory=dict)
    counted: datetime | None = None
    pool: str = ""
    blocked: HarnessError | None = None
    earlier: dict[Item, tuple[Try, ...]] = field(default_factory=dict)

    def place_on(self, host: str) -> None:
        """Take note of which host of its pool the function runs on."""
        self.host = host

    @property
    def recording(self) -> str:
        """Return where the function's recording is kept, relative to the run's folder."""
        title = f"{self.case}[{self.prefix}]" if self.prefix else self.case
        where = f"{self.guest.name}@{self.pool or self.host}"
        return f"recordings/{slug(f'{title}-{where}')}.jsonl"

    @property
    def items(self) -> tuple[Item, ...]:
        """Return everything that this function is going to hand in."""
        wanted = self.cases or (self.case,)
        first = ((self.case, name) for name in self.parameters or ("",) if self.case in wanted)
        return (*first, *((case, "") for case in wanted if case != self.case))

    def certify(self, verdict: Verdict, parameter: str = "", *, case: str = "") -> None:
        """Keep a verdict until the case's health is judged too.

        ``case``: which of the function's cases, the first when it is left out. A verdict on a case
        that the inventory does not want on this guest is dropped.
        """
        item = (case or self.case, parameter)
        if item in self.verdicts:
            said = f"{item[0]} was handed two verdicts for {parameter!r}"
            raise ValueError(said)
        if item[0] in (self.cases or (self.case,)):
            self.verdicts[item] = verdict
            self._spend(item)

    def planned(self) -> tuple[CaseResult, ...]:
        """Return a not-run row for everything that this function is going to hand in."""
        empty = Verdict(Outcome.NOT_RUN, "the run ended before this case", ())
        return tuple(self._row(item, empty) for item in self.items)

    def judge_health(self) -> None:
        """Judge the guest's log while it still runs; a new problem fails what had passed."""
        if self.bench is None:
            return
        self.bench.judge_health()
        sick = [v for v in self.bench.health if v.outcome is Outcome.FAIL]
        evidence = tuple(e for v in self.bench.health for e in v.evidence)
        for name, verdict in self.verdicts.items():
            whole = replace(verdict, evidence=verdict.evidence + evidence)
            if sick and verdict.outcome is Outcome.PASS:
                said = "; ".join(v.because for v in sick)
                whole = replace(whole, outcome=Outcome.FAIL, because=said)
            self.verdicts[name] = whole

    def settle(self) -> tuple[CaseResult, ...]:
        """Write all verdicts; return those that the inventory does not expect."""
        for item in self.items:
            if item[1] or not any(case == item[0] for case, _ in self.verdicts):
                what = "the case handed in no verdict" + (" for this" if item[1] else "")
                self.verdicts.setdefault(item, Verdict(Outcome.ERROR, what, ()))
        for name, verdict in self.verdicts.items():
            self._write(name, verdict)
        return tuple(row for row in self.rows.values() if not row.as_expected)

    def conclude(self, verdict: Verdict) -> None:
        """Let a verdict that ended the case early hold for everything that has none yet."""
        for item in self.items:
            self.verdicts.setdefault(item, verdict)

    def settle_all(self, verdict: Verdict) -> None:
        """Write the same verdict for everything that was planned."""
        for item in self.items:
            self._write(item, verdict)

    def fail_with(self, wrong: BaseException, when: str) -> None:
        """Write an error for what has no verdict yet; a pass is not spared."""
        if isinstance(wrong, HarnessError):
            said = f"{type(wrong).__name__}: {wrong}"
        else:
            said = f"{type(wrong).__name__} in the harness: {wrong}"
        said = f"{'clean-up: ' if when == 'teardown' else ''}{said}"
        for name, verdict in self.verdicts.items():
            if name not in self.rows and verdict.outcome is not Outcome.PASS:
                self._write(name, verdict)  # a pass stands only with the guest's health judged
        for name in dict.fromkeys((*self.items, *self.verdicts)):
            row = self.rows.get(name)
            if row is None or (when == "teardown" and row.outcome is Outcome.PASS):
                self._write(name, Verdict(Outcome.ERROR, said, ()))

    def wants_another_try(self) -> bool:
        """Return whether a verdict is neither as expected nor without a rule that excuses it."""
        return any(
            not row.as_expected and row.outcome in (Outcome.FAIL, Outcome.ERROR)
            for row in self.rows.values()
        )

    def begin_again(self, recording: str) -> None:
        """Start over on a fresh VM; this try's rows become earlier tries of the next one's.

        ``recording``: where this try's was put.
        """
        for item, row in self.rows.items():
            tried = Try(row.outcome, row.because, row.evidence, recording, row.seconds)
            self.earlier[item] = (*row.earlier, tried)
        self.bench, self.counted = None, None
        self.verdicts, self.rows, self.spent = {}, {}, {}

    def lines(self) -> tuple[str, ...]:
        """Return one line per verdict for whoever watches the run."""
        return tuple(
            f"{r.word}\t{r.title}\t{r.guest}@{r.host}\t{r.because}" for r in self.rows.values()
        )

    def _write(self, item: Item, verdict: Verdict) -> None:
        self._spend(item)
        row = self._row(item, verdict)
        context = tuple(self.bench.context) if self.bench else ()
        try:
            again = f"-try-{len(row.earlier) + 1}" if row.earlier else ""
            home = f"{row.title}-{row.guest}@{row.host}{again}"
            kept = self.store.keep(home, verdict.evidence + context)
            self.rows[item] = replace(row, evidence=kept)
            self.store.append(self.rows[item])
        except ResultsError as full:
            said = f"{type(full).__name__}: {full}; the verdict was {row.word}: {row.because}"
            self.rows[item] = replace(row, outcome=Outcome.ERROR, because=said)
            self.unwritten.append(self.rows[item])

    def _spend(self, item: Item) -> None:
        """Give a row the time since the last one was given its own: the rows' sum is the whole.

        What several verdicts share (a boot that all of them look at) is with the first of them.
        """
        now = datetime.now(UTC)
        own = (now - (self.counted or self.started)).total_seconds()
        self.spent[item] = self.spent.get(item, 0.0) + own
        self.counted = now

    def _row(self, item: Item, verdict: Verdict) -> CaseResult:
        case, name = item
        expected = [
            e.reason
            for e in self.guest.expected_failures
            if e.case == case and (not e.hosts or self.host in e.hosts)
        ]
        return CaseResult(
            case=case,
            feature=self.feature,
            parameter=" ".join(filter(None, (self.prefix, name))),
            guest=self.guest.name,
            host=self.host,
            outcome=verdict.outcome,
            because=verdict.because,
            expected_failure="; ".join(expected),
            started=self.started.isoformat(timespec="seconds"),
            seconds=round(self.spent.get(item, 0.0), 3),
            facts=dict(self.bench.facts) if self.bench else {},
            story=tuple(self.bench.story) if self.bench else (),
            series=verdict.series,
            recording=self.recording,
            pool=self.pool,
            earlier=self.earlier.get(item, ()),
            steps=self.steps(),
        )

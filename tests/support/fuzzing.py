"""Schemathesis in rounds: a sample in every test run, as many cases as wanted with FUZZ_CASES (`make fuzz`)."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

CASES = int(os.environ.get("FUZZ_CASES", "0"))
"""Cases of both planes together; 0 is the sample: one round."""
SEED = int(os.environ.get("FUZZ_SEED", "0"))
EXAMPLES = 500 if CASES else 20
CHECKS = {"not_a_server_error", "negative_data_rejection", "positive_data_acceptance", "unsupported_method"}
TOLD_EVERY = 1000

_CHECKS = {
    # What normalisation leaves, and which fields a catalog has, no schema can say: 422 is an answer to both.
    # Slots, words and ETags of a store neither: 404, 409 and 412 are answers of the control plane.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "412", "422"]},
    "negative_data_rejection": {"expected-statuses": ["400", "404", "413", "415", "422", "428"]},
    "missing_required_header": {"expected-statuses": ["401", "404", "422", "428"]},
}
Schema = Callable[[SchemathesisConfig], Any]


def hold_to_the_document(
    plane: str,
    schema: Schema,
    share: float,
    headers: Mapping[str, str] | None = None,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Run every check of schemathesis in rounds; no failure, and no check that did not run.

    The first round has every phase; those after it, each with a seed of its own, leave out what would be sent again
    the same (examples and coverage).

    Args:
        plane: what it is, for people.
        schema: loads the served document.
        share: of `CASES` that this plane gets.
        headers: sent with every request, unless a check leaves them out.
        after: called after each round.
    """
    run = _Run(plane, int(CASES * share), dict(headers or {}))
    number = 0
    while number == 0 or run.cases < run.wanted:
        run.round(schema, number)
        after()
        number += 1
    print(run) if run.wanted else None
    assert not run.failures, "\n".join(f"{count} × {failure}" for failure, count in run.failures.items())
    assert run.cases > 5 * EXAMPLES
    assert run.checked >= CHECKS


class _Run:
    def __init__(self, plane: str, wanted: int, headers: dict[str, str]) -> None:
        self.plane, self.wanted, self.headers = plane, wanted, headers
        self.cases = 0
        self.failures: Counter[str] = Counter()
        self.checked: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.began = time.monotonic()

    def __str__(self) -> str:
        spent = time.monotonic() - self.began
        said = f"{self.plane}: {self.cases} of {self.wanted} cases, {self.failures.total()} failures"
        answers = ", ".join(f"{status} {count}" for status, count in sorted(self.statuses.items()))
        return f"{said}, {spent:.0f} s, {self.cases / spent:.0f} a second, seed {SEED}; answers: {answers}"

    def round(self, schema: Schema, number: int) -> None:
        config: dict[str, Any] = {
            "generation": {"max-examples": EXAMPLES, "deterministic": not self.wanted, "database": "none"},
            "checks": _CHECKS,
            "headers": self.headers,
            "seed": SEED + number,
        }
        if number:
            config["phases"] = {"examples": {"enabled": False}, "coverage": {"enabled": False}}
        for event in from_schema(schema(SchemathesisConfig.from_dict(config))).execute():
            for failure in failures_of(event):
                if not self.failures[failure]:
                    print(failure)
                self.failures[failure] += 1
            if isinstance(event, events.ScenarioFinished):
                self._note(event.recorder)

    def _note(self, recorder: Any) -> None:
        told = self.cases // TOLD_EVERY
        self.cases += len(recorder.cases)
        self.checked |= {check.name for checks in recorder.checks.values() for check in checks}
        answers = [one.response for one in recorder.interactions.values() if one.response is not None]
        self.statuses.update(f"{answer.status_code}" for answer in answers)
        if self.wanted and self.cases // TOLD_EVERY > told:
            print(self, flush=True)


def failures_of(event: Any) -> list[str]:
    """What the engine reports as wrong: a failed check with the request that shows it, or an error of its own."""
    if isinstance(event, events.NonFatalError | events.FatalError):
        return [repr(event)]
    if not isinstance(event, events.ScenarioFinished):
        return []
    return [
        f"{event.label} {check.name}: {check.failure_info and check.failure_info.failure.message}"
        + f" {check.failure_info and check.failure_info.code_sample}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is not Status.SUCCESS
    ]

"""Schemathesis in rounds: a sample in every test run, as many cases as wanted with FUZZ_CASES (`make fuzz`)."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from slotbeam.bindings.spec import OBJECTS

CASES = int(os.environ.get("FUZZ_CASES", "0"))
"""Cases of both planes together; 0 is the sample: one round."""
SEED = int(os.environ.get("FUZZ_SEED", "0"))
EXAMPLES = 500 if CASES else 12
CHECKS = {"not_a_server_error", "negative_data_rejection", "positive_data_acceptance", "unsupported_method"}
TOLD_EVERY = 1000
SHOWN = 2000

_CHECKS = {
    # What normalisation leaves, and which fields a catalog has, no schema can say: 422 is an answer to both.
    # Slots, words and ETags of a store neither: 404, 409 and 412 are answers of the control plane. A key that was used
    # for another request is 409 before anything else is looked at. A head that is too large is 431, whatever it holds.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "409", "412", "422", "431"]},
    "negative_data_rejection": {"expected-statuses": ["400", "403", "404", "409", "413", "415", "422", "428", "431"]},
    "missing_required_header": {"expected-statuses": ["401", "404", "409", "422", "428", "431"]},
    # A slot outlives its binding: GET says that it is free. A binding's id is 404 afterwards (test_admin_slots.py).
    "use_after_free": {"enabled": False},
}
Schema = Callable[[SchemathesisConfig], Any]


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Every second word and item id is one that the shop could have, so that edits succeed, too."""
    if isinstance(body, list):
        return [map_body(context, row) for row in body]
    if not isinstance(body, dict):
        return body
    found = dict(body)
    if isinstance(found.get("words"), list):
        found["words"] = [_every_second(word, "w{}", 64) for word in found["words"]]
    if isinstance(found.get("items"), list):
        found["items"] = [_every_second(item, "i{:03}", 256) for item in found["items"]]
    elif isinstance(found.get("items"), dict) and isinstance(found["items"].get("ids"), list):
        ids = [_every_second(item, "i{:03}", 256) for item in found["items"]["ids"]]
        found["items"] = {**found["items"], "ids": ids}
    for name in ("operations", *OBJECTS):
        if name in found:
            found[name] = _of_64_bits(found[name])  # a value of any shape: no schema bounds its numbers
    return found


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Every second slot is a reserved one."""
    if path_parameters and "slot" in path_parameters:
        return {**path_parameters, "slot": _every_second(path_parameters["slot"], "1-{}", 256, 4, 4)}
    return path_parameters


@schemathesis.hook
def map_headers(context: Any, headers: Any) -> Any:
    """Every second edit names whatever is there."""
    if headers and "If-Match" in headers:
        return {**headers, "If-Match": _every_second(headers["If-Match"], "*", 256)}
    return headers


def _of_64_bits(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _of_64_bits(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_of_64_bits(part) for part in value]
    return value % 2**63 if type(value) is int and not -(2**63) <= value < 2**63 else value


def _every_second(text: Any, plausible: str, most: int, first: int = 0, count: int = 40) -> Any:
    """`text`, or `plausible` with a number instead; what may be wrong with it (type, length) stays."""
    if not isinstance(text, str) or not 0 < len(text) <= most or sum(map(ord, text)) % 2:
        return text
    return plausible.format(first + sum(map(ord, text)) // 2 % count)


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
    assert run.cases >= max(run.wanted, 100)
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
    found = []
    for case, checks in event.recorder.checks.items():
        response = getattr(event.recorder.interactions.get(case), "response", None)
        for check in checks:
            if check.status is not Status.SUCCESS:
                info = check.failure_info
                said = f"{info.failure.message}\n{info.code_sample[:SHOWN]}" if info else ""
                answer = f"{response.status_code} {response.text[:SHOWN]}" if response else "nothing"
                found.append(f"{event.label} {check.name}: {said}\nanswer: {answer}")
    return found

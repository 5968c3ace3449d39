"""Metrics of several processes as one: sums that never fall, gauges with the process they are of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Counted
from prometheus_client.core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from slotbeam.api.retrieve.sums import Sums

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(exposition: bytes) -> Samples:
    families = text_string_to_metric_families(exposition.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


class Process:
    """One that counts, as a data plane does."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counted("requests", "Requests.", ["outcome"], registry=self.registry)
        self.seconds = Histogram("seconds", "Seconds.", buckets=(1.0, 5.0), registry=self.registry)
        self.depth = Gauge("depth", "Now.", registry=self.registry)

    def says(self) -> str:
        return generate_latest(self.registry).decode()


def test_counters_and_histograms_are_summed_and_a_gauge_says_whose_it_is() -> None:
    sums, one, two = Sums(), Process(), Process()
    one.requests.labels("ok").inc(2)
    two.requests.labels("ok").inc(3)
    two.requests.labels("late").inc()
    one.seconds.observe(0.5)
    two.seconds.observe(2)
    one.depth.set(7)
    for pid, process in ((11, one), (12, two)):
        sums.begin(pid, str(pid - 10))
        sums.note(pid, process.says())
    restarts = CounterMetricFamily("restarts", "Restarts.", labels=["part"])
    restarts.add_metric(["serve"], 4)
    told = sums.render([11, 12], [restarts])
    assert read(told) == {
        ("requests_total", (("outcome", "ok"),)): 5,
        ("requests_total", (("outcome", "late"),)): 1,
        ("seconds_bucket", (("le", "1.0"),)): 1,
        ("seconds_bucket", (("le", "5.0"),)): 2,
        ("seconds_bucket", (("le", "+Inf"),)): 2,
        ("seconds_count", ()): 2,
        ("seconds_sum", ()): 2.5,
        ("depth", (("process", "1"),)): 7,
        ("depth", (("process", "2"),)): 0,
        ("restarts_total", (("part", "serve"),)): 4,
    }
    lines = told.decode().splitlines()
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE requests_total counter",
        "# TYPE seconds histogram",
        "# TYPE depth gauge",
        "# TYPE restarts_total counter",
    ]


def test_a_process_that_does_not_answer_keeps_its_counts_and_has_no_gauges() -> None:
    sums, one, two = Sums(), Process(), Process()
    for pid, process in ((11, one), (12, two)):
        process.requests.labels("ok").inc(2)
        sums.begin(pid, str(pid))
        sums.note(pid, process.says())
    told = read(sums.render([12]))
    assert told["requests_total", (("outcome", "ok"),)] == 4
    assert [labels for name, labels in told if name == "depth"] == [(("process", "12"),)]


def test_what_a_process_says_after_its_end_is_left_out() -> None:
    """An answer may be read after the process that gave it was seen to end: its counts are kept already."""
    sums, old, new = Sums(), Process(), Process()
    old.requests.labels("ok").inc(2)
    sums.begin(11, "1")
    sums.note(11, old.says())
    sums.end(11)
    sums.note(11, old.says())
    new.requests.labels("ok").inc()
    sums.begin(12, "1")
    sums.note(12, new.says())
    assert read(sums.render([12]))["requests_total", (("outcome", "ok"),)] == 3


def test_a_series_ends_with_the_last_process_that_exports_it_and_comes_back_with_its_counts() -> None:
    """As those of a binding do, of which only the most active have series."""

    def says(*bindings: str) -> str:
        return "# TYPE hits_total counter\n" + "".join(f'hits_total{{binding="{name}"}} 3.0\n' for name in bindings)

    sums = Sums()
    for pid in (11, 12):
        sums.begin(pid, str(pid))
        sums.note(pid, says("a", "b"))
    sums.note(11, says("b"))
    assert set(read(sums.render([11, 12])).values()) == {6}
    sums.note(12, says("b"))
    assert set(read(sums.render([11, 12]))) == {("hits_total", (("binding", "b"),))}
    sums.note(12, says("a", "b"))
    assert read(sums.render([11, 12]))["hits_total", (("binding", "a"),)] == 6


def test_no_more_is_remembered_than_is_allowed() -> None:
    sums = Sums(kept=10)
    sums.begin(11, "1")
    for number in range(100):
        sums.note(11, f'# TYPE hits_total counter\nhits_total{{binding="{number}"}} 1.0\n')
        sums.render([11])
    assert len(sums._counts[11]) <= 11


@dataclass
class Model:
    """Every process that ever was, and what it said last."""

    sums: Sums = field(default_factory=Sums)
    alive: dict[int, Process] = field(default_factory=dict)
    said: dict[int, Counter[str]] = field(default_factory=dict)
    pids: int = 0

    def begin(self) -> None:
        self.pids += 1
        self.alive[self.pids] = Process()
        self.alive[self.pids].requests.labels("ok")
        self.said[self.pids] = Counter()
        self.sums.begin(self.pids, str(len(self.alive)))

    def say(self, pid: int) -> None:
        process = self.alive[pid]
        self.sums.note(pid, process.says())
        self.said[pid] = Counter({"ok": int(process.requests.labels("ok")._value.get())})


@given(st.lists(st.tuples(st.sampled_from(["begin", "count", "say", "end", "render"]), st.integers(0, 9)), max_size=60))
def test_no_sum_ever_falls_and_each_is_what_all_processes_that_ever_were_said_last(
    steps: list[tuple[str, int]],
) -> None:
    model, before = Model(), 0.0
    for what, number in steps:
        if what == "begin" or not model.alive:
            model.begin()
            continue
        pid = sorted(model.alive)[number % len(model.alive)]
        if what == "count":
            model.alive[pid].requests.labels("ok").inc(number)
        elif what == "say":
            model.say(pid)
        elif what == "end":
            model.sums.end(pid)
            del model.alive[pid]
        else:
            model.say(pid)
            total = read(model.sums.render([pid]))["requests_total", (("outcome", "ok"),)]
            assert total == sum(said["ok"] for said in model.said.values())
            assert total >= before
            before = total

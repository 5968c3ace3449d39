"""The metrics of several data planes behind one port as one exposition: what `/metrics` of that port answers.

Counters and histograms are summed, those of processes that ended included: no sum falls when one dies. Gauges are facts
of one process: each keeps its series, with the label `process`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Series = tuple[str, tuple[tuple[str, str], ...]]
"""Name of a sample and its labels, sorted."""

PROCESS = "process"
KEPT = 100_000
"""Series that no process exports any more, remembered at most: one of a binding that fewer queries trigger now comes
back with what was counted before."""
_SUMMED = ("counter", "histogram", "summary")


class Sums:
    """What each process said last, and what those that ended counted.

    Args:
        kept: as `KEPT`.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._said: dict[int, list[Metric]] = {}
        self._numbers: dict[int, str] = {}
        self._counts: dict[int, dict[Series, float]] = {}
        self._ended: dict[Series, float] = {}

    def begin(self, pid: int, number: str) -> None:
        """Take what process `pid` says from now on; `number` is its value of the label `process`."""
        self._numbers[pid], self._counts[pid] = number, {}

    def note(self, pid: int, exposition: str) -> None:
        """Take what a process says of itself now. Of one that is not known, or ended, it is left out."""
        counts = self._counts.get(pid)
        if counts is None:
            return
        families = list(text_string_to_metric_families(exposition))
        self._said[pid] = families
        for family in families:
            if family.type in _SUMMED:
                counts.update({_series(sample): sample.value for sample in family.samples})

    def end(self, pid: int) -> None:
        """Keep what a process that ended had counted, as far as it had said so."""
        self._said.pop(pid, None)
        self._numbers.pop(pid, None)
        for series, value in self._counts.pop(pid, {}).items():
            self._ended[series] = self._ended.get(series, 0.0) + value

    def render(self, answered: Collection[int], own: Iterable[Metric] = ()) -> bytes:
        """Return the text exposition format.

        Args:
            answered: processes that spoke just now: series are there as long as one of these exports them.
            own: counters of the parent's own.
        """
        families: dict[str, Metric] = {}
        shown: dict[str, dict[Series, float]] = defaultdict(dict)
        for pid in answered:
            for family in self._said.get(pid, ()):
                if family.name.endswith("_created"):  # of a sum there is no such moment
                    continue
                whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                if family.type in _SUMMED:
                    shown[family.name].update({_series(sample): 0.0 for sample in family.samples})
                else:
                    number = self._numbers[pid]
                    whole.samples += [s._replace(labels={**s.labels, PROCESS: number}) for s in family.samples]
        for family in own:
            families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                shown[family.name][_series(sample)] = sample.value
        for name, of_family in shown.items():
            families[name].samples = [
                Sample(series[0], dict(series[1]), value + self._sum(series)) for series, value in of_family.items()
            ]
        self._forget({series for of_family in shown.values() for series in of_family})
        return generate_latest(_registry(families.values()))

    def _sum(self, series: Series) -> float:
        return self._ended.get(series, 0.0) + sum(counts.get(series, 0.0) for counts in self._counts.values())

    def _forget(self, shown: set[Series]) -> None:
        for counts in (self._ended, *self._counts.values()):
            if len(counts) > self._kept + len(shown):
                for series in counts.keys() - shown:
                    del counts[series]


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> list[Metric]:
        return self._families


def _registry(families: Iterable[Metric]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Families(families))
    return registry


def _series(sample: Sample) -> Series:
    return sample.name, tuple(sorted(sample.labels.items()))

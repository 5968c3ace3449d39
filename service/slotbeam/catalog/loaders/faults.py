"""What is wrong with the rows of files: all of it is found before anything is refused, and listed up to a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar, cast

from slotbeam.catalog.loaders.source import RowOrFault, SourceRow
from slotbeam.errors import InputError

LISTED = 50
EACH = 3
"""Of one kind (a field and what is allowed there) only the first few are listed, the others are counted."""
LISTED_LEFT_OUT = 1000
"""Where rows may be left out each is listed, whatever its kind: somebody wants to know which they were."""
_MOST_KINDS = 10_000
"""So many kinds are told apart: a file of another form may have one a row."""
_OTHER = ("", "")

P = ParamSpec("P")
T = TypeVar("T")


class Faults:
    """Collects faults, and what is worth saying but no fault.

    Args:
        allowed: so many rows with faults may be left out; nothing else of a file may.
    """

    def __init__(self, allowed: int = 0) -> None:
        self.listed: list[InputError] = []
        self.warnings: list[str] = []
        self.rows = 0
        """How many rows have a fault."""
        self.allowed = allowed
        self._each, self._most = (LISTED_LEFT_OUT, LISTED_LEFT_OUT) if allowed else (EACH, LISTED)
        self._end: InputError | None = None
        self._kinds: Counter[tuple[str, str]] = Counter()

    def note(self, *faults: InputError) -> None:
        """Take all faults of one row, or one that `ending` made of what ended a file."""
        self.rows += max((fault.details.get("rows", 1) for fault in faults), default=0)
        self._end = next((fault for fault in faults if "ends" in fault.details), self._end)
        self.tell(*faults)

    def tell(self, *faults: InputError) -> None:
        """Take faults of rows that are counted already."""
        for fault in faults:
            kind = str(fault.details.get("field")), str(fault.details.get("rule"))
            if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
                kind = _OTHER
            self._kinds[kind] += 1
            if self._kinds[kind] <= self._each and len(self.listed) < self._most:
                self.listed.append(fault)

    def pass_over(self, count: int) -> None:
        """Count faults that are like those that were told."""
        self._kinds[_OTHER] += count

    @property
    def count(self) -> int:
        return self._kinds.total()

    @property
    def refused(self) -> bool:
        """Whether there is more than may be left out."""
        return self._end is not None or self.rows > self.allowed

    def lines(self) -> list[str]:
        """Return each listed fault, and how many are not."""
        left = self.count - len(self.listed)
        listed = f"of each kind the first {self._each}" if self._each < self._most else f"the first {self._most}"
        return [*map(str, self.listed), *([f"and {left} more; {listed} are listed"] if left else [])]

    def refuse(self) -> None:
        """Raise one `InputError` for everything that was found, if it is more than may be left out."""
        if not self.refused:
            return
        if self.count == 1 and not self.allowed:
            raise self.listed[0]
        first = self.listed[0]
        said = f"{self.count} faults; the first: {first}"
        if self.allowed and self._end is not None:
            said = f"{self.count} faults; what ends a file cannot be left out: {self._end}"
        elif self.allowed:
            said = f"{self.count} faults in {self.rows} rows, {self.allowed} may be left out; the first: {first}"
        raise InputError(said, **{**first.details, "faults": self.lines()})


class RowParts:
    """The parts of one row: each is read, so that all that is wrong with a row is told at once."""

    def __init__(self) -> None:
        self.faults: list[InputError] = []

    def take(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `read` returns; where it raises `InputError` that is kept in `faults`, and the value is None."""
        try:
            return read(*args, **kwargs)
        except InputError as error:
            self.faults.append(error)
            return cast(T, None)


def refusing(read: Callable[[Faults], Iterator[T]]) -> Iterator[T]:
    """Yield every good row of `read`; at the end one error for all that are not."""
    faults = Faults()
    yield from read(faults)
    faults.refuse()


def good_rows(rows: Iterator[RowOrFault], faults: Faults) -> Iterator[SourceRow]:
    """Yield the rows; what is none goes to `faults`, and so does what ends the file."""
    try:
        for row in rows:
            if isinstance(row, InputError):
                faults.note(row)
            else:
                yield row
    except InputError as error:
        faults.note(ending(error))


def ending(fault: InputError) -> InputError:
    """Mark the fault that ended a file: what follows it was not read, so it cannot be left out."""
    fault.details["ends"] = True
    return fault


def spanning(fault: InputError, rows: int) -> InputError:
    """Mark a fault in which several rows are lost."""
    fault.details["rows"] = rows
    return fault

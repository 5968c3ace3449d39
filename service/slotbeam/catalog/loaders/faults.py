"""What is wrong with the rows of files: all of it is found before anything is refused, and listed up to a limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar, cast

from slotbeam.catalog.item import Item
from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.errors import InputError

LISTED = 50
EACH = 3
"""Of one kind (a field and what is allowed there) only the first few are listed, the others are counted."""

CheckedItem = tuple[SourcePlace, Item, bool]
"""An item and where it stands; false: something of it is a fault, and None where it could not be read."""

P = ParamSpec("P")
T = TypeVar("T")


class Faults:
    """Collects faults, and what is worth saying but no fault."""

    def __init__(self) -> None:
        self.listed: list[InputError] = []
        self.warnings: list[str] = []
        self._kinds: Counter[tuple[str, str]] = Counter()

    def note(self, *faults: InputError) -> None:
        """Take faults, each of one row and field."""
        for one in faults:
            kind = str(one.details.get("field")), str(one.details.get("rule"))
            self._kinds[kind] += 1
            if self._kinds[kind] <= EACH and len(self.listed) < LISTED:
                self.listed.append(one)

    def pass_over(self, count: int) -> None:
        """Count faults that are like those that were noted."""
        self._kinds["", ""] += count

    @property
    def count(self) -> int:
        return self._kinds.total()

    def lines(self) -> list[str]:
        """Return each listed fault, and how many are not."""
        left = self.count - len(self.listed)
        return [
            *map(str, self.listed),
            *([f"and {left} more; of each kind the first {EACH} are listed"] if left else []),
        ]

    def refuse(self) -> None:
        """Raise one `InputError` for everything that was found, if anything was."""
        if self.count == 1:
            raise self.listed[0]
        if self.count:
            said = f"{self.count} faults; the first: {self.listed[0]}"
            raise InputError(said, **{**self.listed[0].details, "faults": self.lines()})


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

"""Which index the replicas serve: what the store says of it, and how one switch follows from another. Pure code.

An index knows which edits it holds (its `Watermark`). A replica serves an index and, on top, the records that the
index does not hold; so replicas of one store may serve different indexes meanwhile, and all of them serve every edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from slotbeam.errors import Conflict, InputError
from slotbeam.search.artifact import INDEX, Artifact, sha_of
from slotbeam.search.watermark import Watermark

NOW = "now"
"""A watermark that is that of the store."""


@dataclass(frozen=True, slots=True)
class IndexMark:
    """An index as the store names it.

    Attributes:
        name: of its directory under SLOTBEAM_INDEX_DIR.
        sha: of its manifest, which names every byte.
        watermark: which edits it holds.
    """

    name: str
    sha: str
    watermark: Watermark

    @classmethod
    def of(cls, artifact: Artifact, name: str | None = None) -> IndexMark:
        """Return the mark of an artifact; without a name of its directory, under its own."""
        return cls(name or artifact.name, artifact.sha, artifact.watermark)

    @classmethod
    def told_by(cls, manifest: Mapping[str, Any], name: str | None = None) -> IndexMark:
        """Return the same of the manifest alone. Raises `ValueError`: its watermark is none."""
        return cls(name or str(manifest["name"]), sha_of(manifest), Watermark.read(manifest[INDEX].get("watermark")))

    def beat(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"name": self.name, "sha": self.sha, "epoch": self.watermark.epoch, "seq": self.watermark.seq}


@dataclass(frozen=True, slots=True)
class Switch:
    """The newest switch.

    Attributes:
        number: counts switches.
        root: sha of the SLOTBEAM_ARTIFACT that the first of them began from; a replica of another artifact that is
            none of these was given it on purpose, and stays with it.
        active: the index that is to be served.
        before: the one that a rollback goes back to.
        by, at: who switched, unix ms.
    """

    number: int
    root: str
    active: IndexMark
    before: IndexMark
    by: str
    at: int

    def concerns(self, root: str) -> bool:
        """Return whether a replica whose SLOTBEAM_ARTIFACT has the hash `root` is to follow."""
        return root in (self.root, self.active.sha, self.before.sha)

    def fields(self) -> dict[str, str]:
        """Return what the hash `{sb}:index` holds."""
        marks = {f"{which}_{name}": str(value) for which in ("active", "before") for name, value in self._of(which)}
        return {"number": str(self.number), "root": self.root, **marks, "by": self.by, "at": str(self.at)}

    def _of(self, which: str) -> list[tuple[str, Any]]:
        mark: IndexMark = getattr(self, which)
        return list(mark.beat().items())

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Switch:
        """Read what `fields()` wrote. Raises `InputError`: it cannot have."""
        try:
            active, before = (
                IndexMark(
                    fields[f"{which}_name"],
                    fields[f"{which}_sha"],
                    Watermark(fields[f"{which}_epoch"], int(fields[f"{which}_seq"])),
                )
                for which in ("active", "before")
            )
            number, at = int(fields["number"]), int(fields["at"])
            return cls(number, fields["root"], active, before, fields["by"], at)
        except (KeyError, ValueError) as error:
            raise InputError(f"the store's index cannot be read ({error}); was it written by slotbeam?") from None


def followed(switch: Switch | None, root: str) -> Switch | None:
    """Return the newest switch where a replica whose SLOTBEAM_ARTIFACT has the hash `root` is to follow it."""
    return switch if switch is not None and switch.concerns(root) else None


@dataclass(frozen=True, slots=True)
class Base:
    """What the store's items stand on.

    Attributes:
        epoch, seq: of the items.
        trimmed: records up to this seq were let go: an index must hold edits up to there.
    """

    epoch: str
    seq: int
    trimmed: int


def activation(now: Switch | None, wanted: IndexMark, served: IndexMark, base: Base, by: str, at: int) -> Switch | None:
    """Return the switch to `wanted`; None when it is active already.

    Args:
        now: the newest switch; None before any.
        served: what the control plane serves; where no switch concerns it, a rollback goes back to it.

    Raises:
        Conflict: records that `wanted` does not hold are gone, or it holds edits that the store does not know.
    """
    mine = followed(now, served.sha)
    active, root = (mine.active, mine.root) if mine else (served, served.sha)
    if wanted.sha == active.sha:
        return None
    check_watermark(wanted, base)
    return Switch(_next(now), root, wanted, active, by, at)


def rollback(now: Switch | None, name: str, base: Base, by: str, at: int) -> Switch:
    """Return the switch from `name` back to the index before it.

    Raises:
        Conflict: it is not active, or records that the index before it lacks are gone.
    """
    if now is None or now.active.name != name:
        active = "none was activated" if now is None else f"{now.active.name} is"
        raise Conflict(f"{name} is not the active index ({active}), so there is nothing to roll back from it")
    check_watermark(now.before, base)
    return replace(now, number=_next(now), active=now.before, before=now.active, by=by, at=at)


def check_watermark(mark: IndexMark, base: Base) -> None:
    """Raise `Conflict` where an index and the store's records do not make up the catalog."""
    epoch, seq = mark.watermark.epoch, mark.watermark.seq
    if seq < base.trimmed:
        raise Conflict(
            f"{mark.name} holds edits up to seq {seq}; records up to {base.trimmed} were let go, since later indexes "
            "hold them: fold a new one (slotbeam index --fold), or index a newer export (slotbeam index --watermark)"
        )
    if epoch == base.epoch and seq > base.seq:
        raise Conflict(f"{mark.name} holds edits up to seq {seq}, the store is at {base.seq}: it is of another store")


def claimed(said: str, base: Base) -> Watermark:
    """Return which edits a catalog is said to hold.

    Args:
        said: `now`, or what `slotbeam items watermark` said before the catalog was exported.

    Raises:
        InputError: it is neither.
        Conflict: an index of this catalog could not be served, or the edits are those of another store.
    """
    if said == NOW:
        return Watermark(base.epoch, base.seq)
    try:
        watermark = Watermark.parse(said)
    except ValueError:
        raise InputError(
            f'--watermark is {said!r}; allowed: {NOW}, or what "slotbeam items watermark" said before the export'
        ) from None
    if watermark.epoch != base.epoch:
        raise Conflict(
            f"--watermark is of the epoch {watermark.epoch}, the store's is {base.epoch}: it was restored or made anew "
            'since, or is another one; ask "slotbeam items watermark" again, and export the catalog after that'
        )
    check_watermark(IndexMark("the catalog", "", watermark), base)
    return watermark


def _next(now: Switch | None) -> int:
    return now.number + 1 if now is not None else 1

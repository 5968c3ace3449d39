"""Everything that an edit is warned of, and made all the same. Pure."""

from __future__ import annotations

from collections.abc import Callable

from slotbeam.bindings.edits.plan import Edit
from slotbeam.bindings.listing import Listing
from slotbeam.search.artifact import Artifact
from slotbeam.suggestions.guess import Guesser
from slotbeam.suggestions.misplaced import misplaced
from slotbeam.suggestions.unmet import unmet


def warnings_about(
    artifact: Artifact, listing: Listing, edit: Edit, guesser: Callable[[], Guesser] | None = None
) -> list[str]:
    """Return the warnings of one edit; arguments as `misplaced`. What is removed is not warned of."""
    return [*misplaced(artifact, listing, edit, guesser), *(unmet(artifact, edit.after) if edit.after else ())]

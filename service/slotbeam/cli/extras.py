"""What some commands need and serving does not bring along."""

from __future__ import annotations

from slotbeam.errors import SetupError


def need(module: str) -> None:
    """Raise `SetupError` saying what to install when `module` is not there."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise SetupError(
            f'this needs {module}, which serving does not: pip install "slotbeam[train]" '
            "(PyTorch's CPU build is enough; see https://pytorch.org/get-started/locally/)"
        )

"""Checkpoints: one .npz with weights, AdamW moments and the place in the plan. No pickle; replaced in one rename."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slotbeam.errors import SetupError
from slotbeam.files import replacing
from slotbeam_train.policy.model import Policy

MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(path: Path, model: Policy, optimizer: torch.optim.Optimizer, place: dict[str, Any]) -> None:
    """Write everything that the next step depends on; `place` is JSON."""
    arrays: dict[str, Any] = {"place": np.frombuffer(json.dumps(place).encode(), np.uint8)}
    for name, value in model.named_parameters():
        arrays[f"weight/{name}"] = value.detach().cpu().numpy()
        state = optimizer.state.get(value, {})
        for moment in MOMENTS:
            if moment in state:
                arrays[f"{moment}/{name}"] = state[moment].cpu().numpy()
        if "step" in state:
            arrays[f"step/{name}"] = np.asarray(float(state["step"]), np.float32)
    with replacing(path, durable=True) as file:
        np.savez(file, **arrays)


def load_checkpoint(path: Path, model: Policy, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Put weights and moments back, and return `place`.

    Raises:
        SetupError: the file is damaged or of another model.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            place: dict[str, Any] = json.loads(arrays["place"].tobytes())
            with torch.no_grad():
                for name, value in model.named_parameters():
                    value.copy_(torch.from_numpy(arrays[f"weight/{name}"]))
                    if f"step/{name}" in arrays:
                        optimizer.state[value] = {
                            "step": torch.tensor(float(arrays[f"step/{name}"]), device=value.device),
                            **{m: torch.from_numpy(arrays[f"{m}/{name}"]).to(value.device) for m in MOMENTS},
                        }
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise SetupError(f"{path} does not fit this training ({error}); train again without --resume") from error
    return place

"""Processors with fewer instructions than this one, for tests of what floating point may do.

BLAS, PyTorch, FAISS, onnxruntime, numpy and the C library choose their code by what the processor offers, and each
choice adds in another order. `hide.c` hides instructions from all of them, by their one source, CPUID. Where it cannot
be made to fault, the libraries' own switches do a part: onnxruntime has none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.compiling import compiled

NUMERIC = (
    "kae trie decode search model catalog indexing/test_encode.py suggestions training lab test_arrays.py test_demo.py"
)
"""Tests of what is computed in floating point, below `tests`; they start hardly a process."""

HIDDEN: Mapping[str, Mapping[str, str]] = {
    "avx2": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F"},
    "avx": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"},
    "sse": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4,-AVX"},
}
"""The newest instructions that are left → what `hide.c` cannot reach."""

SWITCHES: Mapping[str, Mapping[str, str]] = {
    "avx2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "FAISS_SIMD_LEVEL": "AVX2",
    },
    "avx": {
        "OPENBLAS_CORETYPE": "Sandybridge",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4,AVX512_ICL,AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "AVX",
        "MKL_ENABLE_INSTRUCTIONS": "AVX",
        "FAISS_SIMD_LEVEL": "NONE",
    },
    "sse": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3,X86_V4,AVX512_ICL,AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "FAISS_SIMD_LEVEL": "NONE",
    },
}
"""The libraries' own switches: OpenBLAS, numpy, PyTorch, oneDNN, MKL, FAISS."""


def hiding(level: str, workshop: Path) -> dict[str, str]:
    """The environment of a process that sees no instructions above `level`; empty where CPUID cannot be hidden.

    Args:
        level: of `HIDDEN`. workshop: where the library goes.
    """
    library = compiled(Path(__file__).with_name("hide.c"), workshop)
    environment = {**HIDDEN[level], "LD_PRELOAD": str(library), "HIDE_ABOVE": level}
    tried = subprocess.run([sys.executable, "-S", "-c", ""], env=environment, capture_output=True)
    return environment if tried.returncode == 0 else {}

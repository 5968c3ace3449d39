"""The artifact: a directory whose every byte is named in `manifest.json`. Layout: docs/artifact.md."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from slotbeam.catalog.table import Catalog
from slotbeam.errors import ArtifactError
from slotbeam.files import sha256_of, write_whole
from slotbeam.kae.encode import Kae
from slotbeam.language.fold import PLAIN, Folding
from slotbeam.model.onnx import OnnxModel
from slotbeam.model.protocol import SequenceModel
from slotbeam.model.textvectors import TextVectors
from slotbeam.model.tokenizer import TOKENIZER, InputBuilder
from slotbeam.search.examples import example_queries
from slotbeam.search.options import SearchOptions
from slotbeam.search.spelling import Speller
from slotbeam.search.watermark import NO_EDITS, Watermark
from slotbeam.trie.csr import Trie
from slotbeam.types import FloatArray

FORMAT = 4
MANIFEST = "manifest.json"
MODEL, INDEX = "model", "index"
LANGUAGE = "language"
"""In `index/`: the folding of the catalog."""


def write_manifest(
    directory: Path, manifest: dict[str, Any], progress: Callable[[int, int], object] = lambda done, total: None
) -> dict[str, Any]:
    """Add `format` and the hashes of all files under `directory` to a manifest, write it last, and return it.

    `progress` is called with the bytes that are hashed and those of all files.
    """
    sizes = {
        path.relative_to(directory).as_posix(): path.stat().st_size
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    total, done, files = sum(sizes.values()), 0, {}
    for name, size in sizes.items():
        files[name] = {"bytes": size, "sha256": sha256_of(directory / name)}
        done += size
        progress(done, total)
    model, index = ({**manifest.get(part, {})} for part in (MODEL, INDEX))
    model["sha"] = _sha_of_model(files)
    index["bytes"] = sum(size for name, size in sizes.items() if name.startswith(f"{INDEX}/"))
    return save_manifest(directory, {**manifest, MODEL: model, INDEX: index, "format": FORMAT, "files": files})


def save_manifest(directory: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write a manifest whose files have not changed, and return it."""
    body = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    write_whole(directory / MANIFEST, body + b"\n")
    return manifest


def _sha_of_model(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the SHA-256 of the names and hashes of a model's files: which model an index was made by."""
    lines = [f"{name} {facts['sha256']}\n" for name, facts in sorted(files.items()) if name.startswith(f"{MODEL}/")]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha_of(manifest: Mapping[str, Any]) -> str:
    """Return the identity of all that an artifact holds: the SHA-256 of its manifest, which names every byte."""
    return hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read and check the manifest alone. Raises `ArtifactError`."""
    path = directory / MANIFEST
    try:
        manifest = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(
            f"{directory} holds no {MANIFEST}, so it is no artifact; set SLOTBEAM_ARTIFACT, "
            'or make one with "slotbeam train"'
        ) from None
    except (OSError, orjson.JSONDecodeError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        given = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise ArtifactError(
            f"{path} has format {given!r}; this version of slotbeam reads format {FORMAT}: "
            'train it again ("slotbeam train"), or make an index with a model of this format ("slotbeam index")'
        )
    return manifest


def check_files(directory: Path, manifest: dict[str, Any]) -> None:
    """Check that every file is there and as long as the manifest says. Raises `ArtifactError` naming the file."""
    inside = directory.resolve()
    for name, expected in manifest["files"].items():
        path = directory / name
        if not path.is_file() or path.is_symlink() or not path.resolve().is_relative_to(inside):
            raise ArtifactError(f"{name} is missing from {directory}; manifest.json lists it: copy the artifact again")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise ArtifactError(
                f"{name} has {size} bytes, manifest.json says {expected['bytes']}; copy the artifact again"
            )


def verify(
    directory: Path,
    manifest: dict[str, Any],
    under: str = "",
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> None:
    """Check the hash of every file whose name begins with `under`. Raises `ArtifactError` naming the file."""
    check_files(directory, manifest)
    files = {name: facts for name, facts in manifest["files"].items() if name.startswith(under)}
    total, done = sum(facts["bytes"] for facts in files.values()), 0
    for name, expected in files.items():
        actual = sha256_of(directory / name)
        if actual != expected["sha256"]:
            raise ArtifactError(
                f"{name} has sha256 {actual[:12]}…, manifest.json says {expected['sha256'][:12]}…; "
                "the file was changed: copy the artifact again, or make it again"
            )
        done += expected["bytes"]
        progress(done, total)


@dataclass(frozen=True, eq=False)
class Artifact:
    """All that the artifact holds, loaded or mapped; immutable. `watermark`: the live edits that its index has."""

    directory: Path
    manifest: dict[str, Any]
    kae: Kae
    inputs: InputBuilder
    model: SequenceModel
    trie: Trie
    catalog: Catalog
    options: SearchOptions
    folding: Folding = PLAIN
    texts: TextVectors | None = None
    watermark: Watermark = NO_EDITS

    @property
    def name(self) -> str:
        """What answers call it."""
        return str(self.manifest["name"])

    @property
    def codebook_sha(self) -> str:
        """The identity of the slots that bindings are placed in."""
        return self.kae.codebook.sha

    @cached_property
    def sha(self) -> str:
        """The identity of all that it holds."""
        return sha_of(self.manifest)

    def text_vector(self, canonical: str) -> FloatArray:
        """Return (m,) the text vector of a canonical query; (0,) where the model had no teacher."""
        return self.texts.of_query(canonical) if self.texts else np.empty(0)

    def has_meaning(self, canonical: str) -> bool:
        """Return whether the teacher knew a word of a query, which no item and no dictionary may hold."""
        return self.texts is not None and self.texts.knows(canonical)

    @cached_property
    def examples(self) -> tuple[str, ...]:
        """Queries that it understands, to show to people."""
        return example_queries(self)

    @cached_property
    def speller(self) -> Speller:
        """Knows how the words of the catalog are spelt."""
        return Speller(self.kae, self.catalog)

    def is_another_word(self, token: str, word: str) -> bool:
        """Return whether `token` is a word of the dictionary, or one of the catalog's and no other form of `word`."""
        return self.kae.knows_token(token) or (not self.folding.same(token, word) and self.catalog.terms.holds(token))

    @classmethod
    def load(cls, directory: Path | str, beside: Artifact | None = None) -> Artifact:
        """Check the directory, then load the model and map the index.

        The model's files are hashed before one of them is parsed. Those of the index are as large as the catalog: of
        them only sizes are looked at, `verify` takes the hashes.

        Args:
            directory: of the artifact.
            beside: an artifact that is loaded already; where it has the same model, that is shared and not read again.

        Raises:
            ArtifactError: a file is missing, was changed, or does not fit the others.
        """
        directory = Path(directory)
        manifest = read_manifest(directory)
        try:
            check_files(directory, manifest)
            index = directory / INDEX
            folding = Folding.load(index / LANGUAGE)
            if beside is not None and manifest["model"]["sha"] == beside.manifest["model"]["sha"]:
                folding = beside.folding if folding.reads_as(beside.folding) else folding
                kae = beside.kae if folding is beside.folding else beside.kae.folded(folding)
                inputs, model, texts = beside.inputs, beside.model, beside.texts
            else:
                kae, inputs, model, texts = _load_model(directory, manifest, folding)
            artifact = cls(
                directory=directory,
                manifest=manifest,
                kae=kae,
                inputs=inputs,
                model=model,
                trie=Trie.load(index / "trie"),
                catalog=Catalog.load(index, manifest["index"]["fields"], folding),
                options=SearchOptions.read(manifest["search"]),
                folding=folding,
                texts=texts,
                watermark=Watermark.read(manifest["index"].get("watermark")),
            )
        except (KeyError, TypeError, ValueError, OSError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"{directory} cannot be loaded: {type(error).__name__}: {error}") from error
        if artifact.codebook_sha != manifest["model"]["codebook_sha"]:
            raise ArtifactError(
                f"{directory}/model/kae has codebook {artifact.codebook_sha[:12]}…, manifest.json says another"
            )
        if artifact.trie.depth != len(kae.codebook) or artifact.trie.n_leaves + 1 != len(artifact.catalog.leaf_items):
            raise ArtifactError(f"{directory}/index/trie does not fit {directory}/index/items or the codebook")
        return artifact


def _load_model(
    directory: Path, manifest: dict[str, Any], folding: Folding
) -> tuple[Kae, InputBuilder, SequenceModel, TextVectors | None]:
    verify(directory, manifest, under=f"{MODEL}/")
    model = directory / MODEL
    kae = Kae.load(model / "kae", folding)
    sizes = kae.codebook.sizes
    inputs = InputBuilder.load(model / TOKENIZER, sizes, manifest["model"]["shape"]["max_tokens"])
    return kae, inputs, OnnxModel(model, sizes), TextVectors.load(model)

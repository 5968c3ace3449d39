"""The artifact: a directory whose every byte is named in `manifest.json`. Layout: docs/artifact.md."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from slotbeam.catalog.table import Catalog
from slotbeam.catalog.terms import stem
from slotbeam.errors import ArtifactError
from slotbeam.files import sha256_of, write_whole
from slotbeam.kae.encode import Kae
from slotbeam.model.onnx import OnnxModel
from slotbeam.model.protocol import SequenceModel
from slotbeam.model.tokenizer import InputBuilder
from slotbeam.search.examples import example_queries
from slotbeam.search.options import SearchOptions
from slotbeam.trie.csr import Trie

FORMAT = 2
MANIFEST = "manifest.json"


def write_manifest(directory: Path, manifest: dict[str, Any]) -> None:
    """Add `format` and the hash of every file under `directory` to `manifest`, and write it, last of all files."""
    files = {
        path.relative_to(directory).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    body = orjson.dumps(
        {**manifest, "format": FORMAT, "files": files}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    )
    write_whole(directory / MANIFEST, body + b"\n")


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
        raise ArtifactError(f"{path} has format {given!r}; this version of slotbeam reads format {FORMAT}")
    return manifest


def verify(directory: Path, manifest: dict[str, Any]) -> None:
    """Check every file against the manifest before anything is parsed. Raises `ArtifactError` naming the file."""
    for name, expected in manifest["files"].items():
        path = directory / name
        if not path.is_file() or path.is_symlink() or not path.resolve().is_relative_to(directory.resolve()):
            raise ArtifactError(f"{name} is missing from {directory}; manifest.json lists it: copy the artifact again")
        actual = sha256_of(path)
        if actual != expected["sha256"]:
            raise ArtifactError(
                f"{name} has sha256 {actual[:12]}…, manifest.json says {expected['sha256'][:12]}…; "
                'the file was changed: copy the artifact again, or run "slotbeam train" again'
            )


@dataclass(frozen=True, eq=False)
class Artifact:
    """All that the artifact holds, loaded or mapped; immutable."""

    directory: Path
    manifest: dict[str, Any]
    kae: Kae
    inputs: InputBuilder
    model: SequenceModel
    trie: Trie
    catalog: Catalog
    options: SearchOptions

    @property
    def name(self) -> str:
        """What answers call it."""
        return str(self.manifest["name"])

    @property
    def codebook_sha(self) -> str:
        """The identity of the slots that bindings are placed in."""
        return self.kae.codebook.sha

    @cached_property
    def examples(self) -> tuple[str, ...]:
        """Queries that it understands, to show to people."""
        return example_queries(self)

    def is_another_word(self, token: str, word: str) -> bool:
        """Return whether `token` is a word of the dictionary, or one of the catalog's and no other form of `word`."""
        return self.kae.knows_token(token) or (stem(token) != stem(word) and self.catalog.terms.holds(token))

    @classmethod
    def load(cls, directory: Path | str) -> Artifact:
        """Verify the directory, then load it.

        Args:
            directory: of the artifact.

        Raises:
            ArtifactError: a file is missing, was changed, or does not fit the others.
        """
        directory = Path(directory)
        manifest = read_manifest(directory)
        try:
            verify(directory, manifest)
            kae = Kae.load(directory / "kae")
            sizes = kae.codebook.sizes
            artifact = cls(
                directory=directory,
                manifest=manifest,
                kae=kae,
                inputs=InputBuilder.load(
                    directory / "model" / "tokenizer.json", sizes, manifest["model"]["max_tokens"]
                ),
                model=OnnxModel(directory / "model", sizes),
                trie=Trie.load(directory / "trie"),
                catalog=Catalog.load(directory / "items", manifest["fields"]),
                options=SearchOptions(**manifest["search"]),
            )
        except (KeyError, TypeError, ValueError, OSError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"{directory} cannot be loaded: {type(error).__name__}: {error}") from error
        if artifact.codebook_sha != manifest["codebook_sha"]:
            raise ArtifactError(
                f"{directory}/kae has codebook {artifact.codebook_sha[:12]}…, manifest.json says another"
            )
        if artifact.trie.depth != len(sizes) or artifact.trie.n_leaves + 1 != len(artifact.catalog.leaf_items):
            raise ArtifactError(f"{directory}/trie does not fit {directory}/items or the codebook")
        return artifact

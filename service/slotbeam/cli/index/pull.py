"""`slotbeam index pull`: an artifact from a bucket or a share, for replicas without a shared disk."""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from typing import Annotated

import typer

from slotbeam.cli.console import counted, say
from slotbeam.cli.options import DataDir, IndexDir, served_settings
from slotbeam.cli.progress import progress_bar
from slotbeam.errors import SetupError, SlotbeamError


def pull(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Directory of an artifact: s3://…, gs://…, file:///… (fsspec), a path.")],
    name: Annotated[str | None, typer.Option(help="Of the index here; the last part of the URL otherwise.")] = None,
    data_dir: DataDir = None,
    index_dir: IndexDir = None,
) -> None:
    """Copy an artifact into SLOTBEAM_INDEX_DIR, checked by its hashes; one that is there already costs nothing."""
    if find_spec("fsspec") is None:
        raise SetupError('this needs fsspec, which serving does not: pip install "slotbeam[remote]"')
    from fsspec.core import url_to_fs

    from slotbeam.indexing import pulling
    from slotbeam.indexing.directory import check_index_name

    name = check_index_name(name or url.rstrip("/").rpartition("/")[2])
    place = served_settings(ctx).indexes / name
    told = re.sub(r"//[^/@]*@", "//********@", url)
    try:
        remote, root = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise SetupError(f"{told} cannot be read: {str(error).replace(url, told)}") from error
    try:
        with progress_bar() as progress:
            manifest, copied = pulling.pull(remote, root, place, partial(progress, "pull"))
    except SlotbeamError as error:
        raise type(error)(f"{told}: {error}") from error
    there = "holds" if copied else "is there already, with"
    say(f"{place} {there} {counted(manifest['index']['items'], 'item')}; activate it: slotbeam index activate {name}")

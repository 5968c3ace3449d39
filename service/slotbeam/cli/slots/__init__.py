"""`slotbeam slots …`: edits from the shell, one file a command."""

from __future__ import annotations

import typer

from slotbeam.cli.slots import (
    bind,
    carry,
    draft,
    edit,
    export,
    history,
    import_,
    preview,
    publish,
    restore,
    revert,
    schedule,
    unbind,
)
from slotbeam.cli.slots import list as list_

group = typer.Typer(help="Bind words to reserved slots, live.", no_args_is_help=True)
group.command()(bind.bind)
group.command()(preview.preview)
group.command()(edit.edit)
group.command()(publish.publish)
group.command()(draft.draft)
group.command()(schedule.schedule)
group.command()(unbind.unbind)
group.command("list")(list_.list_slots)
group.command()(export.export)
group.command()(carry.carry)
group.command("import")(import_.import_file)
group.command()(history.history)
group.command()(revert.revert)
group.command()(restore.restore)

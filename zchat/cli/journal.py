"""``zchat journal``: the record of a broker, exported or verified. It changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from . import exits, output
from .data import default_data
from .options import examples

__all__ = ["check", "export", "register"]

Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="ZCHAT_DATA",
        metavar="DIR",
        help="The broker's data folder.  [default: where this system keeps data]",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    journal = typer.Typer(
        help="Export or verify a broker's journal, also while it runs.",
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=examples("zchat journal export > record.jsonl", "zchat journal check"),
    )
    journal.command(
        epilog=examples(
            "zchat journal export > record.jsonl",
            "zchat journal export --data /var/lib/zchat | jq -r .kind | sort | uniq -c",
        )
    )(export)
    journal.command(epilog=examples("zchat journal check", "zchat journal check --data ./data"))(
        check
    )
    app.add_typer(journal, name="journal")


def export(data: Data = None) -> None:
    """Print every event of the journal, one JSON object a line, whispers included."""
    from contextlib import closing

    from zchat.journal import SqliteJournal
    from zchat.journal import export as exported

    with closing(SqliteJournal.reading(data or default_data())) as journal:
        exported(journal, lambda line: output.line(line.rstrip("\n"), flush=False))


def check(data: Data = None) -> int:
    """Verify the journal. Exits 0 when it is whole, 1 when it is damaged, with what is wrong."""
    from zchat.journal import check as checked

    report = checked(data or default_data())
    for finding in report.findings:
        output.complain(f"{report.file}: {finding}")
    if not report.ok:
        output.complain("the journal is damaged; restore a backup (nothing was changed)")
        return exits.REFUSED
    output.line(
        f"{report.file} is whole: {report.events} events in {report.streams} streams, "
        f"the last at position {report.head}"
    )
    return 0

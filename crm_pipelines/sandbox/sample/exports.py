"""The export files of a sample: which rows stand in which file, and what is wrong with the file itself.

Belongs here: the layout of the export folder and file-level quirks. Not here: cells (columns, people), bytes (csvfile).
Rows that cannot be read belong to nobody else in the world: nothing refers to them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm_pipelines.sandbox.sample import columns, words
from crm_pipelines.sandbox.sample.csvfile import ExportFile, Line, Style, fits
from crm_pipelines.sandbox.sample.times import BASE_EXPORT, SUBSCRIPTIONS_EXPORTED
from crm_pipelines.sandbox.sample.twins import LEFT_OUT_LATER
from crm_pipelines.sandbox.sample.unknown import unknown_headings
from crm_pipelines.sandbox.sample.world import EMPTY, Cell, Contact, KartraDeal, Transaction, World

FIRST_CONTACTS_EXPORT = datetime(2026, 5, 28, 9, 12, 3)  # noqa: DTZ001 - local time of the account
STYLES = {
    "contacts-0": Style("utf-8-sig", ",", "\r\n"),
    "contacts-1": Style("utf-8", ";", "\n"),
    "transactions-0": Style("utf-8", ",", "\n"),
    "transactions-1": Style("utf-16", ",", "\r\n"),
    "subscriptions-0": Style("cp1252", ";", "\r\n"),
    "calendars-0": Style("utf-8-sig", ",", "\r\n"),
    "tags-0": Style("utf-8", ";", "\n"),
    "deals-0": Style("utf-8-sig", ";", "\r\n"),
}
TRANSACTIONS_CUT, TRANSACTIONS_OVERLAP = 0.6, 0.05
UNREADABLE_ID = 80_000_001
UNKNOWN = {"funnel_stage": Cell("cold")}  # a column that no contract knows
BLANK = Line(raw="", bucket="excluded")


def base_files(world: World) -> list[ExportFile]:
    """Return the files of the first export, oldest first within each object."""
    files = [*_contacts(world), *_transactions(world), _subscriptions(world), _calendars(world), _affiliates(world)]
    files += [_custom_fields(world)] if world.custom_fields else []
    files.append(_tags(world))
    files += [_deals(world)] if world.config.has_deals else []
    _count_cells(world, files)
    return files


def styled(world: World, file: ExportFile, number: int) -> ExportFile:
    """Give a file its encoding, delimiter and line ends; cp1252 only where every character fits."""
    style = STYLES.get(f"{file.object}-{number % 2}", Style()) if world.config.encodings == "mixed" else Style()
    if style.encoding == "cp1252" and not fits(file, "cp1252"):
        style = replace(style, encoding="utf-8")
    return replace(file, style=style)


def contact_line(contact: Contact, file: int, header: Sequence[str]) -> Line:
    """Return one contact's row in one file."""
    row = contact.rows[file]
    return Line(tuple(row.get(column, UNKNOWN.get(column, EMPTY)).text for column in header), owner=("contacts", contact.id, file))


def contact_header(world: World, file: int) -> tuple[str, ...]:
    """Return the headings of a contacts file: later files are re-ordered, lack two columns and have an unknown one."""
    custom = (*(field.identifier for field in world.custom_fields), *unknown_headings(world))
    if file == 0:
        return columns.CONTACTS + custom
    kept = [name for name in columns.CONTACTS if name not in LEFT_OUT_LATER]
    return ("email", "id", *custom, *[name for name in reversed(kept) if name not in {"id", "email"}], *UNKNOWN)


def _contacts(world: World) -> list[ExportFile]:
    numbers = sorted({file for contact in world.contacts for file in contact.rows})
    made = []
    for file in numbers:
        header = contact_header(world, file)
        lines = [contact_line(contact, file, header) for contact in world.contacts if file in contact.rows]
        is_last = file == numbers[-1]
        when = BASE_EXPORT if is_last and file else FIRST_CONTACTS_EXPORT + timedelta(hours=file)
        one = styled(world, ExportFile("contacts", when, header, "contacts" if is_last and file else "leads", lines=lines), file)
        made.append(_spoil_contacts(world, one, is_first=file == 0, is_last=is_last))
    world.quirks["columns_reordered"] += len(numbers) - 1
    world.quirks["column_unknown"] += len(numbers) - 1
    return made


def _spoil_contacts(world: World, file: ExportFile, *, is_first: bool, is_last: bool) -> ExportFile:
    if not world.config.file_quirks:
        return file
    if is_first:
        comma = _stranger(file, UNREADABLE_ID, ("Smith", " John"))
        _insert(world, file, [BLANK, BLANK, comma], "contacts-first")
        world.quirks["row_with_extra_field"] += 1
        world.quirks["blank_line"] += 2
    if is_last:
        cut = file.style.delimiter.join((*_stranger(file, UNREADABLE_ID + 1, ()).cells[:7], "Half a val"))
        file.lines.append(Line(raw=cut, bucket="quarantined", reason="truncated_last_row"))
        file.is_cut = True
        world.quirks["row_truncated_at_end"] += 1
    return file


def _stranger(file: ExportFile, number: int, extra: tuple[str, ...]) -> Line:
    """Return a row of a contact that appears nowhere else; `extra` cells make it too long."""
    said = {"id": str(number), "email": f"unreadable.{number}@example.com", "first_name": "Unreadable"}
    cells = [said.get(name, "") for name in file.header]
    return Line((*cells[:4], *extra[:1], *cells[4:]), bucket="quarantined", reason="extra_field")


def _insert(world: World, file: ExportFile, lines: Sequence[Line], part: str) -> None:
    """Put rows somewhere into the middle of a file."""
    rng = world.random(f"file:{part}")
    for line in lines:
        file.lines.insert(rng.randint(1, max(1, len(file.lines) - 2)), line)


def transaction_line(one: Transaction, part: object, *, is_negative: bool) -> Line:
    """Return one transaction's row in one file."""
    return Line(columns.transaction_row(one, is_negative), owner=("transactions", one.id, part))


def _transactions(world: World) -> list[ExportFile]:
    """Return two files that overlap; refunds are positive in the first and negative in the second."""
    ordered = sorted((one for one in world.transactions if not one.is_delta), key=lambda one: (one.at, one.id))
    cut = round(len(ordered) * TRANSACTIONS_CUT)
    overlap = max(2, round(len(ordered) * TRANSACTIONS_OVERLAP))
    header = columns.transactions_header(world.config.currency)
    parts = (ordered[:cut], ordered[cut - overlap :])
    made = []
    for number, rows in enumerate(parts):
        lines = [transaction_line(one, number, is_negative=number == 1) for one in rows]
        when = BASE_EXPORT + timedelta(minutes=15 + 17 * number)
        made.append(styled(world, ExportFile("transactions", when, header, lines=lines), number))
    world.quirks["transaction_in_two_files"] += overlap
    world.quirks["refund_negative"] += sum(one.kind in columns.REFUNDS for one in parts[1])
    world.quirks["refund_positive"] += sum(one.kind in columns.REFUNDS for one in parts[0])
    return _spoil_transactions(world, made, ordered) if world.config.file_quirks else made


def _spoil_transactions(world: World, files: list[ExportFile], ordered: list[Transaction]) -> list[ExportFile]:
    model = columns.transaction_row(next(one for one in ordered if one.kind == "Sale"), False)
    nameless = Line(("", *model[1:]), bucket="quarantined", reason="missing_key")
    short = Line((str(UNREADABLE_ID), *model[1:-3]), bucket="quarantined", reason="short_row")
    _insert(world, files[0], [nameless, BLANK], "transactions-0")
    _insert(world, files[1], [short], "transactions-1")
    world.quirks["transaction_without_id"] += 1
    world.quirks["row_too_short"] += 1
    world.quirks["blank_line"] += 1
    return files


def _subscriptions(world: World) -> ExportFile:
    listed = [one for one in world.subscriptions if one.is_in_file]
    lines = [Line(columns.subscription_row(one, world.config.currency), owner=("subscriptions", one.id, 0)) for one in listed]
    return styled(world, ExportFile("subscriptions", SUBSCRIPTIONS_EXPORTED, columns.SUBSCRIPTIONS, lines=lines), 0)


def _calendars(world: World) -> ExportFile:
    lines = [Line(columns.booking_row(one), owner=("calendars", one.id, 0)) for one in world.bookings]
    return styled(world, ExportFile("calendars", BASE_EXPORT + timedelta(minutes=21), columns.CALENDARS, lines=lines), 0)


def _affiliates(world: World) -> ExportFile:
    """Return the affiliates; a quote that opens in the last row is never closed and takes what follows with it."""
    lines = [Line(columns.affiliate_row(one), owner=("affiliates", one.username, 0)) for one in world.affiliates]
    file = styled(world, ExportFile("affiliates", BASE_EXPORT + timedelta(minutes=25), columns.AFFILIATES, lines=lines), 0)
    if world.config.file_quirks:
        first = '7001,swallower,"Partner who never closes,lost1@example.org,approved,1,1.00,0.00,0.00,1.00,,2024-01-01 10:00:00,N/A'
        second = "7002,swallowed,Partner in the same row,lost2@example.org,approved,1,1.00,0.00,0.00,1.00,,2024-01-01 10:00:00,N/A"
        raw = first + file.style.newline + second
        file.lines.append(Line(raw=raw, bucket="quarantined", reason="unterminated_quote"))
        world.quirks["quote_never_closed"] += 1
    return file


def deals_file(world: World, exported: datetime, deals: Sequence[KartraDeal], part: object) -> ExportFile:
    """Return a file of deals."""
    rows = [(one.id, columns.deal_row(one, world.config.currency)) for one in deals]
    lines = [Line(row, owner=("deals", number, part)) for number, row in rows]
    return styled(world, ExportFile("deals", exported, columns.DEALS, lines=lines), 0)


def _deals(world: World) -> ExportFile:
    file = deals_file(world, BASE_EXPORT + timedelta(minutes=29), world.deals, 0)
    if world.config.file_quirks:
        nameless = Line(("", *file.lines[0].cells[1:]), bucket="quarantined", reason="missing_key")
        _insert(world, file, [nameless, BLANK], "deals")
        world.quirks["deal_without_id"] += 1
        world.quirks["blank_line"] += 1
    return file


def _custom_fields(world: World) -> ExportFile:
    lines = [Line(columns.custom_field_row(one), bucket="folded") for one in world.custom_fields]
    return styled(world, ExportFile("custom_fields", BASE_EXPORT + timedelta(minutes=2), columns.CUSTOM_FIELDS, lines=lines), 0)


def _tags(world: World) -> ExportFile:
    rng = random.Random(world.config.seed)
    rows = [(str(number), name, f"0{number % 4} - GROUP", str(rng.randint(1, 900)), "") for number, name in enumerate(words.TAGS, 11)]
    lines = [Line(row, bucket="folded") for row in rows]
    return styled(world, ExportFile("tags", BASE_EXPORT + timedelta(minutes=3), columns.TAGS, lines=lines), 0)


def _count_cells(world: World, files: Sequence[ExportFile]) -> None:
    """Count the quirks of contact cells as they stand in the files, a cell that comes twice counted twice."""
    by_id = {contact.id: contact for contact in world.contacts}
    for file in files:
        if file.object != "contacts":
            continue
        for owner in (line.owner for line in file.lines if isinstance(line.owner, tuple)):
            row = by_id[owner[1]].rows[owner[2]]
            for column in file.header:
                for quirk in row.get(column, EMPTY).quirks:
                    world.quirks[quirk] += 1

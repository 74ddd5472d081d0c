"""The account's custom fields: as the source types them, and as their content reads.

Belongs here: comparing the source's own list with what stands in the cells, and advice. Not here: recognising types (types), how a field
is made in the destination (the spec, the client's map).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.types import Inference, infer_type, value_counts
from crm_pipelines.discovery.values import CustomFieldFinding, InferredType
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.headings import column_name
from crm_pipelines.spec.model import SchemaFields

SEPARATORS = (",", "|")
SAID: Mapping[InferredType, tuple[str, str]] = {
    "date": ("dates", "a date field"),
    "datetime": ("dates with a time", "a date field"),
    "money": ("amounts of money", "a money field"),
    "number": ("numbers", "a number field"),
    "boolean": ("yes or no", "a yes/no field"),
    "email": ("e-mail addresses", "a text field"),
    "phone": ("telephone numbers", "a phone field"),
    "url": ("web addresses", "a link field"),
    "enum": ("a choice of few words", "a field with options"),
    "set": ("several of a few words", "a field with several options"),
    "country": ("countries", "a field with options"),
}
CHOICES: tuple[InferredType, ...] = ("enum", "set")


def custom_field_findings(project: Project) -> tuple[CustomFieldFinding, ...]:
    """Describe every field of the source's own list; where no list was exported, every column of contacts that the contract does not know.

    A column that nobody has typed has an empty `source_type`.
    """
    node = next((phase.custom_fields_from for phase in project.spec.phases.values() if phase.custom_fields_from), None)
    if node is None:
        return ()
    name = project.spec.derive.contacts.from_
    rows = [row for row in project.field_list() if row.get(node.name_column)]
    if not rows:
        return tuple(_untyped(project, name, heading, column) for column, heading in _unknown_columns(project, name).items())
    return tuple(_finding(project, name, node, row) for row in rows)


def rows_with(project: Project, name: str, column: str, word: str) -> int:
    """Count the rows of a field whose cell is a word, or has it among several."""
    counts = value_counts(frames.column_values(project, name, column))
    return sum(rows for text, rows in counts.select("text", "count").iter_rows() if folded_word(word) in _pieces(text))


def _pieces(text: str) -> set[str]:
    pieces = [text]
    for separator in SEPARATORS:
        pieces = [part for piece in pieces for part in piece.split(separator)]
    return {folded_word(text), *map(folded_word, pieces)}


def _unknown_columns(project: Project, name: str) -> dict[str, str]:
    """Return staged column -> heading of what the contract does not know."""
    told = [frames.sidecar(project, name, key) for key in frames.export_chunks(project, name)]
    headings = [heading for one in told for heading in one["headings"]]
    return {heading["column"]: heading["raw"] for heading in headings if heading["column"] and not heading["canonical"]}


def _untyped(project: Project, name: str, heading: str, column: str) -> CustomFieldFinding:
    found = infer_type(frames.column_values(project, name, column))
    options = found.options if found.type in CHOICES else ()
    advice = _advice(found, (), is_choice=False, is_known=True)
    return CustomFieldFinding(name, heading, "", found.type, found.share, found.judged, options, (), advice)


def _finding(project: Project, name: str, node: SchemaFields, row: Mapping[str, Any]) -> CustomFieldFinding:
    identifier, kind = str(row[node.name_column]), str(row.get(node.type_column) or "")
    cells = frames.column_values(project, name, column_name(identifier))
    options = tuple(str(each) for each in row.get(node.options_column) or ())
    ids = tuple(str(each) for each in row.get(node.option_ids_column) or ()) if node.option_ids_column else ()
    found = infer_type(cells)
    answered = {folded_word(word) for word in project.words.get(name, {}).get(column_name(identifier), {})}
    unknown = tuple(word for word in _unknown(cells, options, ids) if folded_word(word) not in answered) if options else ()
    return CustomFieldFinding(
        object=name,
        name=identifier,
        source_type=kind,
        inferred=found.type,
        share_of_type=found.share,
        filled=found.judged,
        options=options or (found.options if found.type in CHOICES else ()),
        unknown_options=unknown,
        advice=_advice(found, unknown, is_choice=bool(options), is_known=kind.casefold() in {each.casefold() for each in node.types}),
    )


def _advice(found: Inference, unknown: tuple[str, ...], *, is_choice: bool, is_known: bool) -> str:
    if found.type == "empty":
        return "No contact has a value here: leave it out, or make it empty."
    if not is_known:
        return "The map does not know this type of field: decide what becomes of it."
    if is_choice:
        if unknown:
            words = "1 word is" if len(unknown) == 1 else f"{len(unknown)} words are"
            return f"{words} in use that the field's own list does not have: say what each means, or their rows wait."
        return "Every word in use is one of the field's options."
    if found.type not in SAID:
        return "Free text: make it a text field."
    reads, become = SAID[found.type]
    how = f" ({found.day_order})" if found.day_order in ("day first", "month first") else ""
    doubt = "; day and month cannot be told apart, so ask which comes first" if found.day_order == "either way" else ""
    return f"Reads as {reads}{how} in {_percent(found.share)} of {found.judged:,} filled cells: make it {become}{doubt}."


def _percent(share: float) -> str:
    """Return a share in whole percent; what is not everything is never called 100 %."""
    return "all" if share >= 1 else f"{min(99, round(share * 100))} %"


def _unknown(cells: Any, options: tuple[str, ...], ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words in use that are neither options nor their ids; a cell may hold several, and an option a separator.

    Words that differ by case alone are one, as where the client's answer is applied.
    """
    known = sorted({folded_word(word) for word in (*options, *ids)}, key=len, reverse=True)
    found: dict[str, str] = {}
    for text in value_counts(cells)["text"].to_list():
        for word in _left_over(text, known):
            found.setdefault(folded_word(word), word)
    return tuple(found.values())


def _left_over(text: str, known: list[str]) -> list[str]:
    if folded_word(text) in known:
        return []
    pieces = [text]
    for separator in SEPARATORS:
        pieces = [part for piece in pieces for part in (piece.split(separator) if folded_word(piece) not in known else [piece])]
    left = [piece.strip() for piece in pieces if piece.strip() and folded_word(piece) not in known]
    whole = folded_word(text)
    for option in (each for each in known if any(separator in each for separator in SEPARATORS)):
        whole = whole.replace(option, "")
    return [piece for piece in left if folded_word(piece) in whole]

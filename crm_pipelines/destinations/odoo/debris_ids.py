"""External ids that lead nowhere: of records that are gone, of kinds of record that are gone, of add-ons that are not installed.

Belongs here: reading the external ids in bulk and asking which of their records are left. Not here: the external ids of our own records
(keys, listing), models without code (debris_models).

Few requests for many models: the records of a large model are counted; those of all small ones are asked for by the display name of their
external ids, which is the external id itself where the record cannot be read (ir.model.data, `_compute_display_name`), and only those that
answer so are looked for one model at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Finding
from crm_pipelines.destinations.odoo.debris import SHOWN, Models, amount, found, listed
from crm_pipelines.destinations.odoo.inspect_reading import ARCHIVED_TOO, Reader, Row

SMALL = 60  # external ids of a model up to which they are asked for by name
MOST_ROWS = 30_000  # external ids of one module that is not installed: more are an import, not remains of an add-on
GROUPED_SINCE = 19  # BaseModel.formatted_read_group; read_group before
KEPT_BY_ODOO = frozenset({"ir.model.inherit", "ir.model.constraint", "ir.model.relation"})
"""Books of the module loader: closed to everybody, or rebuilt by it."""
IMPORTS = frozenset({"__import__", "__export__", "__custom__", "studio_customization"})
"""Name spaces that Odoo itself uses for what people import, export or design."""
TECHNICAL = ("ir.", "res.groups", "base.automation", "mail.template", "mail.message.subtype")
"""What an add-on brings and an import does not."""
ADMINS_ONLY = "ir.cron"
"""A model that only administrators may read: who may not sees through record rules."""
OWN_RULES = frozenset({"ir.attachment", "mail.message", "mail.activity"})
"""Models that hide records by code of their own (`_search`)."""
CLEAN = "Have an engineer delete these external ids (Settings > Technical > External Identifiers), or uninstall the add-on properly."


@dataclass
class Ids:
    """The external ids of a database."""

    groups: Mapping[tuple[str, str], int]
    """(Module, model) -> how many."""
    rows: Sequence[Row]
    """`model`, `module`, `res_id` of those that are looked at."""
    unchecked: Counter[str] = field(default_factory=Counter)
    """Models whose records the key's user may not look for -> external ids."""


async def read_ids(reader: Reader, prefix: str, installed: Collection[str]) -> Ids:
    """Read the external ids but for our own and those of large imports; two requests."""
    groups = await _groups(reader)
    sizes: Counter[str] = Counter()
    for (module, _), count in groups.items():
        sizes[module] += count
    left_out = {module for module, size in sizes.items() if module not in installed and size > MOST_ROWS} | {prefix}
    domain = [["module", "not in", sorted(left_out)], ["model", "not in", sorted(KEPT_BY_ODOO)]]
    rows = await reader.rows("ir.model.data", domain, ["module", "model", "res_id"]) if groups else []
    return Ids({key: count for key, count in groups.items() if key[0] not in left_out}, rows)


async def id_debris(reader: Reader, ids: Ids, models: Models, installed: Collection[str], companies: Sequence[int]) -> list[Finding]:
    """Return the findings on external ids; a request for each large model and each doubtful one."""
    dangling = await _dangling(reader, ids, models, companies)
    return [
        *_of_missing_models(ids, models),
        *_of_missing_records(dangling),
        *(_of_missing_addons(ids, installed) if installed else ()),
    ]


async def _groups(reader: Reader) -> dict[tuple[str, str], int]:
    by = ["module", "model"]
    if reader.api.version[0] >= GROUPED_SINCE:
        reply = await reader.api.ask("inspect.ids", "ir.model.data", "formatted_read_group", domain=[], groupby=by, aggregates=["__count"])
    else:
        reply = await reader.api.ask("inspect.ids", "ir.model.data", "read_group", domain=[], fields=["module"], groupby=by, lazy=False)
    return {(str(row["module"]), str(row["model"])): int(row["__count"]) for row in reader.taken("ir.model.data", reply) or ()}


async def _dangling(reader: Reader, ids: Ids, models: Models, companies: Sequence[int]) -> list[Row]:
    by_model: dict[str, list[Row]] = defaultdict(list)
    for row in ids.rows:
        if row["model"] in reader.shut:
            ids.unchecked[str(row["model"])] += 1
        elif not models.is_gone(row["model"]):
            by_model[str(row["model"])].append(row)
    small = {model for model, rows in by_model.items() if len(rows) <= SMALL}
    doubtful = await _doubtful(reader, [row for model in sorted(small) for row in by_model[model]])
    asked = {model: by_model[model] for model in sorted(by_model.keys() - small)} | doubtful
    context = {**ARCHIVED_TOO, **({"allowed_company_ids": list(companies)} if companies else {})}
    lists = await together(*(_without_record(reader, ids, model, rows, context) for model, rows in asked.items()))
    absent = [row for rows in lists for row in rows]
    hidden = await _ruled(reader, {str(row["model"]) for row in absent}) if absent and ADMINS_ONLY in reader.shut else set()
    ids.unchecked.update(str(row["model"]) for row in absent if row["model"] in hidden)
    return [row for row in absent if row["model"] not in hidden]


async def _ruled(reader: Reader, models: set[str]) -> set[str]:
    """Return the models of which a plain user does not see every record: an absent one may only be hidden."""
    rules = await reader.rows("ir.rule", [["model_id.model", "in", sorted(models)]], ["model_id"])
    names = await reader.rows("ir.model", [["id", "in", [row["model_id"][0] for row in rules]]], ["model"]) if rules else []
    return models if "ir.rule" in reader.closed else {str(row["model"]) for row in names} | (models & OWN_RULES)


async def _doubtful(reader: Reader, rows: Sequence[Row]) -> dict[str, list[Row]]:
    if not rows:
        return {}
    numbers = [row["id"] for row in rows]
    named = await reader.rows("ir.model.data", [["id", "in", numbers]], ["complete_name", "display_name"])
    odd = {row["id"] for row in named if row["display_name"] == row["complete_name"]}
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["id"] in odd:
            found[str(row["model"])].append(row)
    return found


async def _without_record(reader: Reader, ids: Ids, model: str, rows: Sequence[Row], context: Mapping[str, object]) -> list[Row]:
    wanted = {int(row["res_id"]) for row in rows}
    domain = [["id", "in", sorted(wanted)]]
    if len(wanted) > SMALL and await reader.count(model, domain, context) == len(wanted):
        return []
    there = await reader.ids(model, domain, context)
    if there is None:
        ids.unchecked[model] += len(rows)
        return []
    return [row for row in rows if int(row["res_id"]) not in there]


def _of_missing_models(ids: Ids, models: Models) -> Iterable[Finding]:
    counts: Counter[str] = Counter()
    for (module, model), count in ids.groups.items():
        if models.is_gone(model):
            counts[f"{module} ({model})"] += count
    if counts:
        told = f"{amount(counts.total(), 'external id')} of kinds of record that no longer exist."
        yield Finding("debris", "note", listed("ir.model.data, model", sorted(counts)), told, CLEAN)


def _of_missing_records(dangling: Sequence[Row]) -> Iterable[Finding]:
    counts = Counter((str(row["module"]), str(row["model"])) for row in dangling)
    by_module: dict[str, list[str]] = defaultdict(list)
    for (module, model), count in counts.items():
        by_module[module].append(f"{count} of {model}")
    for module, parts in sorted(by_module.items())[: SHOWN * SHOWN]:
        total = sum(count for (of, _), count in counts.items() if of == module)
        told = f"{amount(total, 'external id')} of {module}, leading to records that are gone, or hidden from the API key's user."
        todo = f"{CLEAN} While they are there, updating or importing by these ids fails or makes records twice."
        yield Finding("debris", "warning", f"ir.model.data, {module}: {', '.join(sorted(parts))}", told, todo)


def _of_missing_addons(ids: Ids, installed: Collection[str]) -> Iterable[Finding]:
    counts: Counter[str] = Counter()
    imports: Counter[str] = Counter()
    for (module, model), count in ids.groups.items():
        if module not in installed and module not in IMPORTS:
            (counts if model.startswith(TECHNICAL) else imports)[module] += count
    told = f"not installed any more, of which fields, views, rights or actions are still there ({counts.total()} in all)."
    yield from found("ir.model.data, add-ons", counts, "add-on", told, CLEAN)
    earlier = {module for module in imports if module not in counts}
    total = sum(imports[module] for module in earlier)
    told = f"{amount(total, 'record')} of earlier imports, under name spaces of their own; they are left alone."
    if earlier:
        yield Finding("records", "note", f"external ids: {', '.join(sorted(earlier)[:SHOWN])}", told)

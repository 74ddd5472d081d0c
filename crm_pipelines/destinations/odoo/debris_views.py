"""Views that cannot be shown: broken XML, kinds of record that are gone, `<tree>` where the server calls it `<list>`.

Belongs here: reading every view once and judging it. Not here: which models are gone (debris_models), actions (debris_jobs).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from crm_pipelines.destinations.base import Finding
from crm_pipelines.destinations.odoo.debris import Models, found
from crm_pipelines.destinations.odoo.inspect_reading import ARCHIVED_TOO, Reader, Row

LIST_SINCE = 18  # "tree" became "list": Odoo 18 release notes; a <tree> root is refused since
_TREE = re.compile(r"<tree[\s/>]")
EDIT = "Have an engineer repair or delete them (Settings > Technical > User interface > Views, with the developer mode)."


async def view_debris(reader: Reader, models: Models) -> list[Finding]:
    """Return the findings on views; one request."""
    views = await reader.rows("ir.ui.view", [], ["model", "type", "arch_db", "active"], context=ARCHIVED_TOO)
    return [*_broken(views), *_gone(views, models), *(_trees(views) if reader.api.version[0] >= LIST_SINCE else ())]


def is_readable(arch: object) -> bool:
    """Whether the text of a view is XML; an empty one is not."""
    try:
        fromstring(str(arch or ""))
    except (ParseError, DefusedXmlException, ValueError):
        return False
    return True


def _broken(views: Sequence[Row]) -> Iterable[Finding]:
    names = {_name(view) for view in views if not is_readable(view["arch_db"])}
    told = "cannot be opened, because the description is broken. Whoever gets there sees an error."
    yield from found("ir.ui.view, arch", names, "screen", told, EDIT)


def _gone(views: Sequence[Row], models: Models) -> Iterable[Finding]:
    names = {_name(view) for view in views if models.is_gone(view["model"])}
    told = "for kinds of record that no longer exist, left by a removed add-on."
    yield from found("ir.ui.view, model", names, "screen", told, EDIT, level="note")


def _trees(views: Sequence[Row]) -> Iterable[Finding]:
    names = {_name(view) for view in views if view["type"] != "qweb" and _is_tree(view)}
    told = "still written for Odoo 17 or earlier (<tree>, since 18 <list>), which this version cannot open."
    yield from found("ir.ui.view, <tree>", names, "list", told, "Have an engineer write <list> in place of <tree> in them.")


def _is_tree(view: Row) -> bool:
    return view["type"] == "tree" or _TREE.search(str(view["arch_db"] or "")) is not None


def _name(view: Row) -> str:
    return f"{view['id']} of {view['model'] or view['type']}" + ("" if view["active"] else ", archived")

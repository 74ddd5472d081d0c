"""The JSON schema by which editors complete and check a mapping spec while it is written.

Belongs here: the schema, from the models. Not here: writing it to a file (scripts/docs.py), what only the contracts can
tell (check).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.rules import load_rules

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema() -> dict[str, Any]:
    """Return the schema: keys with their descriptions, known words, and the short forms that an author may use."""
    schema = MappingSpec.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    for name, limit in definitions["Expect"]["properties"].items():
        if name.endswith("_max"):
            limit["anyOf"] += [{"type": "string"}, {"type": "number"}]
    options = definitions["Decision"]["properties"]["options"]
    definitions["Decision"]["properties"]["options"] = {
        "description": options["description"],
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object", "additionalProperties": {"type": "string"}}],
    }
    rules = [{"const": rule.name, "description": rule.headline} for _, rule in sorted(load_rules().items())]  # whatever was imported first
    for name in ("FieldMap", "DescribedField"):
        definitions[name]["properties"]["rule"] = {"description": "Named rule; by the column's type when left out.", "oneOf": rules}
    return {"$schema": DRAFT, "title": "Mapping spec", **schema}

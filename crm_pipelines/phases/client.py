"""What a client decided, on disk: `decisions.yaml` read, and rewritten with the engineer's comments and order kept.

Belongs here: the file. Not here: what it may say (spec.client, spec.overlay), workbooks (reports.workbook), who decided it (the ledger's
audit trail).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.client_comments import with_comments
from crm_pipelines.phases.files import write_bytes
from crm_pipelines.settings import Engagement
from crm_pipelines.spec.client import MAP, Client, load_client
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import load_spec, read_document

SIGNATURE = "# Last written by "
WIDTH = 140
PLAIN = re.compile(r"[^\W\d_](?:[\w .@/+()-]*[\w.)])?")
ONE_LINE = frozenset(
    {
        "phase",
        "field",
        "custom_field",
        "type",
        "date_order",
        "year_pivot",
        "decimal_locale",
        "currency",
        "ignore",
        "take",
        "export",
        "there",
    }
)
"""Keys of what stands on one line: a column's choice, a conflict's answer."""
NO_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def read_client(engagement: Engagement) -> Client:
    """Read decisions.yaml as it stands on the disk now; a missing file decides nothing.

    Raises: SpecError with every problem of the file itself; what it refers to is checked when the project is opened.
    """
    return load_client(load_spec(engagement.spec_path), _text(engagement.decisions_path), str(engagement.decisions_path))


def require_unedited(engagement: Engagement, started_from: Client) -> None:
    """Make sure that decisions.yaml says what a command started from, just before it is rewritten.

    Raises: SettingsError when somebody changed it meanwhile; what they wrote must neither be lost nor confirmed in passing.
    """
    now = read_client(engagement)
    if (now.answers, now.map) != (started_from.answers, started_from.map):
        raise SettingsError(
            f"{engagement.decisions_path}: somebody changed it meanwhile, so nothing was taken and nothing was changed; "
            "look at the change, then give the same command again"
        )


def write_client(engagement: Engagement, answers: Mapping[str, str] | None, client_map: ClientMap | None, by: str) -> Path:
    """Rewrite decisions.yaml so that it says exactly this; None leaves a half as it is. The caller opens the project anew.

    Comments and the order of what stays are kept; an answer taken back leaves its question there, open.
    Raises: SpecError when the file as it stands cannot be read; then nothing is changed.
    """
    path, spec = engagement.decisions_path, load_spec(engagement.spec_path)
    text = _text(path)
    before = load_client(spec, text, str(path))
    wanted = (before.answers if answers is None else answers, before.map if client_map is None else client_map)
    if (before.answers, before.map) != wanted or not path.exists():
        written = _signed(with_comments(text, _rewritten(text, *wanted), SIGNATURE), by)
        _hold_to(spec, written, wanted, path)
        write_bytes(path, written.encode("utf-8"))
    return path


def plain_map(client_map: ClientMap) -> dict[str, Any]:
    """Return the map as it stands in a file: plain dictionaries, lists and texts, without what was not decided."""
    return client_map.model_dump(mode="json", exclude_defaults=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _rewritten(text: str, answers: Mapping[str, str], client_map: ClientMap) -> str:
    yaml = YAML()
    yaml.preserve_quotes, yaml.width, yaml.allow_unicode = True, WIDTH, True
    plain = read_document(text, is_plain=True).data
    loaded = yaml.load(text)
    tree = loaded if isinstance(loaded, CommentedMap) else CommentedMap()
    decided = plain_map(client_map)
    wanted = {**dict.fromkeys(plain), **answers, **({MAP: decided or None} if decided or MAP in plain else {})}
    _merge(tree, plain, wanted)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    kept = stream.getvalue() if tree else text  # a file of comments alone is no tree
    return kept if tree or not kept.strip() else f"{kept.rstrip()}\n"


def _merge(tree: CommentedMap, plain: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Make the tree say what is wanted, touching only what differs. Keys are the texts as written, in the tree's order."""
    keys = dict(zip(plain, list(tree), strict=True))
    for name in [name for name in keys if name not in wanted]:
        del tree[keys[name]]
    for name, value in wanted.items():
        key = keys.get(name, _text_node(name))
        if name in keys and plain[name] == value:
            continue
        if name in keys and isinstance(value, Mapping) and isinstance(tree[key], CommentedMap):
            _merge(tree[key], plain[name], value)
        else:
            tree[key] = _node(value)


def _node(value: Any) -> Any:
    """Return plain data as YAML nodes; what holds nothing but texts stands on one line."""
    if isinstance(value, Mapping):
        tree = CommentedMap({_text_node(name): _node(each) for name, each in value.items()})
        if set(value) <= ONE_LINE:
            tree.fa.set_flow_style()
        return tree
    if isinstance(value, list):
        items = CommentedSeq([_node(each) for each in value])
        if not any(isinstance(each, list) for each in value):
            items.fa.set_flow_style()
        return items
    return value if value is None else _text_node(value)


def _text_node(text: str) -> str:
    """Return a text in quotes, unless every reader of YAML takes it for the same word without them."""
    return text if PLAIN.fullmatch(text) and text.casefold() not in NO_WORDS else DoubleQuotedScalarString(text)


def _signed(text: str, by: str) -> str:
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(SIGNATURE)]
    who = " ".join("".join(letter if letter.isprintable() else " " for letter in by).split())
    return f"{SIGNATURE}{who or 'nobody'}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.\n{''.join(lines)}"


def _hold_to(spec: MappingSpec, written: str, wanted: tuple[Mapping[str, str], ClientMap], path: Path) -> None:
    after = load_client(spec, written, str(path))
    if (after.answers, after.map) != wanted:
        raise SettingsError(f"{path}: could not be rewritten without a loss, so nothing was changed; write the decisions into it by hand")

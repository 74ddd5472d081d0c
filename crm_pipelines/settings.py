"""Environment and engagement files -> frozen settings. The only reader of `os.environ` (observe's failpoint aside).

Belongs here: where things lie, who the account is, what the operator declared. Not here: what maps to what (spec) or
what the client chose (decisions, checked by spec).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crm_pipelines.errors import Problem, SettingsError, SpecError
from crm_pipelines.yaml_document import Document, model_problem, nearest, read_document, unknown_key

COMPONENT_TYPE = "crm_pipelines.defs.component.CrmMigration"
FILE_KEYS = ("type", "attributes", "template_vars_module", "requirements", "post_processing")
"""Source: dagster.components.core.defs_module.ComponentFileModel."""
PLAIN_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
"""What looks like a variable's name and no secret: only that is repeated in a message."""
PRIVATE_DIR_MODE = 0o700
PRIVATE_FILE_MODE = 0o600


@dataclass(frozen=True)
class AccountSettings:
    """One tenant at a vendor, with its secrets resolved from the environment."""

    name: str
    destination: str
    base_url: str
    token: str = field(repr=False)
    auth: Literal["api_token", "oauth"] = "api_token"
    token_env: str = ""
    """Name of the variable that held the token; error messages say it."""
    refresh_token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    reserve_pct: int = 20
    concurrency: int | None = None
    apply_within_s: float = 30.0
    plan: str | None = None
    seats: int | None = None
    database: str = ""
    login: str = ""
    prefix: str = ""


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AccountNode(_Node):
    """The destination account of an engagement."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Stable name of the tenant: ledger rows, budget and lock belong to it."""
    base_url: str = ""
    """Address of the API; empty takes the environment variable named by base_url_env."""
    base_url_env: str = ""
    token_env: str
    """Environment variable that holds the API token or the OAuth access token."""
    auth: Literal["api_token", "oauth"] = "api_token"
    refresh_token_env: str = ""
    client_id_env: str = ""
    client_secret_env: str = ""
    reserve_pct: int = Field(default=20, ge=0, le=95)
    """Share of the day's tokens that stays for the client's own apps."""
    concurrency: int | None = Field(default=None, ge=1, le=128)
    apply_within_s: float = Field(default=30.0, ge=0)
    """How long the vendor may still apply a request that got no answer."""
    plan: str | None = None
    seats: int | None = None
    database: str = ""
    """Database on a server that holds several (Odoo)."""
    login: str = ""
    """User whose key it is, for APIs that ask for both (Odoo 18 and earlier)."""
    prefix: str = Field(default="", pattern=r"^([a-z][a-z0-9_]*)?$")
    """Name space of our external ids, where the vendor has such; empty: made from the engagement's name."""


class FileNode(_Node):
    """What is declared about one export file."""

    object: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    exported_at: datetime | None = None
    """For files whose name does not tell; with offset."""
    date_order: Literal["dmy", "mdy"] | None = None
    decimal_locale: Literal["us", "eu"] | None = None

    @field_validator("exported_at", mode="before")
    @classmethod
    def _written_out(cls, value: Any) -> Any:
        if isinstance(value, int | float):  # pydantic would count seconds since 1970
            raise ValueError("must be a day and time with offset, as 2025-06-01T09:00:00-04:00")
        return value


class SourceNode(_Node):
    """What is declared about the exports."""

    timezone: str = "America/New_York"
    files: dict[str, FileNode] = Field(default_factory=dict)
    required: tuple[str, ...] | None = None
    """Objects that must be there; none: the spec's own list."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is no IANA time zone; write e.g. America/New_York") from error
        return value


class EngagementNode(_Node):
    """`engagement.yaml`, the attributes of the CrmMigration component."""

    route: str
    """`<source>_to_<destination>`: names the mapping spec."""
    exports: str = "exports"
    """Folder of the CSV exports, relative to the engagement."""
    account: AccountNode
    source: SourceNode = Field(default_factory=SourceNode)
    chunks_per_run: int = Field(default=25, ge=1, le=1000)
    """Chunks that one Dagster run of a phase takes."""
    owners: tuple[str, ...] = ()
    """Dagster owners of the assets: e-mail or `team:name`."""


@dataclass(frozen=True)
class Engagement:
    """One client's migration: what the operator declared, and where its files lie."""

    name: str
    folder: Path
    node: EngagementNode
    decisions_text: str
    spec_path: Path

    @property
    def source(self) -> str:
        """Name of the source system."""
        return self.node.route.partition("_to_")[0]

    @property
    def destination(self) -> str:
        """Name of the destination system."""
        return self.node.route.partition("_to_")[2]

    @property
    def exports(self) -> Path:
        """Folder of the client's CSV files."""
        return self.folder / self.node.exports

    @property
    def work(self) -> Path:
        """Folder of staged, resolved and mapped frames; personal data, 0700."""
        return private_dir(self.folder / "work")

    @property
    def queues(self) -> Path:
        """Folder of rows that wait for a person; personal data, 0700."""
        return private_dir(self.folder / "queues")

    @property
    def handoff(self) -> Path:
        """Folder of what the client receives; personal data, 0700."""
        return private_dir(self.folder / "handoff")

    @property
    def decisions_path(self) -> Path:
        """The client's answers."""
        return self.folder / "decisions.yaml"

    def account(self, environ: Mapping[str, str] | None = None) -> AccountSettings:
        """Return the account with its secrets. Raises: SettingsError naming the variable that is missing."""
        env = os.environ if environ is None else environ
        node = self.node.account
        where = f"{self.folder / 'engagement.yaml'}: account"
        base_url = node.base_url or _secret(env, node.base_url_env, f"{where}.base_url_env")
        return AccountSettings(
            name=node.name,
            destination=self.destination,
            base_url=base_url.rstrip("/"),
            token=_secret(env, node.token_env, f"{where}.token_env"),
            auth=node.auth,
            token_env=node.token_env,
            refresh_token=env.get(node.refresh_token_env) if node.refresh_token_env else None,
            client_id=env.get(node.client_id_env) if node.client_id_env else None,
            client_secret=env.get(node.client_secret_env) if node.client_secret_env else None,
            reserve_pct=node.reserve_pct,
            concurrency=node.concurrency,
            apply_within_s=node.apply_within_s,
            plan=node.plan,
            seats=node.seats,
            database=node.database,
            login=node.login,
            prefix=node.prefix or "crm_" + re.sub(r"[^a-z0-9]+", "_", self.name.casefold()),
        )


@dataclass(frozen=True)
class Home:
    """Where this installation keeps its state."""

    root: Path
    """The project: mapping_specs/ and engagements/ lie here."""
    engagements: Path
    specs: Path
    dagster_home: Path
    ledger_url: str


def home(environ: Mapping[str, str] | None = None) -> Home:
    """Return the installation's places: CRM_ROOT (default: this project), CRM_ENGAGEMENTS, DAGSTER_HOME, CRM_LEDGER_URL."""
    env = os.environ if environ is None else environ
    root = Path(env.get("CRM_ROOT") or Path(__file__).resolve().parent.parent)
    dagster_home = Path(env.get("DAGSTER_HOME") or root / ".dagster_home").resolve()
    ledger_file = root / ".crm" / "ledger.sqlite"
    return Home(
        root=root,
        engagements=Path(env.get("CRM_ENGAGEMENTS") or root / "engagements"),
        specs=Path(env.get("CRM_SPECS") or root / "mapping_specs"),
        dagster_home=dagster_home,
        ledger_url=env.get("CRM_LEDGER_URL") or f"sqlite:///{ledger_file}",
    )


def engagement_names(where: Home) -> list[str]:
    """Return the names of all engagement folders that hold an engagement.yaml, sorted."""
    return sorted(path.parent.name for path in where.engagements.glob("*/engagement.yaml"))


def load_engagement(name: str, where: Home | None = None) -> Engagement:
    """Read one engagement. Raises: SettingsError with file and key for everything that is wrong."""
    where = where or home()
    folder = where.engagements / name
    path = folder / "engagement.yaml"
    if not path.is_file():
        known = ", ".join(engagement_names(where)) or "none yet"
        raise SettingsError(
            f"{path}: no such engagement. Known: {known}. Create the folder with an engagement.yaml (README, 'A new client')."
        )
    node, document = _parse_engagement(path)
    spec_path = where.specs / f"{node.route}.yaml"
    if not spec_path.is_file():
        routes = sorted(p.stem for p in where.specs.glob("*_to_*.yaml"))
        told = f"no mapping spec {spec_path.name}{nearest(node.route, routes)}. Known routes: {', '.join(routes)}."
        raise _refused([document.problem(("attributes", "route"), told)])
    decisions = folder / "decisions.yaml"
    text = _read_text(decisions) if decisions.is_file() else ""
    return Engagement(name=name, folder=folder, node=node, decisions_text=text, spec_path=spec_path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); make it a file that this user may read") from error


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner may enter, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR_MODE)
    return path


def read_engagement_file(path: Path) -> Document:
    """Return the plain data of an engagement.yaml, with its lines. Raises: SettingsError when it is no YAML."""
    try:
        return read_document(_read_text(path), str(path))
    except SpecError as error:
        raise _refused(error.problems) from error


def _parse_engagement(path: Path) -> tuple[EngagementNode, Document]:
    document = read_engagement_file(path)
    problems = list(document.problems)
    data = document.data if isinstance(document.data, dict) else {}
    if data.get("type") != COMPONENT_TYPE:
        problems.append(document.problem(("type",), f"expected `type: {COMPONENT_TYPE}` and `attributes:`"))
    problems += [document.problem((key,), unknown_key(key, FILE_KEYS)) for key in data if key not in FILE_KEYS]
    try:
        node = EngagementNode.model_validate(data.get("attributes") or {})
    except ValidationError as error:
        problems += [model_problem(document, detail, EngagementNode, ("attributes",)) for detail in error.errors()]
    if problems:
        raise _refused(problems)
    return node, document


def _refused(problems: list[Problem]) -> SettingsError:
    """Return the error that tells every problem of an engagement.yaml, and what to do about them."""
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    told = "\n".join(str(problem) for problem in ordered)
    return SettingsError(f"{told}\nCorrect the file and run the command again; `crm check` only checks it.", ordered)


def _secret(env: Mapping[str, str], name: str, where: str) -> str:
    value = env.get(name, "") if name else ""
    if not value and name and not PLAIN_VARIABLE.fullmatch(name):
        raise SettingsError(
            f"{where}: must name an environment variable that is set, as CRM_ACME_TOKEN; the secret itself never stands here"
        )
    if not value:
        raise SettingsError(f"{where}: environment variable {name or '(not named)'} is not set; export it and run again")
    return value

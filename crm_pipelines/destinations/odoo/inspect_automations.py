"""What records of an import would set off: automation rules, scheduled jobs that take new records up, marketing campaigns.

Belongs here: reading and wording them. Not here: what every request of ours already switches off (api.CONTEXT, models).
Source of the triggers: base_automation/models/base_automation.py of Odoo 19.0; names before 17 differ and are told as they stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Automation, Finding
from crm_pipelines.destinations.odoo.inspect_apps import Modules
from crm_pipelines.destinations.odoo.inspect_reading import Reader, Row

T = TypeVar("T")

PHASES: Mapping[str, tuple[str, ...]] = {
    "res.partner": ("organizations", "people"),
    "mail.blacklist": ("opt_outs",),
    "product.product": ("products",),
    "product.template": ("products",),
    "sale.order": ("orders",),
    "sale.order.line": ("orders",),
    "account.move": ("invoices",),
    "account.move.line": ("invoices",),
    "crm.lead": ("deals",),
    "calendar.event": ("activities",),
    "calendar.attendee": ("activities",),
}
"""Model -> phases that make or change its records."""
QUIET = frozenset({"on_change", "on_webhook", "on_hand", "on_unlink", "on_message_received", "on_message_sent"})
"""Triggers that an import does not pull: screens, calls from outside, deletions, messages (ours are not sent)."""
WHEN = {
    "on_create": "is made",
    "on_create_or_write": "is made or changed",
    "on_write": "is changed",
    "on_stage_set": "comes into a stage",
    "on_state_set": "comes into a state",
    "on_priority_set": "gets a priority",
    "on_tag_set": "gets a tag",
    "on_user_set": "gets an owner",
    "on_archive": "is archived",
    "on_unarchive": "is taken out of the archive",
    "on_time": "reaches a date",
    "on_time_created": "has been there for a time",
    "on_time_updated": "has not been changed for a time",
}
DOES = {
    "mail_post": "sends an e-mail",
    "email": "sends an e-mail",
    "sms": "sends a text message",
    "next_activity": "gives somebody a task",
    "object_write": "changes the record",
    "object_create": "makes another record",
    "object_copy": "copies the record",
    "code": "runs a program",
    "webhook": "calls another system",
    "followers": "adds followers",
    "remove_followers": "removes followers",
    "multi": "does several things",
    "ai": "asks a language model",
}
OUTSIDE = (
    "Appointments of users who joined their calendar at {maker} are copied there, a year back and ahead, and {maker} invites the guests of "
    "those to come by e-mail. The load itself sends nothing, but this job does it later."
)
"""Source: `_get_sync_domain` of google_calendar and microsoft_calendar takes every appointment that has no copy outside yet."""
JOBS: Mapping[str, tuple[str, str, tuple[str, ...], str]] = {
    "crm.ir_cron_crm_lead_assign": (
        "Lead assignment", "assignment rule", ("deals",), "Deals that arrive without an owner are handed out to the sales teams.",
    ),
    "crm_iap_enrich.ir_cron_lead_enrichment": (
        "Lead enrichment", "scheduled action", ("deals",), "E-mail domains of new deals go to an outside service, at a price per deal.",
    ),
    "calendar.ir_cron_scheduler_alarm": (
        "Calendar reminders", "scheduled action", ("activities",), "Attendees of coming appointments with a reminder get it by e-mail.",
    ),
    "google_calendar.ir_cron_sync_all_cals": (
        "Google Calendar", "calendar synchronization", ("activities",), OUTSIDE.format(maker="Google"),
    ),
    "microsoft_calendar.ir_cron_sync_all_cals": (
        "Outlook Calendar", "calendar synchronization", ("activities",), OUTSIDE.format(maker="Microsoft"),
    ),
    "sale.send_invoice_cron": (
        "Automatic invoices", "scheduled action", ("orders",), "Invoices of orders that were paid online are made and sent.",
    ),
    "account.ir_cron_auto_post_draft_entry": (
        "Automatic posting", "scheduled action", ("invoices",), "Draft invoices marked for it are posted when their date comes.",
    ),
}  # fmt: skip
"""External id of a job -> name, kind, phases, what it does."""
DEACTIVATE = (
    "Archive it for the days of the load (Settings > Technical > Automation > Automation Rules), and note who switches it on again."
)
CALENDAR_OFF = (
    "Switch it off, and let it on again only when appointments to come may be copied and their guests invited; or load past ones alone. "
    "Stopping the synchronization of the users concerned (Calendar > their settings) does the same."
)
JOB_OFF = "Switch it off for the days of the load (Settings > Technical > Scheduled Actions)."


async def automations_of(reader: Reader, modules: Modules, job_ids: Mapping[int, str]) -> tuple[Automation, ...]:
    """Return what is switched on and listens to records of any phase; up to four requests. `job_ids` are external ids of jobs."""
    jobs, (rules, actions), campaigns = await together(
        reader.rows("ir.cron", [["active", "=", True]], ["name", "model_name"]),
        _rules(reader) if modules.may_have("base_automation") else _nothing(([], [])),
        _campaigns(reader) if modules.may_have("marketing_automation") else _nothing([]),
    )
    does: dict[int, list[str]] = defaultdict(list)
    for action in actions:
        if action.get("base_automation_id"):
            does[int(action["base_automation_id"][0])].append(str(action["state"]))
    return (
        *(_rule(row, does[row["id"]]) for row in rules if row["model_name"] in PHASES and row["trigger"] not in QUIET),
        *_jobs(jobs, job_ids, modules.own),
        *(_campaign(row) for row in campaigns if row["model_name"] in PHASES),
    )


def automation_findings(automations: Sequence[Automation], reader: Reader) -> Iterable[Finding]:
    """Yield a finding for each, and one where rules could not be seen."""
    for one in automations:
        todo = DEACTIVATE if one.kind == "automation rule" else JOB_OFF
        if one.kind == "calendar synchronization":
            todo = CALENDAR_OFF
        if one.kind == "marketing campaign":
            todo = "Stop the campaign for the days of the load, and exclude the imported contacts before it starts again."
        yield Finding("automations", "warning", one.name, one.told, todo)
    if hides(reader):
        told = "The API key's user may not see the automation rules, so some may send e-mails or change records as they arrive."
        todo = "Use an administrator's key for this inspection, or let an administrator sign: --automations-paused-by NAME."
        yield Finding("automations", "warning", "base.automation", told, todo)
    elif not automations:
        yield Finding("automations", "good", "base.automation", "No rule, job or campaign is set off by records that arrive.")


async def _rules(reader: Reader) -> tuple[list[Row], list[Row]]:
    rules = await reader.rows("base.automation", [["active", "=", True]], ["name", "model_name", "trigger"])
    uses = [["usage", "=", "base_automation"]]
    return rules, await reader.rows("ir.actions.server", uses, ["state"], newer=["base_automation_id"]) if rules else []


async def _campaigns(reader: Reader) -> list[Row]:
    return await reader.rows("marketing.campaign", [["state", "=", "running"]], ["name", "model_name"])


async def _nothing(value: T) -> T:
    return value


def hides(reader: Reader) -> bool:
    """Whether rules may be there that the key's user does not see."""
    return "base.automation" in reader.closed or "ir.cron" in reader.closed


def _rule(row: Row, states: Sequence[str]) -> Automation:
    trigger = str(row["trigger"])
    does = " and ".join(dict.fromkeys(DOES.get(state, f"does {state}") for state in states)) or "does what its actions say"
    when = WHEN.get(trigger, f"({trigger})")
    told = f"When a record ({row['model_name']}) {when}, the rule {row['name']} {does}."
    return Automation(f"base.automation {row['id']} ({row['name']})", "automation rule", PHASES[str(row["model_name"])], told)


def _jobs(jobs: Sequence[Row], job_ids: Mapping[int, str], own: frozenset[str]) -> Iterable[Automation]:
    for row in jobs:
        named = job_ids.get(int(row["id"]), "")
        if named in JOBS:
            name, kind, phases, told = JOBS[named]
            yield Automation(f"ir.cron {row['id']} ({name})", kind, phases, told)
        elif row["model_name"] in PHASES and named.partition(".")[0] not in own:
            told = (
                f"The scheduled job {row['name']} works on {row['model_name']}; nobody can tell from outside what it does with new records."
            )
            yield Automation(f"ir.cron {row['id']} ({row['name']})", "scheduled action", PHASES[str(row["model_name"])], told)


def _campaign(row: Row) -> Automation:
    told = f"The running campaign {row['name']} takes up new records that fit its filter, and writes to them."
    return Automation(f"marketing.campaign {row['id']} ({row['name']})", "marketing campaign", PHASES[str(row["model_name"])], told)

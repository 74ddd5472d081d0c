"""What was in a database before a migration: so that afterwards everything else can be told from it.

Belongs here: the highest ids, and digests of the records that are somebody else's. Not here: what follows from them (intruders).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_pipelines.sandbox.compare.odoo.database import MODELS, Database, opened, table_of

Baseline = Mapping[str, Any]
# Records of these tables get an external id of ours, or are none of ours.
KEYED = (*dict.fromkeys(table_of(model) for model in MODELS.values()), "product_template")
# Nothing may appear in these: a migration mails nobody, logs nothing, books no payment, makes no users.
FORBIDDEN = (
    "res_users", "mail_mail", "mail_activity", "account_payment", "account_partial_reconcile", "crm_team", "crm_tag",
    "crm_lost_reason", "crm_recurring_plan", "product_category", "res_company", "res_country", "res_country_state", "account_tax",
    "account_journal", "calendar_alarm", "calendar_recurrence", "sale_order_template", "account_payment_term",
)  # fmt: skip
NAMED = ("res_partner_category", "crm_stage", "product_pricelist", "ir_model_fields")
CHATTER = ("mail_message", "mail_followers")
OF_OTHERS = (*KEYED, "res_users", "res_partner_category", "crm_stage", "crm_team", "product_pricelist", "res_company")
# Columns that Odoo itself changes in records nobody touched.
RESTLESS = ("write_date", "write_uid", "calendar_last_notif_ack", "login_date", "customer_rank", "supplier_rank", "complete_name")


def baseline(dsn: str) -> dict[str, Any]:
    """Remember what a database holds: call it before the migration, give it to `compare` afterwards.

    Shape: {"max_ids": {table: id}, "records": {table: {id: digest}}}; it holds no value of any record.
    Raises: ComparisonError when the database cannot be read.
    """
    with opened(dsn) as database:
        tables = [table for table in (*KEYED, *FORBIDDEN, *NAMED, *CHATTER) if database.has_table(table)]
        return {
            "max_ids": {table: highest(database, table) for table in tables},
            "records": {table: digests(database, table) for table in OF_OTHERS if database.has_table(table)},
        }


def highest(database: Database, table: str) -> int:
    """Return the highest id of a table, 0 for an empty one."""
    return int(database.named("SELECT coalesce(max(id), 0) AS id FROM {table}", {"table": table})[0]["id"])


def digests(database: Database, table: str) -> dict[str, str]:
    """Return a digest of each record by id; columns that were added later and are empty do not change it."""
    query = "SELECT id, md5(jsonb_strip_nulls(to_jsonb(t) - %s::text[])::text) AS digest FROM {table} t"
    return {str(row["id"]): row["digest"] for row in database.named(query, {"table": table}, list(RESTLESS))}

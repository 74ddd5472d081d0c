"""What a new account holds before anybody wrote to it: users, one pipeline, activity types, labels, currencies.

Belongs here: the first records. Not here: what they may become (the entity modules).
"""

from __future__ import annotations

from crm_pipelines.sandbox.pipedrive import activity_types, currencies, fields, pipelines, users
from crm_pipelines.sandbox.pipedrive.account import Account


def open_account(account: Account) -> None:
    """Fill a new account; an account read from its state file stays as it is."""
    if not account.is_new:
        return
    for user in account.config.users:
        users.make_user(account, user)
    currencies.make_all(account)
    account.store.put_all("fields", fields.built_in_records(account))
    for name in activity_types.DEFAULT_TYPES:
        activity_types.make_type(account, name.capitalize(), name, is_custom=False)
    pipeline = pipelines.make_pipeline(account, "Pipeline")
    for name in pipelines.DEFAULT_STAGES:
        pipelines.make_stage(account, {"name": name, "pipeline_id": pipeline["id"]})
    account.commit_setup()
    if account.config.spent:
        account.spend(account.config.spent)

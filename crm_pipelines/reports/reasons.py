"""What a waiting row's reason code means, in words a client understands, and what to do.

Belongs here: texts for reports. Not here: when a row waits (spec, phases), why a line could not be read (sources.quarantine).
"""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "no_user": (
        "The team member who owns this record has no user in the CRM.",
        "Invite that person, or name who takes over in the queue file or the workbook.",
    ),
    "no_email": (
        "The contact has no e-mail address.",
        "Add the address in the export file and give the file back, or leave the contact behind.",
    ),
    "unusable_email": ("The contact's e-mail address cannot be used.", "Correct the address in the export file and give the file back."),
    "no_contact": (
        "The exports hold no contact that this row belongs to.",
        "Export the missing contact, or tell which contact it belongs to.",
    ),
    "left_out_no_email": ("Contacts without an e-mail address are left out, as decided.", ""),
    "left_out_role_account": ("Contacts of a role (info@, sales@) are left out, as decided.", ""),
    "left_out_bounced": ("Contacts whose mail comes back are left out, as decided.", ""),
    "left_out_stale": ("Contacts who have done nothing for long are left out, as decided.", ""),
    "left_out_with_contact": ("Rows that belong to a contact who is left out stay behind with that contact, as decided.", ""),
    "left_behind": ("Somebody said that this row stays behind.", ""),
    "unreadable_number": (
        "A cell should hold a number, and does not, or holds one that reads two ways (1,234) or names another currency.",
        "Say how this column writes numbers, or write it as 1234.50 and give the file back, or make the field a text.",
    ),
    "unreadable_date": (
        "A cell should hold a date, and does not, or holds one that reads two ways (05/06/2026) or has a year of two digits.",
        "Say whether day or month comes first in this column, or write the date as 2026-05-31, with four digits for the year, and give the "
        "file back.",
    ),
    "unreadable_yes_no": (
        "A cell should say yes or no, and does not.",
        "Correct the cell and give the file back, or make the field a text.",
    ),
    "two_candidates": ("The refund fits more than one sale.", "Tell which sale was refunded."),
    "no_candidate": ("The refund fits no sale in the exports.", "Export the earlier transactions, or tell which sale was refunded."),
    "no_subscription": ("The row belongs to a subscription that cannot be told.", "Export the subscriptions, or tell which one it is."),
    "currency_differs": (
        "The row is in another currency than what it belongs to.",
        "Check the amount; nothing is added across currencies.",
    ),
    "no_amount": (
        "The amount is missing, or cannot be read as a number.",
        "Write it into the row's amount as 1234.50 and give the file back.",
    ),
    "no_date": (
        "The date is missing, or cannot be read as a date.",
        "Write it into the row's date as 2026-05-31 and give the file back.",
    ),
    "no_currency": (
        "The row says an amount, but not in which currency.",
        "Write the code of its currency (USD, EUR) into the row and give the file back.",
    ),
    "unknown_currency": (
        "The row's currency is not the code of a currency (USD, EUR).",
        "Correct it and give the file back.",
    ),
    "payment_waits": (
        "A payment or cancellation of this subscription waits, because it cannot be read.",
        "It follows by itself, once that row of the transactions is corrected.",
    ),
    "second_affiliate": ("Another affiliate belongs to the same contact already.", "Tell which of the two counts."),
    "unknown_type": (
        "The kind of transaction is not known to the map.",
        "Say in the queue file or the workbook which known word it stands for.",
    ),
    "unknown_option": (
        "A value is not among the options of its field.",
        "Say in the queue file or the workbook which known word it stands for.",
    ),
    "too_long": ("A text is longer than its field in the CRM.", "Shorten it, or map it to a long text field."),
    "several_existing": ("The CRM holds several records that match this one.", "Merge them in the CRM, then run again."),
    "edited_in_destination": (
        "Somebody changed this record in the CRM since it arrived.",
        "Say in the queue file which side counts: ours (the export) or theirs (the CRM).",
    ),
    "found_twice_after_no_answer": ("The CRM holds this record twice after a lost answer.", "Delete one of the two, then run again."),
    "deleted_in_destination": ("Somebody deleted this record in the CRM since it arrived.", "Say whether it should come back."),
    "failed_payment": ("Failed payments are left out, as decided.", ""),
    "blank": ("Blank lines.", ""),
    "cancelled_booking": ("Cancelled appointments are left out, as decided.", ""),
    "short_row": ("Cells are missing in this line.", "Correct the line and give the file back."),
    "extra_field": (
        "The line has more cells than the heading; usually a comma without quotes.",
        "Correct the line and give the file back.",
    ),
    "truncated_last_row": ("The file ends in the middle of a line: the download was cut off.", "Export the file again."),
    "unterminated_quote": ("A quoted cell never closes; the rest of the file is inside it.", "Export the file again."),
    "stray_quote": ("A quote stands where none may be.", "Correct the line and give the file back."),
    "backslash_quote": ("Quotes are escaped in a way CSV does not know.", "Export the file again, or correct the line."),
    "nul_byte": ("The line is damaged.", "Export the file again."),
    "damaged_text": ("The line holds bytes that are no text.", "Export the file again."),
    "missing_key": ("The cell that identifies the row is empty.", "Correct the line and give the file back."),
    "bad_key": ("The cell that identifies the row does not hold what it should.", "Correct the line and give the file back."),
    "missing_required": ("The CRM needs a value that the row does not have.", "Add it in the export file and give the file back."),
    "foreign_currency": (
        "The CRM keeps this kind of record in the company's currency, and the row is in another one.",
        "Give the amount in the company's currency, or map these rows to something that has a currency.",
    ),
    "bad_date": ("The CRM does not take this date.", "Correct the date in the export file and give the file back."),
    "bad_datetime": ("The CRM does not take this time.", "Correct the time in the export file and give the file back."),
    "date_out_of_range": ("The CRM does not take a date so far away.", "Correct the date in the export file and give the file back."),
    "bad_email": ("The CRM does not take this e-mail address.", "Correct the address in the export file and give the file back."),
    "bad_number": ("The CRM does not take this number.", "Correct the number in the export file and give the file back."),
    "stays_listed": (
        "The contact's address is another one now, and the one that must not be mailed stays on the list.",
        "Make the address the key of the phase (`key`), so that the new one is listed beside it.",
    ),
    "withdrawn": (
        "Somebody took this address off the CRM's list of who must not be mailed.",
        "Put it back there if the contact must not be mailed; it is not done by itself.",
    ),
    "won_stage": (
        "The deal is not won, and its stage is one in which the CRM takes every deal for won.",
        "Set the deal to won in the export file, or name another stage there, and give the file back; or take the mark “won” off it.",
    ),
    "period_closed": (
        "The invoice is of a period that the books are closed for; the CRM would date it into the open one.",
        "Open the period for the time of the migration, then run again; or bring these as orders.",
    ),
    "no_rate": (
        "The CRM has no exchange rate of the invoice's day or earlier, and would count the amount one to one.",
        "Enter a rate of that day or an earlier one, then run again.",
    ),
    "payment_matched": (
        "The export changes an invoice that somebody matched with a payment; the CRM would take the payment off it.",
        "Take the payment off in the CRM and run again, or leave the invoice as it is and accept the difference.",
    ),
    "too_precise": ("The amount has more decimals than the CRM keeps.", "Round it in the export file and give the file back."),
    "refused_by_rule": ("A rule of the CRM forbids this record.", "Look at the row's values together: dates in order, links that fit."),
    "external_id_taken": ("The CRM holds another record under this key.", "Find out whose it is; take its external ID away, or keep it."),
    "not_allowed": ("The CRM's user may not do this.", "Give the user of the API key the rights it lacks, then run again."),
    "left_over": (
        "The CRM holds this record, and no row of the exports makes it any more: its row was merged into another record.",
        "Merge it in the CRM into the record that stayed, or delete it there. Nothing is deleted by itself.",
    ),
    "merged_data_left": (
        "Two people were one and are two again, and this record still holds values of the other one that we wrote.",
        "Say in the queue file: ours takes them off this record, theirs leaves them. Nothing is cleared by itself.",
    ),
    "left_out_since": (
        "This record arrived, and its row is among those that stay behind by a later decision.",
        "Delete it where it arrived if it should go, or take the decision back. Nothing is deleted by itself.",
    ),
    "made_no_more": (
        "This record arrived, and no row makes it any more: the map was changed since, or what it belonged to is left out or merged.",
        "Delete it where it arrived if it should go, or change the map; an address that must not be mailed stays on its list. "
        "Nothing is deleted by itself.",
    ),
    "likely_duplicate": (
        "Two records that are probably one.",
        "Say same or different; until then both arrive, and nothing waits for it.",
    ),
    "corrected": ("The line could not be read, and came back corrected.", ""),
    "parent_waits": ("The record it belongs to waits.", "It follows by itself."),
}


def sentence(reason: str | None) -> str:
    """Return what a reason means, with the fields that it names; a code without a text stands for itself."""
    fields = (reason or "").partition(":")[2].strip()
    return f"{_entry(reason)[0]} ({fields})" if fields else _entry(reason)[0]


def next_step(reason: str | None) -> str:
    """Return what a person can do about it; empty when nothing is known."""
    return _entry(reason)[1]


def _entry(reason: str | None) -> tuple[str, str]:
    code = (reason or "").partition(":")[0]
    if code.startswith("parent_") and code not in REASONS:
        return REASONS["parent_waits"]
    return REASONS.get(code, (code.replace("_", " "), ""))

"""Kartra's exports: file names, headings, column types.

Belongs here: what Kartra writes. Not here: reading (csv_export, typed), the fold of files (phases.resolve), what becomes
of a column (the mapping spec).

Source: the transactions heading is known from a real file; contacts, subscriptions and the rest follow the names of
Kartra's API and help pages, which is why they have aliases (support.kartra.com, documentation.kartra.com, read 2026-11).
No public page shows the screens of most exports; `how` names a menu only where one is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from crm_pipelines.sources.base import Column, ColumnType, SourceObject
from crm_pipelines.sources.filenames import dated_name, match_object, uniqid_time

# Kartra posts empty values as N/A (documentation.kartra.com/category/ipn, read 2026-11); in any column, in any case.
NOT_AVAILABLE = ("N/A",)
# documentation.kartra.com/action-retrieve-recurring-payment-subscriptions-from-lead, read 2026-11.
UNTIL_CANCELLED = ("Until cancelled", *NOT_AVAILABLE)
# Dates in file names agree with the decoded times in US Eastern, not in UTC.
NAME_TIMEZONE = "America/New_York"


def text(name: str, *aliases: str, required: bool = False) -> Column:
    """Declare a text column."""
    return Column(name, "text", aliases, required=required, nulls=NOT_AVAILABLE)


def human(name: str, *aliases: str, required: bool = False) -> Column:
    """Declare a text column that people wrote: names, places, titles."""
    return Column(name, "text", aliases, required=required, nulls=NOT_AVAILABLE, repair=True)


def typed(name: str, kind: ColumnType, *aliases: str, required: bool = False, nulls: tuple[str, ...] = NOT_AVAILABLE) -> Column:
    """Declare a column of another type."""
    return Column(name, kind, aliases, required=required, nulls=nulls)


def listed(name: str, *aliases: str, separator: str | None = None, inventory: str | None = None) -> Column:
    """Declare a column of several values in one cell."""
    return Column(name, "list", aliases, nulls=NOT_AVAILABLE, repair=True, separator=separator, inventory=inventory)


def booked(name: str, *aliases: str, required: bool = False) -> Column:
    """Declare the time of an appointment: Kartra tells it in the host's zone, not in the account's."""
    return Column(name, "datetime", aliases, required=required, nulls=NOT_AVAILABLE, zone_column="vendor_timezone")


def money(name: str, heading: str, *aliases: str, required: bool = False) -> Column:
    """Declare an amount whose heading holds the account's currency, as in `Amount (USD)`."""
    pattern = rf"^{heading} \(([A-Z]{{3}})\)$"
    return Column(name, "decimal", aliases, required=required, pattern=pattern, nulls=NOT_AVAILABLE)


CONTACTS = SourceObject(
    name="contacts",
    key="id",
    file_patterns=("contacts*", "leads*"),
    required=True,
    how=(
        "Communications > Contacts > Export; in older accounts Communications > Leads > Export. Pick every column. "
        "Accounts above 2,500 contacts export in parts, oldest first; parts may overlap."
    ),
    columns=(
        typed("id", "integer", "lead_id", "contact_id", "kartra_id", required=True),
        typed("email", "email", "e-mail", "email address", "e-mail address", "lead_email", required=True),
        human("first_name", "first name", "firstname", "given name"),
        human("middle_name", "middle name", "middlename"),
        human("last_name", "last name", "lastname", "surname"),
        human("last_name2", "last name 2", "second last name", "second surname"),
        text("phone_country_code", "phone country code", "phone code", "phone country"),
        typed("phone", "phone", "phone number", "telephone", "mobile"),
        human("company", "company name", "organization"),
        human("address", "street address", "street", "address line 1"),
        human("city", "town"),
        human("state", "state/province", "province", "region"),
        text("zip", "zip code", "zip/postal code", "postal code", "postcode"),
        typed("country", "country", "country name"),
        text("website", "web site", "url"),
        text("facebook", "facebook url", "facebook profile"),
        text("twitter", "twitter url", "x", "twitter profile"),
        text("linkedin", "linkedin url", "linkedin profile"),
        text("instagram", "instagram url", "instagram profile"),
        text("sales_tax_id", "sales tax id", "tax id", "vat number"),
        text("business_type", "business type"),
        text("lead_picture", "picture", "avatar", "contact picture"),
        text("ip", "ip address"),
        text("ip_country", "ip country"),
        text("lead_preferred_time_zone", "preferred time zone", "time zone", "timezone"),
        typed("date_joined", "datetime", "date joined", "joined", "join date", "created", "created at", "date created", "date added"),
        text("source", "lead source", "contact source"),
        text("source_id", "source id"),
        typed("referring_id", "integer", "referring id", "referrer id", "referred by id", nulls=(*NOT_AVAILABLE, "0")),
        typed("score", "integer", "lead score", "points"),
        text("status", "mailing status", "lead status", "contact status", "email status"),
        typed("blacklisted", "boolean", "blocklisted", "blacklist", "blocklist"),
        text("gdpr_status", "gdpr_lead_status", "gdpr status"),
        typed("gdpr_status_date", "datetime", "gdpr_lead_status_date", "gdpr date"),
        text("gdpr_status_ip", "gdpr_lead_status_ip", "gdpr ip"),
        text("gdpr_communications", "gdpr_lead_communications", "gdpr communication"),
        listed("tags", "tag", "tag names", "assigned tags", inventory="tags.tag_name"),
        listed("lists", "list", "list names", "subscribed lists", "mailing lists"),
        text("notes", "note", "comments"),
        text("owner", "owner email", "owner_email", "assigned to", "lead owner", "contact owner"),
    ),
)

TRANSACTIONS = SourceObject(
    name="transactions",
    key="id",
    file_patterns=("transactions*", "orders*"),
    how="The list of transactions, all types and all dates, exported as CSV; one file for every currency.",
    without_it="Purchases, refunds and payment history do not arrive, and nothing tells what a subscription has paid.",
    columns=(
        typed("id", "integer", "transaction_id", "order id", required=True),
        text("transaction_type", "type", required=True),
        typed("date", "datetime", "transaction_date", "order date", required=True),
        human("product", "product_name", required=True),
        text("price_point", "product_price_point"),
        typed("quantity", "integer", "transaction_quantity"),
        text("seller_username"),
        text("buyer_username", "lead_username"),
        human("buyer_name"),
        human("buyer_company"),
        text("sales_tax_id"),
        typed("buyer_email", "email", "lead_email", "email", required=True),
        typed("buyer_country", "country"),
        human("buyer_state"),
        human("buyer_city"),
        text("buyer_zip"),
        human("buyer_address"),
        text("buyer_phone_country"),
        typed("buyer_phone", "phone"),
        text("buyer_ip"),
        money("amount", "Amount", "transaction_full_amount", required=True),
        money("base_price", "Base_Price", "transaction_base_amount"),
        money("sales_tax", "Sales_tax", "transaction_tax"),
        money("shipping_cost", "Shipping_cost", "transaction_shipping"),
        text("coupon_code"),
        money("coupon_discount", "Coupon_discount", "transaction_discount"),
        money("revenue", "Revenue", required=True),
        text("affiliate_username", "transaction_affiliate"),
        human("affiliate_name"),
        typed("affiliate_email", "email"),
        money("affiliate_revenue", "Affiliate_Revenue"),
        text("jv_username", "transaction_jv"),
        human("jv_name"),
        typed("jv_email", "email"),
        money("jv_revenue", "JV_Revenue"),
        money("your_net_profit", "Your_Net_Profit"),
        text("tracking_link"),
        text("trackingid1", "tracking id 1"),
        text("trackingid2", "tracking id 2"),
        text("landing_page"),
        text("processor", "payment method"),
        text("processor_transaction_id"),
        text("processor_subscription_id"),
        text("subscription_id", "transaction_subscription_id"),
        typed("lead_id", "integer", "contact_id"),
        typed("affiliate_id", "integer"),
        typed("jv_id", "integer"),
        human("shipping_name"),
        human("shipping_address"),
        human("shipping_city"),
        text("shipping_zip"),
        typed("shipping_country", "country"),
        human("shipping_state"),
        typed("trial", "boolean"),
        typed("automatic_cancellation", "boolean"),
        typed("subscription_payment_number", "integer", "transaction_subscription_pay_number"),
        typed("rebill_reattempt", "boolean"),
        text("currency"),  # read from the headings above
    ),
)

SUBSCRIPTIONS = SourceObject(
    name="subscriptions",
    key="subscription_id",
    file_patterns=("subscriptions*", "recurring*"),
    how="The list of recurring payments (subscriptions), all statuses, exported as CSV.",
    without_it="Subscriptions are rebuilt from payments: billing period and end date stay empty, and one that never paid is not seen.",
    columns=(
        text("subscription_id", "id", "subscription id", required=True),
        typed("subscription_product_id", "integer", "product_id"),
        human("product_name", "product", "subscription_product_name", required=True),
        typed("subscription_price_point", "integer", "price_point"),
        typed("subscription_lead_id", "integer", "lead_id", "contact_id", required=True),
        typed("lead_email", "email", "email", "e-mail", "contact email", "buyer_email"),
        typed("subscription_start_date", "datetime", "start_date", required=True),
        typed("subscription_end_date", "datetime", "end_date"),
        typed("subscription_current_installment", "integer", "current_installment"),
        typed("subscription_installments_left", "integer", "installments_left", "payments_left", nulls=UNTIL_CANCELLED),
        text("subscription_recurring_period", "recurring_period", "period", "billing period"),
        text("subscription_status", "status", required=True),
        typed("subscription_next_payment_date", "datetime", "next_payment_date"),
        money(
            "subscription_next_scheduled_payment_amount",
            "(?:Subscription_)?Next_scheduled_payment_amount",
            "next_payment_amount",
            "next_scheduled_payment_amount",
        ),
        text("subscription_affiliate", "affiliate", "affiliate_username"),
        text("subscription_jv", "jv", "jv_username"),
        text("currency", "subscription_currency"),
    ),
)

CALENDARS = SourceObject(
    name="calendars",
    key="calendar_subscription_id",
    file_patterns=("calendars*", "appointments*", "bookings*"),
    how="The bookings of all calendars, all dates. No contact export holds them: ask for this file apart.",
    without_it="Past and future appointments do not arrive.",
    columns=(
        typed("calendar_subscription_id", "integer", "booking_id", "appointment_id", "id", required=True),
        typed("calendar_id", "integer"),
        human("calendar_name", "calendar", required=True),
        typed("class_id", "integer"),
        human("class_name", "class", "appointment type"),
        human("host_first_name"),
        human("host_last_name"),
        typed("host_email_address", "email", "host_email"),
        text("vendor_timezone", "host_timezone"),
        booked("event_start", "start", "start_time", "start_date", "event_date", required=True),
        booked("event_end", "end", "end_time", "end_date"),
        text("status", "booking_status", required=True),
        typed("lead_email", "email", "email", "e-mail", "attendee_email", "contact_email", required=True),
        human("lead_first_name", "first_name", "attendee_first_name"),
        human("lead_last_name", "last_name", "attendee_last_name"),
        text("location", "meeting_link"),
    ),
)

AFFILIATES = SourceObject(
    name="affiliates",
    key="username",
    file_patterns=("affiliates*", "partners*"),
    how="The list of affiliates with their earnings, downloaded as CSV; on the plans that have affiliate management.",
    without_it="Who sells for you, with user name, status and earnings, does not arrive.",
    columns=(
        typed("affiliate_id", "integer", "id"),
        text("username", "affiliate_username", required=True),
        human("name", "affiliate_name", "full name", required=True),
        typed("email", "email", "e-mail", "affiliate_email", "email address", required=True),
        text("status", "affiliate_status", required=True),
        typed("products", "integer", "products promoted"),
        money("earned", "Earned", "total earned"),
        money("reserve", "Reserve"),
        money("due", "Due"),
        money("paid", "Paid"),
        typed("lead_id", "integer", "contact_id"),
        typed("signup_date", "datetime", "sign-up date", "date joined"),
        text("sponsor_username", "sponsor"),
        text("currency"),
    ),
)

CUSTOM_FIELDS = SourceObject(
    name="custom_fields",
    key="field_identifier",
    file_patterns=("custom_fields*", "custom-fields*", "customfields*"),
    how=(
        "The account's custom fields: identifier, type, and the options of choice fields between bars. "
        "Where no screen exports them, they are copied into a CSV file with these columns."
    ),
    without_it="Custom fields stand in the contacts export as unknown columns: type and options have to be decided one by one.",
    columns=(
        typed("field_id", "integer", "id"),
        text("field_identifier", "identifier", "field", "custom field", required=True),
        text("field_type", "type", required=True),
        listed("options", "field_value", "values", separator="|"),
        listed("option_ids", "option_id", separator="|"),
    ),
)

TAGS = SourceObject(
    name="tags",
    key="tag_name",
    file_patterns=("tags*",),
    how="The list of all tags. Where no screen exports it, the names are copied into a CSV file with the column tag_name.",
    without_it="A tag in two spellings takes the more frequent one, and a tag that holds a comma falls into two.",
    columns=(
        typed("tag_id", "integer", "id"),
        human("tag_name", "tag", "name", required=True),
        text("category", "categories"),
        typed("leads_tagged", "integer", "contacts tagged", "leads"),
        text("expires", "expiration"),
    ),
)

# No public page tells what an export of the Deals module holds; these are the names that its screens suggest (assumed, 2026-11).
DEALS = SourceObject(
    name="deals",
    key="deal_id",
    file_patterns=("deals*", "opportunities*"),
    how="The deals of all pipelines, exported as CSV; only accounts that use the Deals module have them.",
    without_it="Deals with their pipeline, stage and expected amount do not arrive.",
    columns=(
        typed("deal_id", "integer", "id", required=True),
        human("deal_name", "name", "deal", "title", required=True),
        human("pipeline", "pipeline_name"),
        human("stage", "stage_name", "deal stage", "pipeline stage", required=True),
        replace(money("amount", "Amount", "value", "deal amount", "deal value"), any_locale=True),
        text("currency", "deal currency"),
        text("status", "deal status"),
        typed("created_date", "datetime", "created", "created at", "date created"),
        typed("close_date", "date", "closing date", "expected close date", "closed"),
        typed("contact_email", "email", "lead_email", "email", "e-mail", required=True),
        typed("contact_id", "integer", "lead_id"),
        typed("owner_email", "email", "owner", "assigned to", "deal owner"),
        text("notes", "note", "description", "comments"),
    ),
)

OBJECTS = {one.name: one for one in (CONTACTS, TRANSACTIONS, SUBSCRIPTIONS, DEALS, CALENDARS, AFFILIATES, CUSTOM_FIELDS, TAGS)}


class Kartra:
    """The Kartra account that exports come from."""

    name = "kartra"

    @property
    def objects(self) -> Mapping[str, SourceObject]:
        """Kartra's objects by name."""
        return OBJECTS

    def object_of(self, file_name: str) -> str | None:
        """Tell the object from the file name; leads_* are contacts under the name they had until November 2024."""
        return match_object(file_name, OBJECTS.values())

    def exported_at(self, file_name: str) -> datetime | None:
        """Read the export time from the 13 hex digits in the name, else the day written there."""
        return uniqid_time(file_name) or dated_name(file_name, NAME_TIMEZONE)

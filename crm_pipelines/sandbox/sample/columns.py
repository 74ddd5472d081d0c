"""The columns of each Kartra export and the text of a row in them.

Belongs here: headings, and how a purchase, booking or affiliate is written down. Not here: file quirks (exports),
what was planted (world).
Source: kartra_transactions is a real header of 57 columns; the others follow Kartra's API names.
"""

from __future__ import annotations

from decimal import Decimal

from crm_pipelines.sandbox.sample.times import written
from crm_pipelines.sandbox.sample.world import Affiliate, Booking, CustomField, KartraDeal, Subscription, Transaction

CONTACTS = (
    "id", "email", "first_name", "middle_name", "last_name", "last_name2", "phone_country_code", "phone", "company",
    "address", "city", "state", "zip", "country", "website", "facebook", "twitter", "linkedin", "instagram",
    "sales_tax_id", "business_type", "lead_picture", "ip", "ip_country", "lead_preferred_time_zone", "date_joined",
    "source", "source_id", "referring_id", "score", "status", "blacklisted", "gdpr_status", "gdpr_status_date",
    "gdpr_status_ip", "gdpr_communications", "tags", "lists", "notes", "owner",
)  # fmt: skip
_MONEY = (
    "Amount", "Base_Price", "Sales_tax", "Shipping_cost", "Coupon_discount", "Revenue", "Affiliate_Revenue", "JV_Revenue",
    "Your_Net_Profit",
)  # fmt: skip
TRANSACTIONS = (
    "ID", "Transaction_Type", "Date", "Product", "Price_point", "Quantity", "Seller_username", "Buyer_Username",
    "Buyer_Name", "Buyer_Company", "Sales_Tax_ID", "Buyer_Email", "Buyer_Country", "Buyer_State", "Buyer_City",
    "Buyer_ZIP", "Buyer_Address", "Buyer_Phone_Country", "Buyer_Phone", "Buyer_IP", "Amount", "Base_Price", "Sales_tax",
    "Shipping_cost", "Coupon_code", "Coupon_discount", "Revenue", "Affiliate_Username", "Affiliate_Name",
    "Affiliate_Email", "Affiliate_Revenue", "JV_Username", "JV_Name", "JV_Email", "JV_Revenue", "Your_Net_Profit",
    "Tracking_link", "TrackingID1", "TrackingID2", "Landing_page", "Processor", "Processor_transaction_id",
    "Processor_subscription_id", "subscription_id", "lead_id", "affiliate_id", "jv_id", "Shipping_Name",
    "Shipping_Address", "Shipping_City", "Shipping_ZIP", "Shipping_Country", "Shipping_State", "Trial",
    "Automatic_Cancellation", "Subscription_payment_number", "Rebill_reattempt",
)  # fmt: skip
SUBSCRIPTIONS = (
    "subscription_id", "subscription_product_id", "product_name", "subscription_price_point", "subscription_lead_id",
    "lead_email", "subscription_start_date", "subscription_end_date", "subscription_current_installment",
    "subscription_installments_left", "subscription_recurring_period", "subscription_status",
    "subscription_next_payment_date", "subscription_next_scheduled_payment_amount", "subscription_affiliate",
    "subscription_jv", "currency",
)  # fmt: skip
CALENDARS = (
    "calendar_subscription_id", "calendar_id", "calendar_name", "class_id", "class_name", "host_first_name",
    "host_last_name", "host_email_address", "vendor_timezone", "event_start", "event_end", "status", "lead_email",
    "lead_first_name", "lead_last_name", "location",
)  # fmt: skip
AFFILIATES = (
    "affiliate_id", "username", "name", "email", "status", "products", "earned", "reserve", "due", "paid", "lead_id",
    "signup_date", "sponsor_username",
)  # fmt: skip
DEALS = (
    "deal_id", "deal_name", "pipeline", "stage", "amount", "currency", "status", "created_date", "close_date",
    "contact_email", "contact_id", "owner_email", "notes",
)  # fmt: skip
CUSTOM_FIELDS = ("field_id", "field_identifier", "field_type", "options", "option_ids")
TAGS = ("tag_id", "tag_name", "category", "leads_tagged", "expires")
REFUNDS = frozenset({"Refund", "Partial refund", "Chargeback"})
UNKNOWN_LEAD = 990_000_000  # ids above this one are in no contacts file
NOT_AVAILABLE = "N/A"


def transactions_header(currency: str) -> tuple[str, ...]:
    """Return the 57 headings with the account's currency in those that hold money."""
    return tuple(f"{name} ({currency})" if name in _MONEY else name for name in TRANSACTIONS)


def transaction_row(one: Transaction, is_negative: bool) -> tuple[str, ...]:
    """Return the cells of one transaction; refunds are negative in some files and positive in others."""
    amount = -one.amount if is_negative and one.kind in REFUNDS else one.amount
    subscription = one.subscription if one.says_subscription else None
    said = {
        "ID": one.key, "Transaction_Type": one.kind, "Date": written(one.at), "Product": one.product_text or one.product,
        "Price_point": str(one.price_point), "Quantity": str(one.quantity), "Seller_username": "agency",
        "Buyer_Name": "Buyer", "Buyer_Email": _buyer_email(one), "Buyer_Country": "United States", "Buyer_ZIP": "02134",
        "Amount": money(amount), "Base_Price": money(amount), "Sales_tax": "0.00", "Revenue": money(amount),
        "Coupon_code": one.coupon, "Affiliate_Username": one.affiliate or NOT_AVAILABLE, "JV_Username": NOT_AVAILABLE,
        "Processor": one.processor, "Processor_transaction_id": one.processor_id,
        "subscription_id": str(subscription.id) if subscription else NOT_AVAILABLE, "lead_id": _lead_id(one),
        "Trial": "No", "Automatic_Cancellation": "Yes" if one.kind == "Cancellation" and one.id % 5 == 0 else "No",
        "Rebill_reattempt": "1" if one.kind == "Rebill" and one.id % 17 == 0 else "0",
    }  # fmt: skip
    return tuple(said.get(name, "") for name in TRANSACTIONS)


def money(amount: Decimal) -> str:
    """Return an amount with the decimals it was planted with."""
    return f"{amount:f}"


def _lead_id(one: Transaction) -> str:
    if one.link in {"orphan", "email_unknown_id"}:
        return str(UNKNOWN_LEAD + one.id)
    if one.link == "email":
        return "" if one.id % 2 else NOT_AVAILABLE
    return one.contact.key if one.contact else ""


def _buyer_email(one: Transaction) -> str:
    if one.contact is None:
        return f"nobody.{one.id}@example.org"
    email = one.contact.newest("email")
    if one.link == "old_email" or email is None or email.address is None:
        return f"former.{one.contact.id}@example.org"
    return str(email.address.upper() if one.id % 11 == 0 else email.address)


def subscription_row(one: Subscription, currency: str, is_later: bool = False) -> tuple[str, ...]:
    """Return the cells of one subscription; `is_later` writes what the delta export says."""
    email = one.contact.newest("email")
    by_email = one.link == "email" and email.address
    status = one.later_status if is_later and one.later_status else one.status
    end = one.later_end if is_later and one.later_status else one.end
    is_open = status in {"Active", "Paused"}
    return (
        str(one.id), str(one.id % 9 + 1), one.product, str(one.price_point), "" if by_email else one.contact.key,
        email.address or email.text, written(one.start), written(end), "3", "Until cancelled" if one.id % 3 else "4",
        one.period, status.lower() if one.id % 13 == 0 else status, written(one.start) if is_open else NOT_AVAILABLE,
        money(one.amount) if is_open else NOT_AVAILABLE, one.affiliate or NOT_AVAILABLE, NOT_AVAILABLE, currency,
    )  # fmt: skip


def booking_row(one: Booking) -> tuple[str, ...]:
    """Return the cells of one appointment."""
    host = (one.host or "").split("@", maxsplit=1)[0].title()
    return (
        one.key, "7", one.calendar, "11" if one.class_name else "", one.class_name, host, "Host" if host else "", one.host or "",
        one.zone, one.start_text, one.end_text, one.status, one.email, "Guest", "", one.location,
    )  # fmt: skip


def affiliate_row(one: Affiliate) -> tuple[str, ...]:
    """Return the cells of one affiliate."""
    lead = one.contact.key if one.contact and one.link == "lead_id" else ""
    earned = f"{one.earned:.2f}"
    return (
        "" if one.id is None else str(one.id), one.username, one.name, one.email, one.status, "3", earned, "0.00", "0.00",
        earned, lead, written(one.joined), NOT_AVAILABLE,
    )  # fmt: skip


def deal_row(one: KartraDeal, currency: str) -> tuple[str, ...]:
    """Return the cells of one deal."""
    closes = "0000-00-00" if one.closes is None and one.id % 2 else f"{one.closes or ''}"
    lead = one.contact.key if one.contact and one.link in {"lead_id", "alias", "old_email"} else ""
    if one.link == "email_unknown_id" or (one.contact is None and one.id % 2):
        lead = str(UNKNOWN_LEAD + one.id)
    return (
        one.key, one.name.text, one.pipeline, one.stage, one.amount_text, currency, one.status, written(one.created), closes,
        one.email, lead, one.owner.text, one.notes.text,
    )  # fmt: skip


def custom_field_row(one: CustomField) -> tuple[str, ...]:
    """Return the cells of one custom field's schema."""
    return (str(one.id), one.identifier, one.kind, "|".join(one.options), "|".join(one.option_ids))

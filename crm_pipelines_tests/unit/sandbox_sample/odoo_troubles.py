"""Everything that can be wrong with an Odoo, each as a change by SQL and as what the comparison must say of it.

Belongs here: the table of troubles. Not here: running them (test_compare_odoo).
In a statement `{people}` stands for the id of the first record of a phase, `{people.phone}` of the first that has the field,
`{people.!user_id}` of the first that has not; braces meant as such are doubled. In what is found `*` stands for anything.
"""

from __future__ import annotations

Found = tuple[str, str, str]

TROUBLES: dict[str, tuple[str, Found]] = {
    "missing": ("DELETE FROM mail_blacklist WHERE id = {opt_outs}", ("opt_outs", "", "missing")),
    "missing external id": (
        "DELETE FROM ir_model_data WHERE module = 'crm_hand' AND model = 'crm.lead' AND res_id = {deals}",
        ("deals", "", "unexpected"),
    ),
    "doubled external id": (
        "INSERT INTO ir_model_data (module, name, model, res_id) VALUES ('crm_hand', 'people.77', 'res.partner', {people})",
        ("people", "external_id", "duplicate"),
    ),
    "external id of nobody": (
        "INSERT INTO ir_model_data (module, name, model, res_id) VALUES ('crm_hand', 'orders.x:y', 'sale.order', {orders})",
        ("orders", "external_id", "wrong"),
    ),
    "external id of another phase": (
        "INSERT INTO ir_model_data (module, name, model, res_id) VALUES ('crm_hand', 'tags.1', 'res.company', 1)",
        ("tags", "external_id", "unexpected"),
    ),
    "external id on a template of somebody else's": (
        "INSERT INTO ir_model_data (module, name, model, res_id)"
        " VALUES ('crm_hand', 'products.product%%3Anobody_product_template', 'product.template', 1)",
        ("products", "external_id", "wrong"),
    ),
    "a partner too many": (
        "INSERT INTO res_partner SELECT (jsonb_populate_record(p, '{{\"id\": 900001}}')).* FROM res_partner p WHERE id = {people}",
        ("people", "", "unexpected"),
    ),
    "a doubled order": (
        "INSERT INTO sale_order SELECT (jsonb_populate_record(o, '{{\"id\": 900001}}')).* FROM sale_order o WHERE id = {orders}",
        ("orders", "", "unexpected"),
    ),
    "wrong name": ("UPDATE res_partner SET name = 'Somebody Else' WHERE id = {people}", ("people", "name", "wrong")),
    "lost phone": ("UPDATE res_partner SET phone = NULL WHERE id = {people.phone}", ("people", "phone", "lost")),
    "address of the company": (
        "UPDATE res_partner SET street = '1 Main St' WHERE id = {organizations}",
        ("organizations", "street", "extra"),
    ),
    "country of the company": (
        "UPDATE res_partner SET country_id = 233 WHERE id = {organizations}",
        ("organizations", "country", "extra"),
    ),
    "wrong parent": ("UPDATE res_partner SET parent_id = 1 WHERE id = {people.parent_id}", ("people", "parent_id", "wrong")),
    "wrong type": ("UPDATE res_partner SET type = 'invoice' WHERE id = {people}", ("people", "type", "wrong")),
    "state lost": ("UPDATE res_partner SET state_id = NULL WHERE id = {people.state}", ("people", "state", "lost")),
    "another language": ("UPDATE res_partner SET lang = 'fr_FR' WHERE id = {people}", ("people", "lang", "wrong")),
    "a company without language": ("UPDATE res_partner SET lang = NULL WHERE id = {organizations}", ("organizations", "lang", "lost")),
    "a time zone": ("UPDATE res_partner SET tz = 'UTC' WHERE id = {people}", ("people", "tz", "extra")),
    "note in one line": (
        "UPDATE res_partner SET comment = replace(comment, '<br>', ' ') WHERE comment ~ '<br>'",
        ("people", "comment", "wrong"),
    ),
    "note cut": ("UPDATE res_partner SET comment = left(comment, -12) WHERE id = {people.comment}", ("people", "comment", "wrong")),
    "website bare": (
        "UPDATE res_partner SET website = replace(website, 'http', 'ftp') WHERE id = {people.website}",
        ("people", "website", "wrong"),
    ),
    "archived": ("UPDATE res_partner SET active = false WHERE id = {people}", ("people", "active", "wrong")),
    "category lost": (
        "DELETE FROM res_partner_res_partner_category_rel WHERE partner_id = {people.category_id}",
        ("people", "category_id", "lost"),
    ),
    "category twice": (
        "INSERT INTO res_partner_category (name, active, color) SELECT jsonb_build_object('en_US', upper(name->>'en_US')),"
        " true, 1 FROM res_partner_category WHERE name->>'en_US' ~ '[a-z]' ORDER BY id DESC LIMIT 1",
        ("people", "res_partner_category", "duplicate"),
    ),
    "category of nobody": (
        """INSERT INTO res_partner_category (name, active, color) VALUES ('{{"en_US": "Zzz"}}', true, 1)""",
        ("people", "res_partner_category", "unexpected"),
    ),
    "owner lost": ("UPDATE res_partner SET user_id = NULL WHERE id = {people.user_id}", ("people", "user_id", "lost")),
    "owner of the ownerless": ("UPDATE crm_lead SET user_id = 2 WHERE id = {deals.!user_id}", ("deals", "user_id", "extra")),
    "creation date a day late": (
        "UPDATE res_partner SET x_kartra_created_date = x_kartra_created_date + interval '1 day' WHERE id = {people}",
        ("people", "custom.Kartra created date", "wrong"),
    ),
    "box unticked": (
        "UPDATE res_partner SET x_favourite_fruit_pear = NOT coalesce(x_favourite_fruit_pear, false) WHERE id = {people}",
        ("people", "custom.favourite_fruit: pear", "*"),
    ),
    "custom field under another name": (
        "UPDATE ir_model_fields SET field_description = jsonb_build_object('en_US', 'State') WHERE name = 'x_kartra_state'",
        ("people", "field", "missing"),
    ),
    "custom field twice": (
        "UPDATE ir_model_fields SET field_description = jsonb_build_object('en_US', 'Facebook') WHERE name = 'x_instagram'",
        ("people", "field", "duplicate"),
    ),
    "opt-out lifted": ("UPDATE mail_blacklist SET active = false WHERE id = {opt_outs}", ("opt_outs", "active", "wrong")),
    "an address that never refused": (
        "INSERT INTO mail_blacklist (email, active) VALUES ('somebody@example.com', true)",
        ("opt_outs", "", "unexpected"),
    ),
    "product renamed": (
        "UPDATE product_template SET name = jsonb_build_object('en_US', 'Other')"
        " WHERE id = (SELECT product_tmpl_id FROM product_product WHERE id = {products})",
        ("products", "name", "wrong"),
    ),
    "order price": ("UPDATE sale_order_line SET price_unit = price_unit + 0.01 WHERE order_id = {orders}", ("orders", "amount", "wrong")),
    "order total": ("UPDATE sale_order SET amount_total = amount_total * 1.15 WHERE id = {orders.amount}", ("orders", "sum", "wrong")),
    "an order that is invoiced to somebody else": (
        "UPDATE sale_order SET partner_invoice_id = {organizations} WHERE id = {orders}",
        ("orders", "partner_invoice_id", "wrong"),
    ),
    "an order that is delivered to somebody else": (
        "UPDATE sale_order SET partner_shipping_id = {organizations} WHERE id = {orders}",
        ("orders", "partner_shipping_id", "wrong"),
    ),
    "an invoice for goods that went to somebody else": (
        "UPDATE account_move SET partner_shipping_id = {organizations} WHERE id = {invoices}",
        ("invoices", "partner_shipping_id", "wrong"),
    ),
    "tax on a line": (
        "INSERT INTO account_tax_sale_order_line_rel"
        " SELECT l.id, (SELECT min(id) FROM account_tax) FROM sale_order_line l WHERE order_id = {orders}",
        ("orders", "taxes", "extra"),
    ),
    "an order that asks to be invoiced": (
        "UPDATE sale_order SET invoice_status = 'to invoice' WHERE id = {orders}",
        ("orders", "invoice_status", "wrong"),
    ),
    "order line lost": ("DELETE FROM sale_order_line WHERE order_id = {orders}", ("orders", "lines", "wrong")),
    "order of today": ("UPDATE sale_order SET date_order = now() WHERE id = {orders}", ("orders", "date_order", "wrong")),
    "order reopened": ("UPDATE sale_order SET state = 'draft' WHERE id = {orders.amount}", ("orders", "state", "wrong")),
    "order of another": ("UPDATE sale_order SET partner_id = 1 WHERE id = {orders}", ("orders", "partner_id", "wrong")),
    "the default pricelist's name": (
        "UPDATE product_pricelist SET name = jsonb_build_object('en_US', 'Other') WHERE id = (SELECT max(id) FROM product_pricelist)",
        ("orders", "pricelist", "wrong"),
    ),
    "a pricelist too many": (
        """INSERT INTO product_pricelist (name, currency_id, active) VALUES ('{{"en_US": "Migration GBP"}}', 1, true)""",
        ("orders", "product_pricelist", "unexpected"),
    ),
    "line text": ("UPDATE sale_order_line SET name = 'Other' WHERE order_id = {orders}", ("orders", "description", "wrong")),
    "wrong currency": (
        "UPDATE sale_order SET currency_id = (SELECT id FROM res_currency WHERE name = 'GBP') WHERE id = {orders.amount}",
        ("orders", "currency", "wrong"),
    ),
    "invoice of another day": (
        "UPDATE account_move SET invoice_date = '2020-01-01' WHERE id = {invoices}",
        ("invoices", "invoice_date", "wrong"),
    ),
    "invoice due on another day": (
        "UPDATE account_move SET invoice_date_due = '2030-01-01' WHERE id = {invoices}",
        ("invoices", "invoice_date_due", "wrong"),
    ),
    "invoice in another period": ("UPDATE account_move SET date = '2030-01-01' WHERE id = {invoices}", ("invoices", "date", "wrong")),
    "invoice not posted": ("UPDATE account_move SET state = 'draft' WHERE id = {invoices}", ("invoices", "state", "wrong")),
    "a payment": (
        "INSERT INTO account_payment (payment_type, partner_type, date, state, company_id, journal_id)"
        " SELECT 'inbound', 'customer', now(), 'draft', 1, min(id) FROM account_journal",
        ("account_payment", "", "unexpected"),
    ),
    "deal in another stage": ("UPDATE crm_lead SET stage_id = 1 WHERE id = {deals}", ("deals", "stage", "wrong")),
    "deal reopened": ("UPDATE crm_lead SET active = true WHERE NOT active", ("deals", "status", "wrong")),
    "deal closed today": ("UPDATE crm_lead SET date_closed = now() WHERE id = {deals.date_closed}", ("deals", "date_closed", "wrong")),
    "deal queued for enrichment": (
        "UPDATE crm_lead SET iap_enrich_done = NULL WHERE id = {deals}",
        ("deals", "iap_enrich_done", "wrong"),
    ),
    "deal in cents": (
        "UPDATE crm_lead SET expected_revenue = expected_revenue * 100 WHERE id = {deals.expected_revenue}",
        ("deals", "sum", "wrong"),
    ),
    "stages in another order": ("UPDATE crm_stage SET sequence = -sequence WHERE id > 4", ("deals", "sequence", "wrong")),
    "a stage too many": (
        """INSERT INTO crm_stage (name, sequence) VALUES ('{{"en_US": "Zzz"}}', 1)""",
        ("deals", "crm_stage", "unexpected"),
    ),
    "event moved": (
        "UPDATE calendar_event SET start = start + interval '5 hours' WHERE id = {activities}",
        ("activities", "start", "wrong"),
    ),
    "guest lost": (
        "DELETE FROM calendar_event_res_partner_rel WHERE calendar_event_id = {activities.user_id}",
        ("activities", "attendees", "lost"),
    ),
    "nobody invited": ("DELETE FROM calendar_attendee WHERE event_id = {activities}", ("activities", "invited", "lost")),
    "a mail": (
        "INSERT INTO mail_message (message_type, message_id, model, res_id) VALUES ('email', 'x', 'res.partner', 1);"
        " INSERT INTO mail_mail (mail_message_id, state) SELECT max(id), 'outgoing' FROM mail_message",
        ("mail_mail", "", "unexpected"),
    ),
    "a log line": (
        "INSERT INTO mail_message (message_type, message_id, model, res_id) VALUES ('notification', 'x', 'sale.order', {orders})",
        ("orders", "mail_message", "extra"),
    ),
    "a follower": (
        "INSERT INTO mail_followers (res_model, res_id, partner_id) VALUES ('crm.lead', {deals}, 3)",
        ("deals", "mail_followers", "extra"),
    ),
    "a user made": (
        "INSERT INTO res_users (login, partner_id, company_id, active, notification_type) VALUES ('zoe', 1, 1, true, 'email')",
        ("users", "", "unexpected"),
    ),
    "a user gone": ("UPDATE res_users SET active = false WHERE login LIKE 'ana@%%'", ("users", "email", "missing")),
    "somebody else's record changed": ("UPDATE res_partner SET phone = '+1 415 555 0100' WHERE id = 1", ("people", "*", "wrong")),
}

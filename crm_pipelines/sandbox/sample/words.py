"""Names, companies, tags, lists, notes and products that samples are made of; all invented.

Belongs here: word pools. Not here: how they are combined or soiled (people, names, purchases).
Pools named *_CP1252 hold only characters of that code page, so that their file may be written in it.
"""

from __future__ import annotations

FIRST = (
    "Emma", "Liam", "Olivia", "Noah", "Ava", "José", "Lucía", "Mateo", "Zoë", "François", "Amélie", "Jürgen", "Björn",
    "Søren", "Åsa", "Grace", "Hannah", "Isaac", "Jack", "Kate", "Leo", "Mia", "Nina", "Oscar", "Priya", "Quinn", "Rosa",
    "Samuel", "Tara", "Uma", "Victor", "Wendy", "Xavier", "Yara", "Zack", "Anaïs", "Renée", "Siân", "Małgorzata", "Łukasz",
)  # fmt: skip
LAST = (
    "Smith", "Johnson", "García", "Muñoz", "Lefèvre", "Müller", "Schäfer", "Ångström", "Nilsson", "Brown", "Taylor",
    "Wilson", "Clark", "Lewis", "Walker", "Hall", "Young", "King", "Wright", "Scott", "Green", "Baker", "Adams", "Nelson",
    "Carter", "Mitchell", "Pérez", "Roberts", "Turner", "Phillips", "van der Berg", "de la Cruz", "O'Neill", "D’Angelo",
    "Kowalski", "Nowak", "Dvořák", "Nagy", "Popescu", "Ivanov", "McDonald", "Fitz-Gerald", "St. John", "Öztürk",
)  # fmt: skip
MIDDLE = ("J.", "Marie", "Lee", "Anne", "T.", "Luis")
SECOND_LAST = ("Muñoz", "Ortega", "Vidal", "Castro")
OTHER_SCRIPTS = (
    ("Анна", "Иванова"), ("Дмитрий", "Смирнов"), ("Ольга", "Коваленко"), ("Νίκος", "Παπαδόπουλος"), ("Ελένη", "Γεωργίου"),
    ("გიორგი", "ბერიძე"), ("Արամ", "Պետրոսյան"), ("प्रिया", "शर्मा"),
)  # fmt: skip
RTL_OR_CJK = (
    ("محمد", "الأحمد"), ("فاطمة", "حسن"), ("דוד", "כהן"), ("נועה", "לוי"), ("太郎", "山田"), ("花子", "佐藤"), ("伟", "王"),
    ("민준", "김"),
)  # fmt: skip
EMOJI = ("🌸", "🚀", "💪", "✨")
MOJIBAKE = ("José", "Zoë", "François", "Müller", "Muñoz", "Jürgen", "Björn", "Siân")  # each survives a trip through cp1252
ENTITIES = (("O&#039;Brien", "O'Brien"), ("M&uuml;ller", "Müller"), ("D&#39;Souza", "D'Souza"), ("Garc&iacute;a", "García"))

COMPANY_FIRST = (
    "Bennett", "Acme", "Northwind", "Lumière", "Café Olé", "Blue Harbor", "Peak", "Sunrise", "Évora", "Kestrel", "Maple",
    "Granite", "Orchid", "Falcon", "Velvet", "Copper", "Willow", "Aurora", "Cedar", "Nimbus",
)  # fmt: skip
COMPANY_SECOND = (
    "Aesthetics Clinic", "Consulting", "Studio", "Ltd", "Inc.", "GmbH", "Coaching", "Media", "& Sons", "Foods",
    "Fitness", "Academy", "Dental", "Labs", "Travel", "Books", "Wellness, LLC", "Partners", "Design", "Group",
)  # fmt: skip

COMMA_TAG = "Paid, in full"
TAGS = (
    "Taster 2Day Opted In", "Taster 2Day Complete", "Acne Decoded Purchased", "Acne Decoded Abandoned Cart", "VIP",
    "Acne Decoded Enrolled", "RAG Pathway Opted In", "5K_Prelaunch_Start", "12 Week Enrolled", "Customer 2025", COMMA_TAG,
    "Membership2024 - GBP 30 Trial", "Has purchased Upgrade", "Has Opened Email", "Has Attended a Webinar", "member_gold",
    "course_completed", "00 - ADMIN", "Webinar Registered", "Survey Completed", "Booked a call", "Newsletter", "Referral",
    "Beta group", "Prospect", "Speaker",
)  # fmt: skip
# Not in the inventory, nor among the labels that a new account has.
OTHER_TAGS = ("Warm Intro", "Trade show Berlin", "podcast listener", "Été 2025", "Needs Invoice", "Champion")
TWIN_TAG, TWIN_SPELLING = "podcast listener", "Podcast Listener"
LISTS = (
    "Free 2-Day Taster", "From Regulation to Reputation™ Waitlist", "Newsletter", "Customers", "Webinar 2025", "Partners EU",
)  # fmt: skip

STATUSES = (
    ("Subscribed", 60), ("Active", 12), ("Unsubscribed", 8), ("Inactive", 4), ("Do not contact", 2), ("Spam complaint", 1),
    ("Blocklisted", 1), ("Blacklisted", 1), ("Multiple soft bounces", 2),
    ("Declined commercial messages (GDPR)", 2), ("", 7),
)  # fmt: skip
GDPR_WORDS = ("Off", "Not subject", "Accepted", "Not accepted", "Unknown", "Pending")  # Kartra's codes 0 to 5
SOURCES = (
    "single-optin", "double-optin", "helpdesk", "affiliate-signup", "checkout", "import", "api", "manual",
)  # fmt: skip
STREETS = ("12 Marlborough Court, Flat 2", "1 Main St, Apt 4", "7 Rue de l’Église", "Hauptstraße 9", "44 Ocean Drive", "3 The Mews")
PLACES = {
    "US": (("Austin", "TX", "78701"), ("Boston", "MA", "02134"), ("Portland", "Oregon", "97201")),
    "GB": (("Brentwood", "Essex", "CM14 4AB"), ("London", "", "EC1A 1BB")),
    "FR": (("Lyon", "Rhône", "69001"), ("Nîmes", "", "30000")),
    "AU": (("Sydney", "NSW", "2000"), ("Perth", "WA", "6000")),
}
ZONES = ("America/New_York", "Europe/London", "Europe/Paris", "Australia/Sydney", "")

NOTES = (
    "Called in March. Wants an invoice.", "Met at the trade show – very interested", "Prefers e-mail over phone.",
    "Ask for Müller at reception", "Budget below 500 & urgent", "Margin < 10 and > 5 this year", "VIP client since 2019 🌟",
    "日本語での連絡を希望", "Отправить договор до пятницы",
)  # fmt: skip
HTML_NOTES = (
    "<p>Spoke about <b>renewal</b>.</p><p>Follow up in May.</p>",
    "<ul><li>likes yoga</li><li>has two studios</li></ul>",
    "First call<br>second call<br><i>no answer</i>",
)
GUARDED_NOTES = (("'=SUM(A1:A3) pasted by mistake", "=SUM(A1:A3) pasted by mistake"), ("'- left a message", "- left a message"))

ONE_OFF_PRODUCTS = (
    "Acne Decoded", "5K Starter Kit 🚀", "From Regulation to Reputation™", "Workbook, printed", "Masterclass Été",
    "12 Week Plan", "Strategy Session", "Taster Pack", "Audio Course", "Gift Card",
)  # fmt: skip
SUBSCRIPTION_PRODUCTS_CP1252 = (
    "Gold Membership",
    "Silver Membership",
    "Académie Privée",
    "RAG Pathway™ Monthly",
    "Coaching, weekly",
    "Q&A Club",
    "Crème Box",
)
PERIODS = (("monthly", 60), ("weekly", 10), ("quarterly", 10), ("yearly", 12), ("every 2 weeks", 8))
PROCESSORS = (("Stripe", 60), ("PayPal", 30), ("Braintree", 10))
COUPONS = ("SAVE10", "WELCOME", "ÉTÉ25")
CALENDARS = (
    ("Discovery Call", True),
    ("Strategy session", False),
    ("Coaching call 60", True),
    ("Onboarding", False),
    ("Recall workshop", False),
)
CLASSES = ("30 min intro", "", "Group A", "")
LOCATIONS = ("https://meet.example.com/j/1", "Phone", "Studio 4, 7 Rue de l’Église", "")

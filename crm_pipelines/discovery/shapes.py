"""The shape of one value: e-mail, phone, date, money, code, sentence.

Belongs here: patterns over one text. Not here: tables of words, columns as a whole (evidence). Nothing is parsed for use: whether a
phone number exists or a date is real is asked elsewhere.
"""

from __future__ import annotations

import re

MONTHS = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|janv|févr|avr|juin|juil|août|déc)[a-zéû]*\.?"
DAY = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}[. ]+(?:de )?"
    + MONTHS
    + r"(?: de)?,? \d{2,4}|"
    + MONTHS
    + r" \d{1,2},? \d{4})"
)
CLOCK = r"\d{1,2}[:h.]\d{2}(?:[:m.]\d{2})?(?:\.\d+)?(?: ?[ap]\.?m\.?)?"
ZONE = r"(?: ?(?:Z|UTC|GMT|CET|CEST|[+-]\d{2}:?\d{2}))?"
NUMBER = r"[+-]?(?:\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+|\d+)(?:[.,]\d{1,4})?"
SIGN = r"(?:[$€£¥₣]|\b(?:EUR|USD|GBP|CHF|MXN|CAD|AUD|COP|ARS|CLP|PEN|SEK|NOK|DKK|PLN|JPY)\b|US\$|Fr\.|Euros?|euros?)"
TOP = r"(?:com|org|net|de|fr|es|io|co|uk|eu|info|biz|ch|at|mx|ca|us|it|nl|be|example|test|cat|dev|app|ai|cn|shop|ar|cl|lu|pt)"
RUINED = r"^[+-]?\d+([.,]\d+)?[eE]\+?\d+$"
"""What a spreadsheet makes of a long number: 4.47701E+11."""
RANGE = re.compile(
    r"(?:\d[\d.,' ]*\s?(?:-|–|—|to|bis|à|a|hasta)\s?\d[\d.,' ]*\+?|[<>≤≥]\s?\d[\d.,' ]*|\d[\d.,' ]*\+|(?:unter|über|"
    r"mehr als|more than|less than|under|over|más de|menos de|plus de|moins de)\s\d.*)(?: ?[a-zA-Z€$.]+){0,2}"
)
SPAN = re.compile(
    r"(?:\d+(?:[.,]\d+)? ?(?:min|mins|minutes?|minuten|minutos|h|hrs?|hours?|std\.?|stunden?|horas?|heures?|sec|s|m|"
    r"days?|tage?|días?|jours?)\.?\s?)+(?:\d+)?",
    re.IGNORECASE,
)
TAX = re.compile(
    r"(?:(?:AT|BE|CH|CY|CZ|DE|DK|EE|EL|ES|EU|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI|"
    r"CHE)[ -]?[A-Z]{0,2}[\dA-Z](?:[. -]?\d){6,11}[A-Z]?\d{0,2}(?: MWST)?|ATU\d{8}|"
    r"[ABCDEFGHJNPQRSUVW]-?\d{7}-?[\dA-J]|\d{8}-?[A-Z]|\d{2}-\d{7}|[XYZ]\d{7}[A-Z]|\d{3} \d{3} \d{3}(?: \d{5})?|"
    r"\d{2,3}/\d{3,4}/\d{4,5}|[A-Z]{3,4}\d{6}[A-Z\d]{3})"
)
HONORIFIC = re.compile(r"(?:Herrn?|Frau|Mr|Mrs|Ms|Miss|Dr|Sr|Sra|Srta|M|Mme|Mlle|Don|Doña|Prof)\.? [A-ZÄÖÜÀ-Ý]")
NAME_LIKE = re.compile(r"(?:(?:[A-ZÄÖÜÀ-ÞŠŽ][\w'’.-]*|von|van|der|den|de|del|la|las|los|da|di|du|le|y|zu|und|&)(?:,? |$)){1,6}")
PATTERNS: dict[str, str] = {
    "email": r"<?[^\s@<>|,;]+@[^\s@<>|,;]+\.[^\s@<>|,;]+>?(?:[;,] ?[^\s@]+@[^\s@]+)*",
    "url": r"(?:https?://|www\.)\S+",
    "domain": r"(?:https?://)?(?:[a-z0-9-]+\.)+" + TOP + r"(?:/\S*)?",
    "linkedin": r"(?:https?://)?(?:\w+\.)?linkedin\.com/\S+|(?:linkedin\.com)?/?in/\S+",
    "date": DAY,
    "datetime": DAY + r"[T ,]+(?:at |um |à |a las )?" + CLOCK + ZONE + r"(?: Uhr)?",
    "time": CLOCK + r"(?: Uhr)?",
    "integer": r"[+-]?\d+",
    "number": NUMBER,
    "percent": NUMBER + r" ?%",
    "ip": r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}",
    "uuid": r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?",
    "hash": r"(?=[0-9a-f]*\d)[0-9a-f]{16,}|\$2[aby]\$.{10,}",
    "json": r"[\[{].*[\]}]",
    "path": r"(?:/[\w.-]+){2,}|[\w() -]+\.(?:png|jpe?g|gif|pdf|docx?|xlsx?|webp|svg|eml|zip|mp3|mp4)|https?://\S+\.(?:png|jpe?g|gif|pdf|webp|svg)",
    "user_agent": r"Mozilla/.+|(?:Chrome|Firefox|Safari|Edge|Opera)(?:[ /][\d.]+)?",
    "colour": r"#[0-9A-Fa-f]{6}",
    "stamp": r"1[5-7]\d{8}(?:\d{3})?|20\d{12}",
    "coordinate": r"-?\d{1,3}\.\d{4,}(?:, ?-?\d{1,3}\.\d{4,})?",
    "emoji": r":\w+:|[\U0001f300-\U0001faff\u2600-\u27bf]+",
    "initials": r"[A-Z]{2,3}|[A-Z]\. ?[A-Z]\.",
}  # fmt: skip
COMPILED = {
    kind: re.compile(pattern, re.IGNORECASE if kind in ("url", "domain", "linkedin", "date", "datetime", "hash") else 0)
    for kind, pattern in PATTERNS.items()
}
MONEY = re.compile(
    rf"{SIGN} ?{NUMBER}|{NUMBER} ?{SIGN}|{NUMBER} ?(?:k|K|M|Mio\.?|mill?\.?|m)(?: ?{SIGN})?|{SIGN} ?{NUMBER} ?(?:k|K|M|Mio\.?|m)"
)
DECIMALS = re.compile(r"[+-]?[\d.,' ]*\d[.,]\d{2}")
GROUPED = re.compile(r"\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+")
POSTAL = re.compile(
    r"\d{4,5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|(?:[A-Z]{1,2}-)\d{4,5}|"
    r"\d{4} ?[A-Z]{2}|\d{2}-\d{3}|\d{3} \d{2}"
)
PHONE = re.compile(r"(?:tel\.?:? ?)?(?:\+|00)?[\d(][\d\s().\-/\u00a0]{5,20}\d(?: ?(?:x|ext\.?|-|Durchwahl|poste) ?\d{1,5})?", re.IGNORECASE)
MOBILE = re.compile(
    r"(?:\+|00)(?:49 ?\(?0?\)? ?1[5-7]|44 ?\(?0?\)? ?7|33 ?\(?0?\)? ?[67]|34 ?[67]|43 ?6|41 ?7[4-9]|52 ?1)|"
    r"0[67] ?\d{2}|01[5-7]\d|07\d{3}|[67]\d{2} ?\d{2,3} ?\d{2,3}|06[ .-]\d{2}|07[ .-]\d{2}"
)
STREET_END = re.compile(
    r"(?:str\.?|straße|strasse|weg|platz|gasse|allee|ring|damm|ufer|markt|steig|stieg|hof|berg|graben|chaussee|zeile|pfad|park|wall)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"(?=[^a-z ]*[\d])(?=\S*[A-Za-z])[A-Za-z0-9]+(?:[-_./:#+][A-Za-z0-9]+)*|\d+(?:[-_./]\d+)+|[A-Z]{2,}(?:[-_][A-Z]+)+")
LISTED = re.compile(r"[;|]|, ?")
WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*")


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text; `S.L.` is one."""
    return re.findall(r"[^\W_]+(?:-[^\W_]+)*", re.sub(r"\b([a-z])\.(?=[a-z]\b|\s|$)", r"\1", folded))


def is_name_like(value: str) -> bool:
    """Whether every word begins with a capital letter or is a particle, and no digit is in it."""
    return len(value) <= 60 and not any(char.isdigit() for char in value) and NAME_LIKE.fullmatch(value) is not None


def year_of(value: str) -> int | None:
    """Return the year of four digits that a date holds."""
    found = re.search(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)", value)
    return int(found.group()) if found else None


def of_text(value: str) -> dict[str, float]:
    """Return the kinds that a value is like by its shape."""
    found = {kind: 1.0 for kind, pattern in COMPILED.items() if pattern.fullmatch(value)}
    for judge in (_of_numbers, _of_phones, _of_codes, _of_prose):
        found.update(judge(value, found))
    if "url" in found and "email" in found:
        found.pop("url")
    return found


def _of_numbers(value: str, found: dict[str, float]) -> dict[str, float]:
    made: dict[str, float] = {}
    if "datetime" in found:
        made["date"] = 0.4
    if MONEY.fullmatch(value):
        made["money"] = 1.0
    elif "number" in found:
        made["money"] = 0.9 if DECIMALS.fullmatch(value) else 0.7 if GROUPED.fullmatch(value) or re.fullmatch(r"\d+00", value) else 0.45
    if RANGE.fullmatch(value) and "date" not in found:
        made["range"] = 1.0
    if SPAN.fullmatch(value):
        made["duration"] = 1.0
    elif "integer" in found and value.isdigit() and int(value) <= 600:
        made["duration"] = 0.8 if int(value) % 5 == 0 and int(value) else 0.5
    elif "time" in found or re.fullmatch(r"\d[.,]\d{1,2}", value):
        made["duration"] = 0.7
    return made


def _of_phones(value: str, found: dict[str, float]) -> dict[str, float]:
    made: dict[str, float] = {}
    digits = sum(char.isdigit() for char in value)
    if POSTAL.fullmatch(value):
        made["postal_code"] = 1.0 if not value.isdigit() or len(value) == 5 else 0.6
    if not PHONE.fullmatch(value) or not 7 <= digits <= 16 or found.keys() & {"date", "datetime", "ip", "percent"}:
        return made
    is_spaced = value[0] in "+0(" or len(re.findall(r"[\s()./-]", value)) >= 2
    made["phone"] = 1.0 if is_spaced and not DECIMALS.fullmatch(value) else 0.4
    if "tax_id" not in made and MOBILE.match(value):
        made["mobile"] = made["phone"]
    return made


def _of_codes(value: str, found: dict[str, float]) -> dict[str, float]:
    made: dict[str, float] = {}
    if TAX.fullmatch(value):
        made["tax_id"] = 1.0 if value[0].isalpha() or "-" in value else 0.7
    if CODE.fullmatch(value) and not found.keys() & {
        "email",
        "url",
        "domain",
        "date",
        "datetime",
        "time",
        "uuid",
        "hash",
        "stamp",
        "percent",
    }:
        made["code"] = 1.0
    if "integer" in found and value.isdigit() and len(value) >= 4:
        made["code"] = max(made.get("code", 0.0), 0.5)
    if _is_street(value) and not found.keys() & {"url", "email", "datetime", "date"}:
        made["street"] = 1.0
    return made


def _is_street(value: str) -> bool:
    """Whether a value has a house number beside words, or a word that ends like a street's name."""
    has_number = re.search(r"(?:^|\s|,)\d{1,5} ?[a-zA-Z]?(?:$|[\s,/-])", value) is not None
    worded = len([word for word in WORD.findall(value) if len(word) > 2]) >= 1
    if has_number and worded and STREET_END.search(value):
        return True
    return has_number and worded and STREET_WORDS.search(value) is not None


STREET_WORDS = re.compile(
    r"(?:^|\s)(?:street|st|road|rd|avenue|ave|av|lane|ln|drive|dr|blvd|way|square|sq|court|ct|place|pl|calle|c|avda|"
    r"avenida|paseo|plaza|camino|ronda|carrera|rue|chemin|impasse|quai|allée|allee|boulevard|cours|route|close|"
    r"crescent|terrace|row|park|am|an|im|gran|vía|cl|po box|suite|pkwy|parkway|hwy|highway|zi|za|ctra|mews|grove|"
    r"hill|walk|yard|alley|zum|zur|unter|auf|carrer|passeig|travesía|polígono|postfach|apartado|bp)\b[./]?",
    re.IGNORECASE,
)


def _of_prose(value: str, found: dict[str, float]) -> dict[str, float]:
    words = WORD.findall(value)
    if not words or found.keys() & {"email", "url", "domain", "datetime", "date", "uuid", "hash", "json", "phone", "money"}:
        return {}
    made: dict[str, float] = {}
    letters = sum(char.isalpha() or char.isspace() for char in value) / len(value)
    if len(words) <= 5 and letters > 0.6:
        made["words"] = 1.0
    if len(words) >= 3:
        lower = sum(word[0].islower() for word in words[1:]) / (len(words) - 1)
        made["sentence"] = min(1.0, (len(words) - 1) / 4) * (0.4 + 0.6 * lower)
        made["title"] = 0.6
    if len(value) > 80 or len(words) > 12:
        made["long_text"] = 1.0
    parts = [part for part in LISTED.split(value) if part.strip()]
    if len(parts) >= 2 and all(len(part.split()) <= 3 for part in parts):
        made["list"] = 1.0 if ";" in value or "|" in value else 0.8
    return made

"""How dates, amounts, numbers, telephones and yes/no are written in English, German, Spanish and French.

Belongs here: patterns over lower-cased, trimmed cells, wider than what is read. Not here: which of them a column is (types), the words
themselves and what the loader reads (spec.reading_words, spec.rules_read).
"""

from __future__ import annotations

from crm_pipelines.spec.reading_words import CURRENCY_WORDS, MONTHS, WEEKDAYS, YES_NO_PAIRS, one_of

MONTH, WEEKDAY = one_of(tuple(MONTHS)), one_of(WEEKDAYS)
YES_NO = tuple(dict.fromkeys(word for pair in YES_NO_PAIRS for word in pair))
YES_OR_NO_ALONE = tuple(word for word in YES_NO if (len(word) > 2 and word not in ("aus", "off")) or word in ("ja", "no", "sí", "si"))
"""Words that mean yes or no without the other one beside them."""
SEPARATORS = ("|", ";", ",")

_MONTH = rf"(?:{MONTH})\.?"
_WEEKDAY = rf"(?:{WEEKDAY}\.?,?\s+)?"
_Y, _M, _D = r"\d{4}", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_YY = r"(?:\d{4}|'?\d{2})"
_NUMERIC = "|".join(
    rf"(?:{_D}{mark}{_M}|{_M}{mark}{_D}){mark}{_YY}|{_Y}{mark}{_M}{mark}{_D}" for mark in (r"\s?-\s?", r"\s?/\s?", r"\s?\.\s?")
)
_NAMED = (
    rf"{_WEEKDAY}{_D}(?:\.|st|nd|rd|th|er|º)?(?:\s+|-)(?:de\s+|of\s+)?{_MONTH}(?:,?\s+|-)(?:de\s+|del\s+)?{_YY}"
    rf"|{_WEEKDAY}{_MONTH}\s+{_D}(?:st|nd|rd|th)?,?\s+{_Y}"
)
_DATE = rf"(?:{_NUMERIC}|{_NAMED}|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
_TIME = r"(?:[01]?\d|2[0-3])(?:[:h][0-5]\d)(?::[0-5]\d(?:\.\d{1,9})?)?(?:\s*[ap]\.?\s?m\.?)?(?:\s*uhr)?(?:\s*(?:z|utc|gmt|[+-]\d\d:?\d\d))?"

DATE = rf"^{_DATE}$"
DATETIME = rf"^{_DATE}(?:t|,?\s+(?:at\s+|um\s+|à\s+)?){_TIME}$"
NUMERIC_DAY = r"^(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?'?\d{2,4}"

_SPACE = "[ \u00a0\u202f]"
_AMOUNT = rf"(?:\d{{1,3}}(?:(?:,|\.|'|’|{_SPACE})\d{{3}})+(?:[.,]\d{{1,4}})?|\d+(?:[.,]\d{{1,4}})?)(?:,?[-–]{{1,2}})?"
_CURRENCY = rf"(?:\p{{Sc}}|{one_of(CURRENCY_WORDS)})"
_SIGN = r"[+\-−(]?\s?"
MONEY = rf"^{_SIGN}(?:{_CURRENCY}{_SPACE}?{_SIGN}{_AMOUNT}|{_AMOUNT}{_SPACE}?{_CURRENCY})\)?$"
NUMBER = rf"^[+\-−]?(?:\d{{1,3}}(?:(?:,|\.|'|’|{_SPACE})\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|[.,]\d+){_SPACE}?%?$"
NUMBERED_NAME = r"^(?:0\d+|\d{10,})$"
"""Digits that nobody adds up: leading zeros, ten digits and more."""

PHONE = r"^(?:tel\.?:?\s*)?\+?[\d\s().\-/\u00a0]{7,24}(?:\s*(?:x|ext\.?)\s*\d{1,6})?$"
PHONE_ONLY = r"^(?:tel|\+|0[1-9]|00[1-9]\d{8}|\()|\d[\s.\-/)]+\d+[\s.\-/)]+\d"
URL = r"^(?:https?://|www\.)\S+\.\S+$|^[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.(?:com|org|net|io|co|de|fr|es|eu|uk|info|biz|app|shop)(?:/\S*)?$"
CODE = r"^[a-z0-9_\-:.#/]+$"
NETWORK_ADDRESS = r"^\d{1,3}(?:\.\d{1,3}){3}$|^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}$"
NO_OPTION = r"[\r\n@]|://|\d{5}"
"""What no choice holds: line ends, addresses, long numbers. Such words are not shown to anybody."""

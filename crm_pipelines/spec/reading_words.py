"""The words that dates, amounts and answers are written with in English, German, Spanish and French.

Belongs here: tables, shared by the rules that read text (rules_read) and by discovery, which recognises what they read. Not here: rules.
"""

from __future__ import annotations

import re

from crm_pipelines.spec.currencies import CODES

YES_NO_PAIRS = (
    ("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("on", "off"), ("1", "0"), ("checked", "unchecked"),
    ("ja", "nein"), ("j", "n"), ("wahr", "falsch"), ("an", "aus"),
    ("sí", "no"), ("si", "no"), ("s", "n"), ("verdadero", "falso"), ("oui", "non"), ("vrai", "faux"),
)  # fmt: skip
"""Answer that means yes, and the one beside it that means no. A lone `o` is none: it is a cross's opposite as often as `oui`."""
YES = (*dict.fromkeys(yes for yes, _ in YES_NO_PAIRS), "x")
NO = tuple(dict.fromkeys(no for _, no in YES_NO_PAIRS))

_MONTHS = (
    "january jan januar jänner enero ene janvier janv",
    "february feb februar febrero février fevrier févr fevr",
    "march mar märz mär marzo mars",
    "april apr abril abr avril avr",
    "may mai mayo",
    "june jun juni junio juin",
    "july jul juli julio juillet juil",
    "august aug agosto ago août aout",
    "september sep sept septiembre setiembre septembre",
    "october oct oktober okt octubre octobre",
    "november nov noviembre novembre",
    "december dec dezember dez diciembre dic décembre decembre déc",
)
MONTHS = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun",
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so",
    "lunes martes miércoles miercoles jueves viernes sábado sabado domingo lun mar mié mie jue vie sáb sab dom",
    "lundi mardi mercredi jeudi vendredi samedi dimanche mer jeu ven sam dim",
)
WEEKDAYS = tuple(word for words in _WEEKDAYS for word in words.split())

_SIGNS = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "us$": "USD", "ca$": "CAD", "a$": "AUD", "au$": "AUD", "nz$": "NZD",
    "mx$": "MXN", "hk$": "HKD", "r$": "BRL", "fr.": "CHF", "sfr": "CHF", "sfr.": "CHF", "zł": "PLN", "₹": "INR", "₽": "RUB", "₺": "TRY",
    "₪": "ILS", "₩": "KRW", "₴": "UAH",
}  # fmt: skip
_SHARED = {
    "$": frozenset(["USD", "CAD", "AUD", "NZD", "MXN", "SGD", "HKD", "ARS", "CLP", "COP"]),
    "dollar": frozenset(["USD", "CAD", "AUD", "NZD", "SGD", "HKD"]),
    "dollars": frozenset(["USD", "CAD", "AUD", "NZD", "SGD", "HKD"]),
    "pound": frozenset({"GBP"}),
    "pounds": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
    "kr.": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
"""Signs that several currencies have."""
_COMMON = "USD EUR GBP CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF MXN BRL ARS CLP COP INR JPY CNY SGD HKD ZAR AED ILS RUB"  # `TRY 3` is a word
CURRENCY_WORDS = (*_SIGNS, *_SHARED, *(code.lower() for code in _COMMON.split()))
"""What an amount's currency is recognised by, in small letters."""


def one_of(words: tuple[str, ...]) -> str:
    """Return a pattern that holds for any of these words, the longest first."""
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))})"


def named_by(currency: str) -> tuple[str, ...]:
    """Return the signs and codes, in small letters, that an amount in a currency may carry; a sign stands for itself."""
    if currency.upper() not in CODES:
        return (currency.lower(),)
    code = currency.upper()
    shared = (sign for sign, codes in _SHARED.items() if code in codes)
    return (code.lower(), *(sign for sign, each in _SIGNS.items() if each == code), *shared)


def currency_of(words: set[str]) -> str:
    """Return the one currency that all these signs and codes can mean: its code, or a sign where nothing says which; else nothing."""
    if not words:
        return ""
    codes = {_SIGNS.get(word) or word.upper() for word in words if word not in _SHARED}
    if not codes:
        return min(words) if len(words) == 1 else ""
    code = min(codes)
    return code if len(codes) == 1 and words <= set(named_by(code)) else ""

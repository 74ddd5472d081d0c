"""English country names and the usual other ways to write them, with their ISO 3166 codes.

Belongs here: the table and its look-up. Not here: calling codes and number plans (the phonenumbers library).
Source: tz database iso3166.tab and phonenumbers geodata (both read 2026-11), plus common short forms.
"""

from __future__ import annotations

import re
from functools import cache

NAMES = """
AD Andorra
AE United Arab Emirates|UAE
AF Afghanistan
AG Antigua & Barbuda|Antigua and Barbuda
AI Anguilla
AL Albania
AM Armenia
AO Angola
AQ Antarctica
AR Argentina
AS American Samoa
AT Austria|Österreich
AU Australia
AW Aruba
AX Åland Islands
AZ Azerbaijan
BA Bosnia & Herzegovina|Bosnia and Herzegovina
BB Barbados
BD Bangladesh
BE Belgium
BF Burkina Faso
BG Bulgaria
BH Bahrain
BI Burundi
BJ Benin
BL St Barthelemy|Saint Barthélemy
BM Bermuda
BN Brunei|Brunei Darussalam
BO Bolivia|Plurinational State of Bolivia
BQ Caribbean NL|Bonaire, Sint Eustatius and Saba
BR Brazil|Brasil
BS Bahamas
BT Bhutan
BV Bouvet Island
BW Botswana
BY Belarus
BZ Belize
CA Canada
CC Cocos (Keeling) Islands|Cocos Islands
CD DR Congo|The Democratic Republic Of Congo|Democratic Republic of the Congo
CF Central African Rep.|Central African Republic
CG Congo|Republic of the Congo
CH Switzerland|Schweiz|Suisse
CI Côte d’Ivoire|Côte d'Ivoire|Ivory Coast
CK Cook Islands
CL Chile
CM Cameroon
CN China
CO Colombia
CR Costa Rica
CU Cuba
CV Cape Verde|Cabo Verde
CW Curaçao
CX Christmas Island
CY Cyprus
CZ Czech Republic|Czechia
DE Germany|Deutschland
DJ Djibouti
DK Denmark
DM Dominica
DO Dominican Republic
DZ Algeria
EC Ecuador
EE Estonia
EG Egypt
EH Western Sahara
ER Eritrea
ES Spain|España
ET Ethiopia
FI Finland
FJ Fiji
FK Falkland Islands
FM Micronesia
FO Faroe Islands
FR France|République française
GA Gabon
GB United Kingdom|Britain|UK|U.K.|Great Britain|England|Scotland|Wales|Northern Ireland|GBR
GD Grenada
GE Georgia
GF French Guiana
GG Guernsey
GH Ghana
GI Gibraltar
GL Greenland
GM Gambia
GN Guinea
GP Guadeloupe
GQ Equatorial Guinea
GR Greece
GS South Georgia & the South Sandwich Islands|South Georgia And The South Sandwich Islands
GT Guatemala
GU Guam
GW Guinea-Bissau
GY Guyana
HK Hong Kong|Hong Kong SAR
HM Heard Island & McDonald Islands|Heard Island And McDonald Islands
HN Honduras
HR Croatia
HT Haiti
HU Hungary
ID Indonesia
IE Ireland|Republic of Ireland
IL Israel
IM Isle of Man
IN India
IO British Indian Ocean Territory
IQ Iraq
IR Iran|Islamic Republic of Iran
IS Iceland
IT Italy|Italia
JE Jersey
JM Jamaica
JO Jordan
JP Japan
KE Kenya
KG Kyrgyzstan
KH Cambodia
KI Kiribati
KM Comoros
KN St Kitts & Nevis|Saint Kitts And Nevis
KP Korea (North)|North Korea
KR Korea (South)|South Korea|Korea, Republic of|Republic of Korea
KW Kuwait
KY Cayman Islands
KZ Kazakhstan
LA Laos|Lao People's Democratic Republic
LB Lebanon
LC St Lucia|Saint Lucia
LI Liechtenstein
LK Sri Lanka
LR Liberia
LS Lesotho
LT Lithuania
LU Luxembourg
LV Latvia
LY Libya
MA Morocco
MC Monaco
MD Moldova|Republic of Moldova
ME Montenegro
MF Saint Martin
MG Madagascar
MH Marshall Islands
MK North Macedonia|Macedonia
ML Mali
MM Myanmar (Burma)|Myanmar|Burma
MN Mongolia
MO Macau|Macao
MP Northern Mariana Islands
MQ Martinique
MR Mauritania
MS Montserrat
MT Malta
MU Mauritius
MV Maldives
MW Malawi
MX Mexico|México
MY Malaysia
MZ Mozambique
NA Namibia
NC New Caledonia
NE Niger
NF Norfolk Island
NG Nigeria
NI Nicaragua
NL Netherlands|Holland|The Netherlands
NO Norway
NP Nepal
NR Nauru
NU Niue
NZ New Zealand
OM Oman
PA Panama
PE Peru
PF French Polynesia
PG Papua New Guinea
PH Philippines
PK Pakistan
PL Poland
PM St Pierre & Miquelon|Saint Pierre And Miquelon
PN Pitcairn
PR Puerto Rico
PS Palestine|State of Palestine
PT Portugal
PW Palau
PY Paraguay
QA Qatar
RE Réunion|Reunion
RO Romania
RS Serbia
RU Russia|Russian Federation
RW Rwanda
SA Saudi Arabia
SB Solomon Islands
SC Seychelles
SD Sudan
SE Sweden
SG Singapore
SH St Helena|Saint Helena
SI Slovenia
SJ Svalbard & Jan Mayen|Svalbard And Jan Mayen
SK Slovakia
SL Sierra Leone
SM San Marino
SN Senegal
SO Somalia
SR Suriname
SS South Sudan
ST Sao Tome & Principe|Sao Tome And Principe
SV El Salvador
SX St Maarten|Sint Maarten
SY Syria|Syrian Arab Republic
SZ Eswatini (Swaziland)|Swaziland|Eswatini
TC Turks & Caicos Is|Turks And Caicos Islands
TD Chad
TF French S. Terr.|French Southern Territories
TG Togo
TH Thailand
TJ Tajikistan
TK Tokelau
TL East Timor|Timor-Leste
TM Turkmenistan
TN Tunisia
TO Tonga
TR Turkey|Türkiye
TT Trinidad & Tobago|Trinidad and Tobago
TV Tuvalu
TW Taiwan|Republic of China
TZ Tanzania|United Republic of Tanzania
UA Ukraine
UG Uganda
UM US minor outlying islands|United States Minor Outlying Islands
US United States|USA|U.S.|U.S.A.|United States of America|America
UY Uruguay
UZ Uzbekistan
VA Vatican City|Vatican|Holy See
VC St Vincent|Saint Vincent And The Grenadines
VE Venezuela|Bolivarian Republic of Venezuela
VG UK Virgin Islands|British Virgin Islands
VI US Virgin Islands|U.S. Virgin Islands
VN Vietnam|Viet Nam
VU Vanuatu
WF Wallis & Futuna|Wallis And Futuna
WS Samoa|Western Samoa
YE Yemen
YT Mayotte
ZA South Africa
ZM Zambia
ZW Zimbabwe
"""


def country_code(name: str | None) -> str | None:
    """Return the two-letter code of a country written as code or name, in any case; None when it is not known."""
    return _codes().get(_folded(name)) if name else None


def _folded(name: str) -> str:
    return re.sub(r"[\s.,]+", " ", name).strip().casefold().removeprefix("the ")


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for line in NAMES.strip().splitlines():
        code, names = line.split(" ", 1)
        for name in (code, *names.split("|")):
            codes[_folded(name)] = code
    return codes

"""What single values look like that tell who somebody is: national ids, cards, addresses, names, delicate words.

Where a number has a check digit it is checked, so that a product code or an order number is not taken for one. Nothing
here keeps or shows a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from segmentry.data.vocabulary import words_in
from segmentry.texts.personal import GIVEN_NAMES

_BLANKS = str.maketrans("", "", " .-/\u00a0")


def _plain(text: str) -> str:
    return text.translate(_BLANKS).upper()


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """Whether digits pass the check of ISO/IEC 7812-1, annex B."""
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


# Which numbers the networks issue: first digits and lengths. An IMEI passes the same check and is none of these.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|4[4-9]\d|5\d\d|2\d\d|0\d\d|3\d\d|7\d\d)\d{12,15}"
)


def is_issued_card(text: str) -> bool:
    """Whether a text is a number that a payment card network issues.

    >>> is_issued_card("4111 1111 1111 1111"), is_issued_card("490154203237518"), is_issued_card("4111111111111112")
    (True, False, False)
    """
    digits = text.replace(" ", "").replace("-", "")
    return _ISSUED.fullmatch(digits) is not None and luhn(digits)


def is_ssn(text: str) -> bool:
    """A social security number of the USA, written with its hyphens: without them nine digits are anything.

    >>> is_ssn("536-22-1874"), is_ssn("666-22-1874"), is_ssn("536221874")
    (True, False, False)
    """
    return re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", text.strip()) is not None


def is_nino(text: str) -> bool:
    """A National Insurance number of the United Kingdom.

    >>> is_nino("AB 12 34 56 C"), is_nino("GB123456C"), is_nino("AB123456X")
    (True, False, False)
    """
    pattern = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]"
    return re.fullmatch(pattern, _plain(text)) is not None


def is_german_tax_id(text: str) -> bool:
    """An identification number for tax of Germany: one digit of the first ten repeats; check by ISO 7064, MOD 11,10.

    >>> is_german_tax_id("86095742719"), is_german_tax_id("86095742718"), is_german_tax_id("12345678901")
    (True, False, False)
    """
    digits = _plain(text)
    if not re.fullmatch(r"[1-9]\d{10}", digits):
        return False
    counts = sorted(digits[:10].count(d) for d in set(digits[:10]))
    if counts[-1] not in (2, 3) or counts.count(counts[-1]) > 1 or (len(counts) > 1 and counts[-2] > 1):
        return False
    product = 10
    for d in digits[:10]:
        total = (int(d) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(digits[10])


def is_nir(text: str) -> bool:
    """A French NIR (INSEE, social security) with its key.

    >>> is_nir("2 55 08 14 168 025 38"), is_nir("255081416802539")
    (True, False)
    """
    plain = _plain(text)
    if not re.fullmatch(r"[12]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{8}", plain):
        return False
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(plain[13:])


def is_dni(text: str) -> bool:
    """A Spanish DNI or NIE with its letter.

    >>> is_dni("12345678Z"), is_dni("X-1234567-L"), is_dni("12345678A")
    (True, True, False)
    """
    plain = _plain(text)
    if not re.fullmatch(r"[XYZ\d]\d{7}[A-Z]", plain):
        return False
    number = plain[:8].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[8]


_ODD = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)) | dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def is_codice_fiscale(text: str) -> bool:
    """An Italian codice fiscale with its check letter (DM 23/12/1976).

    >>> is_codice_fiscale("RSSMRA85T10A562S"), is_codice_fiscale("RSSMRA85T10A562T")
    (True, False)
    """
    plain = _plain(text)
    if not re.fullmatch(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPR-T][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]", plain):
        return False
    total = sum(
        _ODD[c] if i % 2 == 0 else (int(c) if c.isdigit() else ord(c) - ord("A")) for i, c in enumerate(plain[:15])
    )
    return chr(ord("A") + total % 26) == plain[15]


def is_bsn(text: str) -> bool:
    """A Dutch burgerservicenummer (the eleven test).

    >>> is_bsn("111222333"), is_bsn("111222334")
    (True, False)
    """
    digits = _plain(text)
    return re.fullmatch(r"\d{9}", digits) is not None and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_ahv(text: str) -> bool:
    """A Swiss AHV number.

    >>> is_ahv("756.9217.0769.85"), is_ahv("756.9217.0769.84")
    (True, False)
    """
    digits = _plain(text)
    return re.fullmatch(r"756\d{10}", digits) is not None and _weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def is_pesel(text: str) -> bool:
    """A Polish PESEL.

    >>> is_pesel("44051401359"), is_pesel("44051401358")
    (True, False)
    """
    digits = _plain(text)
    right = re.fullmatch(r"\d{2}(?:[02468][1-9]|[13579][0-2])[0-3]\d{6}", digits) is not None
    return right and _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_personnummer(text: str) -> bool:
    """A Swedish personnummer, written with its sign.

    >>> is_personnummer("811228-9874"), is_personnummer("811228-9873"), is_personnummer("8112289874")
    (True, False, False)
    """
    match = re.fullmatch(r"(?:\d{2})?(\d{2}(?:0[1-9]|1[0-2])[0-3]\d)[-+](\d{4})", text.strip())
    return match is not None and luhn(match[1] + match[2])


def is_cpf(text: str) -> bool:
    """A Brazilian CPF.

    >>> is_cpf("111.444.777-35"), is_cpf("111.444.777-34"), is_cpf("111.111.111-11")
    (True, False, False)
    """
    digits = _plain(text)
    if not re.fullmatch(r"\d{11}", digits) or len(set(digits)) == 1:
        return False
    checks = (_weighted(digits, range(n, 1, -1)) * 10 % 11 % 10 for n in (10, 11))
    return all(check == int(digits[at]) for check, at in zip(checks, (9, 10), strict=True))


# What, test, and the share of the values that must pass: one in ten or eleven numbers passes a check digit by chance,
# so nearly all must; a pattern with letters is passed by nothing else.
NATIONAL: tuple[tuple[str, Callable[[str], bool], float], ...] = (
    ("US social security numbers", is_ssn, 0.9),
    ("UK National Insurance numbers", is_nino, 0.95),
    ("German tax ids", is_german_tax_id, 0.9),
    ("French NIR numbers", is_nir, 0.8),
    ("Spanish DNI numbers", is_dni, 0.8),
    ("Italian tax codes", is_codice_fiscale, 0.8),
    ("Dutch BSN numbers", is_bsn, 0.95),
    ("Swiss AHV numbers", is_ahv, 0.9),
    ("Polish PESEL numbers", is_pesel, 0.95),
    ("Swedish personal numbers", is_personnummer, 0.9),
    ("Brazilian CPF numbers", is_cpf, 0.95),
)

_ADDRESS = re.compile(
    r"\d+\s?[a-z]?,?\s+(?:[\w.'’-]+\s+){1,4}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|ct|crescent|"
    r"terrace|boulevard|blvd|way|gardens|grove|square|circuit|place)\b\.?"
    r"|[\w.\s-]+(?:straße|strasse|str\.|weg|platz|gasse|allee|ufer|straat|laan|gracht)\s*\d+\s?[a-z]?\b"
    r"|\d+(?:\s?bis|\s?ter)?,?\s+(?:rue|avenue|boulevard|chemin|impasse|allée|quai|place)\s"
    r"|(?:calle|c/|avenida|avda\.?|plaza|paseo|via|viale|piazza|corso)\s+[\w\s.'’-]+,?\s*(?:n[º°.]\s*)?\d+",
    re.IGNORECASE,
)
_PAIR = re.compile(r"[([]?\s*(-?\d{1,2}\.\d{3,})\s*[,;\s]\s*(-?\d{1,3}\.\d{3,})\s*[)\]]?")
_CALL = re.compile(
    r"(?:\b(?:tel|telephone|phone|mobile|mob|cell|call|ring|fax|handy|telefon|anrufen|téléphone|appeler|móvil|llamar)\b"
    r"[^\d+]{0,20}|(?<![\w+])\+)\(?\d[\d\s().\-/]{7,16}\d",
    re.IGNORECASE,
)


def is_address(text: str) -> bool:
    """A street with a number.

    >>> is_address("12 Old Mill Lane, Hull"), is_address("Lange Straße 5"), is_address("8, rue de la Paix")
    (True, True, True)
    >>> is_address("3 way connector"), is_address("SET OF 12 PENCILS")
    (False, False)
    """
    return _ADDRESS.match(text.strip()) is not None


def is_pair_of_coordinates(text: str) -> bool:
    """Latitude and longitude in one text.

    >>> is_pair_of_coordinates("51.5074, -0.1278"), is_pair_of_coordinates("151.5, 2")
    (True, False)
    """
    match = _PAIR.fullmatch(text.strip())
    return match is not None and abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180


def contains_phone(text: str) -> bool:
    """Whether a phone number stands inside a text: after a word that says so, or with its country code.

    >>> contains_phone("please call 0171 234 5678"), contains_phone("order 0171 234 5678 is late")
    (True, False)
    """
    return _CALL.search(text) is not None


def is_full_name(text: str) -> bool:
    """A frequent given name and one or two more words, or the other way round with a comma.

    >>> is_full_name("Emma Brown"), is_full_name("Brown, Emma"), is_full_name("Emma"), is_full_name("JUMBO BAG RED")
    (True, True, False, False)
    """
    last, comma, first = text.partition(",")
    words = (f"{first} {last}" if comma else text).split()
    if not 2 <= len(words) <= 4 or any(c.isdigit() for c in text):
        return False
    return words[0].lower() in GIVEN_NAMES and all(w[:1].isalpha() for w in words)


_DELICATE: dict[str, frozenset[str]] = {
    "religion": words_in(
        """christian christianity catholic protestant evangelical orthodox muslim islam jewish judaism hindu hinduism
        buddhist buddhism sikh sikhism atheist agnostic katholisch evangelisch konfessionslos muslimisch jüdisch
        catholique protestant musulman juif bouddhiste católico musulmán judío cattolico ebraico musulmano"""
    ),
    "politics": words_in(
        """republican democrat conservative labour liberal libertarian socialist communist tory cdu csu spd afd fdp
        grüne linke socialiste écologiste psoe podemos vox"""
    ),
    "ethnic origin": words_in(
        """caucasian hispanic latino latina african-american asian-american black white asian african arab roma native
        indigenous maori caribbean mixed-race"""
    ),
    "health": words_in(
        """diabetes diabetic asthma cancer hypertension depression arthritis epilepsy hiv dementia pregnant allergy
        migraine stroke obesity anxiety disabled krebs asthme cáncer diabetiker"""
    ),
}
_EMPTY_LEVELS = frozenset(("none", "other", "unknown", "prefer not to say", "no", "n/a", "not stated"))
_AMBIGUOUS = frozenset(("black", "white", "native", "liberal", "conservative", "labour", "mixed-race", "linke", "vox"))


def delicate(levels: Sequence[str]) -> str:
    """What the levels of a category tell that is delicate; empty where nothing.

    Two in three of the levels must be words of one kind, at least two of them words that mean nothing else: black and
    white are also colours.

    >>> delicate(["Catholic", "Muslim", "None"]), delicate(["Black", "White", "Red"]), delicate(["Asian", "Black"])
    ('religion', '', '')
    >>> delicate(["White", "Black", "Asian", "Hispanic"])
    'ethnic origin'
    """
    told = [level.lower() for level in levels if level.lower() not in _EMPTY_LEVELS]
    for kind, words in _DELICATE.items():
        hits = [level for level in told if words & set(re.findall(r"[\w-]+", level))]
        clear = [level for level in hits if (words - _AMBIGUOUS) & set(re.findall(r"[\w-]+", level))]
        if len(clear) >= 2 and len(hits) >= 2 / 3 * len(told):
            return kind
    return ""

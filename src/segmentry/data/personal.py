"""Which columns of a file are personal, and how: by what they are called and by what their values look like.

The classes are those of :class:`segmentry.columns.Pii`. What a column holds is only ever named ("e-mail addresses");
its values appear in no result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from segmentry.columns import Pii
from segmentry.data import personal_values as values
from segmentry.data.profiling import ColumnProfile, Form, contains_email
from segmentry.data.vocabulary import concept_of, has_word, name_score, words_of
from segmentry.tables import TABLES


@dataclass(frozen=True)
class Personal:
    """How personal a column is, and what it seems to hold."""

    pii: Pii
    holds: str
    why: str = ""  # what says so: its name, its values, what it was recognised as


# Phrases in a column's name, in six languages where they differ. Sensitive: GDPR article 9, and what people expect to
# be kept.
_NAMED: tuple[tuple[Pii, str, str], ...] = (
    (
        Pii.DIRECT,
        "a national id",
        """ssn, social security, soc sec, national id, nat id, nino, national insurance, tax id, tin number, passport,
        driver license, drivers license, driving licence, identity card, id card, personalausweis, ausweisnummer,
        steuer id, steuernummer, sozialversicherung, sv nummer, ahv nummer, numero securite sociale, securite sociale,
        insee, dni, nif, curp, rfc, bsn, burgerservicenummer, codice fiscale, cpf""",
    ),
    (
        Pii.DIRECT,
        "bank or card numbers",
        """iban, bank account, account iban, card number, credit card number, cc number, creditcard number, pan,
        kreditkartennummer, kartennummer, numero carte, numero tarjeta, kaartnummer, numero carta""",
    ),
    (
        Pii.DIRECT,
        "names of staff",
        """sales agent, salesperson, sales person, sales rep, sales representative, account manager, account owner,
        owner, agent, account executive, assigned to, created by, consultant, advisor, adviser, employee name,
        seller name, betreuer, bearbeiter, sachbearbeiter, ansprechpartner, verkaufer, vertriebsmitarbeiter,
        commercial name, nom vendeur, vendeur, vendedor, verkoper, venditore, manager, manager name""",
    ),
    (Pii.DIRECT, "passwords or keys", "password, passwd, pwd, passwort, mot passe, contrasena, wachtwoord, secret"),
    (Pii.DIRECT, "names or handles", "user name, username, nickname, handle, twitter, instagram, facebook, linkedin"),
    (Pii.DIRECT, "names", "middle name, maiden name, mother name, second name, zweiter vorname, geburtsname"),
    (Pii.DIRECT, "addresses", "address 2, address line, house number, street number, po box, hausnummer, huisnummer"),
    (
        Pii.SENSITIVE,
        "health",
        """health, disease, diagnosis, medical, disability, diabetic, pregnant, blood type, smoker, gesundheit,
        krankheit, behinderung, sante, maladie, handicap, salud, enfermedad, gezondheid, ziekte, salute, malattia""",
    ),
    (
        Pii.SENSITIVE,
        "beliefs or origin",
        """religion, religious, ethnicity, ethnic, race, political, party affiliation, trade union, union member,
        sexual orientation, konfession, glaube, herkunft, ethnie, appartenance politique, etnia, raza, religione,
        godsdienst, etniciteit""",
    ),
    (
        Pii.SENSITIVE,
        "income or credit",
        """income, salary, wage, credit score, credit rating, debt, net worth, gehalt, lohn, einkommen, schufa, salaire,
        revenu foyer, salario, sueldo, ingresos, salaris, inkomen, stipendio, reddito""",
    ),
    (Pii.QUASI, "network addresses", "ip, ip address, ipaddress, ip adresse, adresse ip, direccion ip, indirizzo ip"),
    (Pii.QUASI, "devices", "device id, cookie, cookie id, imei, idfa, gaid, advertising id, user agent, mac address"),
    (
        Pii.QUASI,
        "places of people",
        "lat long, latlong, coordinates, geo, geolocation, geopoint, gps, location lat, koordinaten, coordonnees",
    ),
    (
        Pii.QUASI,
        "the person's situation",
        """married, dependents, number dependents, senior citizen, nationality, family status, partner, verheiratet,
        nationalitat, staatsangehorigkeit, nationalite, marie, nacionalidad, casado, nationaliteit, gehuwd,
        nazionalita, sposato""",
    ),
)


def personal(column: ColumnProfile, mapped: str | None = None) -> Personal | None:
    """How personal a column is; None where nothing says that it is.

    ``mapped`` is the column of the contracts that it was recognised as, ``table.column``.
    """
    by_values = _by_values(column)
    if mapped is None:
        return _stricter(by_values, _by_name(column))
    table, name = mapped.split(".")
    declared = TABLES[table][name]
    if declared.pii is Pii.NONE or (by_values and by_values.pii is Pii.DIRECT):
        return by_values
    return Personal(declared.pii, declared.description.rstrip(".").lower(), f"recognised as {mapped}")


def _stricter(by_values: Personal | None, by_name: Personal | None) -> Personal | None:
    """What the values say, unless the name says something stricter: 'mother's birthday' in a column of ids."""
    if by_values is None or by_name is None:
        return by_values or by_name
    order = (Pii.QUASI, Pii.SENSITIVE, Pii.DIRECT)
    return by_name if order.index(by_name.pii) > order.index(by_values.pii) else by_values


# From which share of its values on a column is taken for what they look like. A tenth of all strings of digits pass the
# Luhn check of card numbers, so nearly all must; the check of an IBAN and the @ of an address are stronger.
_FORMED: tuple[tuple[Form, float, Pii, str], ...] = (
    ("email", 0.5, Pii.DIRECT, "e-mail addresses"),
    ("card", 0.9, Pii.DIRECT, "payment card numbers"),
    ("iban", 0.5, Pii.DIRECT, "bank account numbers (IBAN)"),
    ("phone", 0.8, Pii.DIRECT, "phone numbers"),
    ("ip", 0.8, Pii.QUASI, "network (IP) addresses"),
)
_TOLD: tuple[tuple[Callable[[str], bool], float, Pii, str], ...] = (
    (values.is_address, 0.5, Pii.DIRECT, "street addresses"),
    (values.is_full_name, 0.3, Pii.DIRECT, "names of people"),
    (values.is_pair_of_coordinates, 0.8, Pii.QUASI, "coordinates"),
)
_LEAST = 10  # different values that must pass a check digit, so that a few do not do so by chance
_LOOKED_AT = 40  # values after which a test that none has passed is given up: most columns are nothing of the kind


def _by_values(column: ColumnProfile) -> Personal | None:
    if column.stored in {"time", "boolean"} or not column.values:
        return _birth_dates(column)
    for form, share, pii, holds in _FORMED:
        if column.shares[form] >= share and column.distinct > 1 and _is_really(form, column):
            return Personal(pii, holds, _of_the_values(column.shares[form]))
    for holds, test, share in values.NATIONAL:
        passed = _share(column, test)
        if passed >= share and column.distinct >= _LEAST:
            return Personal(Pii.DIRECT, holds, _of_the_values(passed))
    return _by_text(column) or _birth_dates(column)


def _by_text(column: ColumnProfile) -> Personal | None:
    if column.at_signs and (column.max_length > 60 or any(contains_email(v) for v in column.values)):
        return Personal(Pii.DIRECT, "texts that may contain e-mail addresses", "some do")
    if column.stored != "text" or column.is_number or column.is_time:
        return None
    if column.max_length > 20 and not column.is_category and any(values.contains_phone(v) for v in column.values):
        return Personal(Pii.DIRECT, "texts that may contain phone numbers", "some do")
    for test, share, pii, holds in _TOLD:
        passed = _share(column, test)
        if passed >= share and column.distinct > 1:
            return Personal(pii, holds, _of_the_values(passed))
    kind = values.delicate(column.levels) if column.is_category else ""
    return Personal(Pii.SENSITIVE, kind, "its values say so") if kind else None


def _is_really(form: Form, column: ColumnProfile) -> bool:
    """Not every number that passes is one: cards are issued in known ranges, and versions look like IP addresses."""
    if form == "card":
        return _share(column, values.is_issued_card) >= 0.9
    return form != "ip" or "version" not in words_of(column.name)


def _share(column: ColumnProfile, test: Callable[[str], bool]) -> float:
    first = column.values[:_LOOKED_AT]
    if not any(test(v) for v in first):
        return 0.0
    return sum(1 for v in column.values if test(v)) / len(column.values)


def _of_the_values(share: float) -> str:
    return f"{100 * share:.0f} % of its values"


_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


def _birth_dates(column: ColumnProfile) -> Personal | None:
    """Days without a time of day that spread over decades as people's births do, wherever they stand."""
    if not column.is_time or column.distinct < _LEAST or any(":" in v and "00:00" not in v for v in column.values[:99]):
        return None
    years = sorted(int(match[0]) for v in column.values if (match := _YEAR.search(v)))
    if len(years) < max(_LEAST, len(column.values) // 2):
        return None
    tenth, middle, ninetieth = (years[int(len(years) * q)] for q in (0.1, 0.5, 0.9))
    if any(has_word(column.name, word) for word in ("founded", "established", "built", "published", "released")):
        return None
    # Adults of three generations: no contract, order or sign-up dates are spread like that.
    if ninetieth - tenth >= 25 and 1930 <= middle <= 2000:
        return Personal(Pii.QUASI, "dates of birth", f"they spread over {ninetieth - tenth} years")
    return None


def _by_name(column: ColumnProfile) -> Personal | None:
    for pii, holds, phrases in _NAMED:
        if any(has_word(column.name, phrase) for phrase in phrases.split(",")):
            return Personal(pii, holds, "by its name")
    for declared in TABLES["customers"].columns:
        if declared.pii is Pii.NONE or declared.name in {"customer", "customer_key", "account"}:
            continue
        if name_score(column.name, concept_of("customers", declared.name)) >= 0.7 and _plausible(declared.name, column):
            return Personal(declared.pii, declared.description.rstrip(".").lower(), "by its name")
    return None


def _plausible(name: str, column: ColumnProfile) -> bool:
    """Whether the values fit the name: a 'name' or 'address' that is a number is neither."""
    if name in {"name", "first_name", "last_name", "address"}:
        return not column.is_number or any(word in {"number", "nummer"} for word in words_of(column.name))
    return True

"""Which columns of a file are personal, and how: by what they are called and by what their values look like.

The classes are those of :class:`segmentry.tables.Pii`. What a column holds is only ever named ("e-mail addresses"); its
values appear in no result.
"""

from __future__ import annotations

from dataclasses import dataclass

from segmentry.data.profiling import ColumnProfile, Form, contains_email
from segmentry.data.vocabulary import concept_of, has_word, name_score, words_of
from segmentry.tables import TABLES, Pii


@dataclass(frozen=True)
class Personal:
    """How personal a column is, and what it seems to hold."""

    pii: Pii
    holds: str


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
    (Pii.QUASI, "devices", "device id, cookie, cookie id, idfa, gaid, advertising id, user agent, mac address"),
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
        return by_values or _by_name(column)
    table, name = mapped.split(".")
    declared = TABLES[table][name]
    if declared.pii is Pii.NONE or (by_values and by_values.pii is Pii.DIRECT):
        return by_values
    return Personal(declared.pii, declared.description.rstrip(".").lower())


# From which share of its values on a column is taken for what they look like. A tenth of all strings of digits pass the
# Luhn check of card numbers, so nearly all must; the check of an IBAN and the @ of an address are stronger.
_FORMED: tuple[tuple[Form, float, Pii, str], ...] = (
    ("email", 0.5, Pii.DIRECT, "e-mail addresses"),
    ("card", 0.9, Pii.DIRECT, "payment card numbers"),
    ("iban", 0.5, Pii.DIRECT, "bank account numbers (IBAN)"),
    ("phone", 0.8, Pii.DIRECT, "phone numbers"),
    ("ip", 0.8, Pii.QUASI, "network (IP) addresses"),
)


def _by_values(column: ColumnProfile) -> Personal | None:
    if column.stored in {"time", "boolean"} or not column.values:
        return None
    for form, share, pii, holds in _FORMED:
        if column.shares[form] >= share and column.distinct > 1:
            return Personal(pii, holds)
    if column.at_signs and (column.max_length > 60 or any(contains_email(v) for v in column.values)):
        return Personal(Pii.DIRECT, "texts that may contain e-mail addresses")
    return None


def _by_name(column: ColumnProfile) -> Personal | None:
    for pii, holds, phrases in _NAMED:
        if any(has_word(column.name, phrase) for phrase in phrases.split(",")):
            return Personal(pii, holds)
    for declared in TABLES["customers"].columns:
        if declared.pii is Pii.NONE or declared.name in {"customer", "customer_key", "account"}:
            continue
        if name_score(column.name, concept_of("customers", declared.name)) >= 0.7 and _plausible(declared.name, column):
            return Personal(declared.pii, declared.description.rstrip(".").lower())
    return None


def _plausible(name: str, column: ColumnProfile) -> bool:
    """Whether the values fit the name: a 'name' or 'address' that is a number is neither."""
    if name in {"name", "first_name", "last_name", "address"}:
        return not column.is_number or any(word in {"number", "nummer"} for word in words_of(column.name))
    return True

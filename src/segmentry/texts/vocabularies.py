"""How people write the values of a category, and what each means here: the mapping tables of the traits.

A vocabulary is data: by value the spellings that mean it, separated by commas, compared without case, accents, spaces
and punctuation. A spelling that is in none stays as it is and is told of (:func:`unknown`), so that nothing is lost. An
empty value holds the words for "not known".
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pycountry

_NOT_KNOWN = """unknown, na, n a, none, null, nil, not known, not specified, not stated, not available, unspecified,
    undisclosed, prefer not to say, unbekannt, keine angabe, inconnu, desconocido, sconosciuto, onbekend"""
# A misspelling of a long word is that word: "technolgy". Short ones differ by a letter and mean another thing.
_LIKE = 0.92
_LONG = 7  # letters

# The sections of ISIC Rev. 4 (UN 2008) and NACE Rev. 2, which have the same letters and titles; beside everyday names
# the industries that Salesforce, HubSpot and LinkedIn offer. Numeric codes are not read: 62 is computer programming in
# NACE and health care in NAICS.
INDUSTRIES = {
    "Agriculture, forestry and fishing": """a, agriculture, farming, forestry, fishing, fishery, dairy, ranching, wine
        and spirits growing, horticulture, landwirtschaft, forstwirtschaft, agrar, agriculture sylviculture et peche,
        agricultura, ganaderia, pesca, agricoltura, landbouw""",
    "Mining and quarrying": """b, mining, quarrying, mining and metals, oil and gas extraction, oil gas, oil energy,
        oil and energy, bergbau, mineria, industries extractives, mijnbouw""",
    "Manufacturing": """c, manufacturing, manufacturer, machinery, electronics, chemicals, chemical, apparel, apparel
        fashion, textiles, automotive, aviation aerospace, aerospace, biotechnology, pharmaceuticals, pharma, consumer
        goods, consumer electronics, food production, food beverages, food and beverage, food beverage, furniture,
        plastics, packaging and containers, packaging containers, paper forest products, building materials, glass
        ceramics concrete, industrial automation, industrial, industry, mechanical or industrial engineering, medical
        devices, semiconductors, shipbuilding, sporting goods, tobacco, cosmetics, computer hardware, electrical
        electronic manufacturing, defense space, railroad manufacture, printing, steel, produktion, fertigung,
        maschinenbau, verarbeitendes gewerbe, industrie manufacturiere, fabrication, fabricacion, manufactura,
        manifattura, produzione, productie""",
    "Electricity, gas, steam and air conditioning supply": """d, energy, utilities, utility, electricity, gas supply,
        power, renewables environment, renewables, energie, energieversorgung, energia, nutsbedrijven""",
    "Water supply, sewerage and waste management": """e, water supply, waste management, environmental, environmental
        services, recycling, sewerage, entsorgung, abfallwirtschaft, gestion des dechets, gestion de residuos""",
    "Construction": """f, construction, building, builder, civil engineering, contractor, contractors, bau, bauwesen,
        baugewerbe, batiment, btp, construccion, costruzioni, edilizia, bouw""",
    "Wholesale and retail trade": """g, retail, retailer, retail trade, wholesale, wholesaler, wholesale trade, trade,
        trading, distribution, distributor, ecommerce, e commerce, online retail, supermarkets, supermarket, luxury
        goods jewelry, business supplies and equipment, import and export, import export, consumer retail, handel,
        einzelhandel, grosshandel, commerce, commerce de detail, commerce de gros, comercio, comercio minorista,
        commercio, detailhandel, groothandel""",
    "Transportation and storage": """h, transportation, transport, logistics, logistics and supply chain, shipping,
        freight, package freight delivery, airlines aviation, airlines, maritime, transportation trucking railroad,
        warehousing, storage, postal services, courier, verkehr, logistik, spedition, transport et logistique,
        transporte, logistica, trasporti, vervoer""",
    "Accommodation and food service": """i, hospitality, hotel, hotels, restaurants, restaurant, catering, food
        service, food services, accommodation, gastronomie, gastgewerbe, hotellerie, hotellerie restauration,
        restauration, hosteleria, horeca, ristorazione, alberghi""",
    "Information and communication": """j, technology, tech, it, ict, information technology, information technology
        and services, information and communication, software, computer software, saas, internet, computer games,
        computer networking, computer network security, telecommunications, telecom, telecoms, communications, media,
        media production, online media, broadcast media, publishing, newspapers, digital, it services,
        informationstechnik, telekommunikation, medien, informatique, technologie, telecommunications et medias,
        tecnologia, informatica, telecomunicaciones, telecomunicazioni, informatietechnologie, telecommunicatie""",
    "Financial and insurance activities": """k, finance, financial services, financial, banking, bank, banks,
        insurance, capital markets, investment banking, investment management, venture capital private equity, fintech,
        accounting and finance, finanzen, finanzdienstleistungen, versicherung, versicherungen, finanzas, banque,
        assurance, assurances, banca, seguros, finanza, assicurazioni, financien, verzekeringen""",
    "Real estate": """l, real estate, property, property management, commercial real estate, immobilien, immobilier,
        inmobiliaria, immobiliare, vastgoed""",
    "Professional, scientific and technical activities": """m, professional services, consulting, consultancy,
        management consulting, legal, legal services, law practice, law, law firm, solicitors, accounting, accountants,
        accountancy, advertising, marketing, marketing and advertising, public relations and communications, market
        research, architecture planning, architecture, engineering, engineering services, design, graphic design,
        research, scientific research, veterinary, translation and localization, photography, think tanks, beratung,
        unternehmensberatung, rechtsanwalte, steuerberatung, werbung, conseil, services professionnels, consultoria,
        servicios profesionales, consulenza, zakelijke dienstverlening""",
    "Administrative and support services": """n, administrative services, business services, facilities services,
        facility management, staffing and recruiting, staffing, recruitment, recruiting, employment, human resources,
        outsourcing offshoring, outsourcing, security and investigations, security, events services, leisure travel
        tourism, travel, tourism, rental, leasing, cleaning, call center, zeitarbeit, personaldienstleistungen,
        gebaudereinigung, interim, tourisme, turismo, viajes, uitzendbureau""",
    "Public administration and defence": """o, government, government administration, public administration, public
        sector, defence, defense, military, law enforcement, public safety, municipality, offentliche verwaltung,
        behorde, administration publique, secteur public, gobierno, administracion publica, pubblica amministrazione,
        overheid""",
    "Education": """p, education, education management, higher education, school, schools, university, universities,
        primary secondary education, e learning, elearning, training, professional training coaching, bildung,
        schulen, enseignement, formation, educacion, ensenanza, istruzione, onderwijs""",
    "Human health and social work": """q, health, healthcare, health care, hospital health care, hospital, hospitals,
        medical, medical practice, mental health care, social work, health wellness and fitness, individual family
        services, nursing, dental, care, gesundheit, gesundheitswesen, sozialwesen, sante, action sociale, salud,
        sanidad, sanita, gezondheidszorg, zorg""",
    "Arts, entertainment and recreation": """r, entertainment, arts, recreation, sports, sport, music, museums and
        institutions, performing arts, gambling casinos, gambling, gaming, motion pictures and film, fine art,
        recreational facilities and services, leisure, libraries, kunst, unterhaltung, freizeit, kultur, loisirs,
        culture, ocio, entretenimiento, cultura, intrattenimento""",
    "Other services": """s, other services, other service activities, not for profit, non profit, nonprofit, nonprofit
        organization management, civic social organization, charity, religious institutions, political organization,
        philanthropy, fund raising, consumer services, personal services, vereine, association, associations, ong,
        sonstige dienstleistungen""",
    "Households as employers": "t, households, private households, private haushalte",
    "International organisations": """u, international organisations, international affairs, international trade and
        development, extraterritorial organisations""",
    "": f"{_NOT_KNOWN}, other, others, sonstige, autre, autres, otro, otros, altro, overig",
}

# Stages of the relationship with an organisation, the usual ones of CRM systems among them.
STAGES = {
    "lead": """lead, new lead, raw lead, subscriber, suspect, target, inquiry, marketing qualified lead, mql, cold,
        interessent, piste""",
    "prospect": """prospect, qualified, qualified lead, sales qualified lead, sql, contacted, engaged, warm, potential
        customer, potenzieller kunde, client potentiel, prospecto""",
    "opportunity": """opportunity, in negotiation, negotiation, proposal, open deal, evaluation, trial, pilot, hot,
        verhandlung, negociation, negociacion""",
    "customer": """customer, customer direct, customer channel, client, active customer, existing customer, new
        customer, established customer, key account, evangelist, at risk, won, active, kunde, bestandskunde,
        neukunde, cliente, klant""",
    "churned": """churned, former customer, lost customer, lost, inactive, cancelled, canceled, terminated, ex customer,
        past customer, dormant, ehemaliger kunde, verlorener kunde, ancien client, antiguo cliente""",
    "": f"{_NOT_KNOWN}, other",
}

OWNERSHIPS = {
    "public company": "public, public company, listed, publicly traded, plc, borsennotiert, cotee, cotizada",
    "private company": """private, private company, privately held, privately owned, family, family owned, ltd, limited,
        llc, gmbh, partnership, llp, founder owned, private equity, sole proprietorship, self owned, privat, privee,
        privada""",
    "state": "state, government, government agency, state owned, public sector, municipal, staatlich, estatal",
    "non-profit": "non profit, nonprofit, not for profit, charity, association, foundation, cooperative, ngo, verein",
    "subsidiary": "subsidiary, branch, tochtergesellschaft, filiale, filial",
    "": f"{_NOT_KNOWN}, other",
}

# Who takes part in a purchase (Webster & Wind 1972, the buying center), by the role that a CRM states.
ROLES = {
    "decider": """decider, decision maker, decisionmaker, final decision, decides, executive sponsor, economic buyer,
        economic decision maker, budget holder, approver, entscheider, decideur, decisor, beslisser""",
    "buyer": "buyer, purchaser, purchasing, procurement, einkaufer, acheteur, comprador, inkoper",
    "influencer": """influencer, influences, evaluator, technical buyer, technical evaluator, champion, coach, advisor,
        business user influencer, beeinflusser, prescripteur, influenciador""",
    "user": "user, end user, uses, business user, anwender, nutzer, utilisateur, usuario, gebruiker",
    "gatekeeper": "gatekeeper, blocker, assistant, secretary, initiator, other contact, torwachter",
    "": f"{_NOT_KNOWN}, other",
}
# By the words of a job title where no role is stated, the first that one of the words is of.
ROLES_BY_TITLE = {
    "gatekeeper": "assistant, secretary, receptionist, pa, sekretar, sekretarin, assistenz, assistente, assistant",
    "decider": """owner, founder, ceo, cfo, cto, coo, cio, cmo, chief, president, director, partner, principal,
        proprietor, inhaber, geschaftsfuhrer, geschaftsfuhrerin, directeur, directrice, gerant, directora,
        propietario, titolare, direttore, amministratore, eigenaar, bursar, vp""",
    "buyer": "buyer, purchasing, procurement, sourcing, einkauf, einkaufer, achats, acheteur, compras, acquisti",
    "influencer": """head, manager, lead, leader, engineer, architect, consultant, controller, leiter, leiterin,
        responsable, jefe, responsabile, hoofd""",
    "user": "officer, specialist, administrator, analyst, clerk, coordinator, technician, accountant, developer",
}


# How an opportunity ended; every other stage is one on the way.
OUTCOMES = {
    "won": """won, closed won, closedwon, win, sold, gewonnen, gagne, gagnee, ganada, ganado, vinta, vinto""",
    "lost": """lost, closed lost, closedlost, rejected, declined, disqualified, abandoned, cancelled, canceled,
        no decision, verloren, perdu, perdue, perdida, perdido, persa, perso""",
}

AREA_TYPES = {
    "urban": """urban, city, large city, big city, metropolitan, metro, inner city, town centre, urban area, stadtisch,
        stadt, grossstadt, urbain, ville, urbano, ciudad, stedelijk, citta""",
    "suburban": """suburban, suburb, suburbs, town, small town, outskirts, periurban, towns and suburbs, vorstadt,
        kleinstadt, periurbain, banlieue, suburbano, voorstedelijk, periferia""",
    "rural": """rural, country, countryside, village, farm, remote, landlich, land, dorf, campagne, campo, pueblo,
        landelijk, dorp, rurale, paese""",
    "": f"{_NOT_KNOWN}, other",
}

# Levels of ISCED 2011 (UNESCO), short ones together.
EDUCATIONS = {
    "primary": """primary, primary school, elementary, elementary school, basic, no formal education, none
        completed, less than high school, grundschule, ohne abschluss, primaire, primaria, basisonderwijs,
        elementare""",
    "secondary": """secondary, secondary school, high school, highschool, hs, hs grad, middle school, lower
        secondary, upper secondary, a levels, gcse, abitur, realschule, hauptschule, gymnasium, matura, lycee, bac,
        baccalaureat, secundaria, bachillerato, middelbaar, superiori, diploma di maturita""",
    "vocational": """vocational, apprenticeship, trade school, technical school, associate degree, associate,
        diploma, certificate, ausbildung, berufsausbildung, lehre, meister, bts, cap, bep, dut, formacion profesional,
        fp, mbo, istituto tecnico""",
    "bachelor": """bachelor, bachelors, bachelor s degree, bachelors degree, undergraduate, undergraduate degree,
        graduation, graduate, degree, university degree, university, bsc, ba, licence, grado, licenciatura, hbo, laurea
        triennale, laurea, hochschulabschluss, studium, universitaire""",
    "master": """master, masters, master s degree, masters degree, postgraduate, post graduate, msc, ma, mba,
        diplom, magister, staatsexamen, maitrise, grande ecole, 2n cycle, second cycle, maestria, posgrado, wo, laurea
        magistrale""",
    "doctorate": "doctorate, phd, ph d, doctor, doctoral, dr, promotion, doktor, doctorat, doctorado, dottorato",
    "": _NOT_KNOWN,
}
MARITAL_STATUSES = {
    "single": """single, never married, unmarried, alone, ledig, alleinstehend, celibataire, soltero, soltera,
        ongehuwd, alleenstaand, celibe, nubile, s""",
    "married": "married, verheiratet, marie, mariee, casado, casada, gehuwd, getrouwd, sposato, sposata, coniugato, m",
    "partner": """partner, together, cohabiting, living together, domestic partner, domestic partnership, civil
        partnership, civil union, registered partnership, common law, in a relationship, couple, lebenspartnerschaft, in
        partnerschaft, pacs, pacse, pacsee, union libre, pareja de hecho, samenwonend, convivente""",
    "separated": """separated, married spouse absent, getrennt, getrennt lebend, separe, separee, separado,
        separada, separato""",
    "divorced": """divorced, geschieden, divorce, divorcee, divorciado, divorciada, gescheiden, divorziato,
        divorziata, d""",
    "widowed": "widowed, widow, widower, verwitwet, veuf, veuve, viudo, viuda, weduwe, weduwnaar, vedovo, vedova, w",
    "": _NOT_KNOWN,
}
# The position in working life (ICSE-18, ILO 2018, with those outside it); what somebody does is left as it is.
OCCUPATIONS = {
    "employed": """employed, employee, full time, fulltime, part time, parttime, working, wage earner, in
        employment, angestellt, angestellter, angestellte, berufstatig, salarie, salariee, empleado, empleada,
        werknemer, dipendente""",
    "self-employed": """self employed, selfemployed, freelancer, freelance, entrepreneur, business owner,
        selbstandig, selbststandig, freiberuflich, independant, autonomo, zelfstandige, libero professionista, autonomo
        lavoratore""",
    "student": "student, pupil, in education, schuler, studentin, etudiant, etudiante, estudiante, studente, scholier",
    "retired": """retired, pensioner, retiree, rentner, rentnerin, im ruhestand, retraite, retraitee, jubilado,
        jubilada, gepensioneerd, pensionato, pensionata""",
    "unemployed": """unemployed, not employed, job seeker, looking for work, arbeitslos, arbeitssuchend, chomeur,
        chomeuse, sans emploi, desempleado, desempleada, werkloos, disoccupato""",
    "homemaker": """homemaker, housewife, house husband, stay at home parent, hausfrau, hausmann, femme au foyer,
        ama de casa, huisvrouw, casalinga""",
    "": _NOT_KNOWN,
}

# Rogers, "Diffusion of Innovations", 2003.
ADOPTERS = {
    "innovator": "innovator, innovators, pioneer, tech enthusiast, technology enthusiast, innovateur, innovador",
    "early adopter": "early adopter, early adopters, visionary, visionaries, fruhe anwender",
    "early majority": "early majority, pragmatist, pragmatists, fruhe mehrheit, majorite precoce",
    "late majority": "late majority, conservative, conservatives, spate mehrheit, majorite tardive",
    "laggard": "laggard, laggards, skeptic, sceptic, nachzugler, retardataire",
    "": _NOT_KNOWN,
}

VOCABULARIES: dict[str, Mapping[str, str]] = {
    "adoption_stage": ADOPTERS,
    "industry": INDUSTRIES,
    "stage": STAGES,
    "ownership": OWNERSHIPS,
    "role": ROLES,
    "outcome": OUTCOMES,
    "area_type": AREA_TYPES,
    "education": EDUCATIONS,
    "marital_status": MARITAL_STATUSES,
    "occupation": OCCUPATIONS,
}


def plain(text: str) -> str:
    """Letters and digits alone, without case and accents: how spellings are compared."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", text.casefold()))


@cache
def _spellings(name: str) -> dict[str, str]:
    return {plain(word): value for value, words in VOCABULARIES[name].items() for word in (*words.split(","), value)}


def meanings(name: str, spellings: Iterable[str]) -> dict[str, str | None]:
    """What each spelling means in a vocabulary of this file, None for not known; an unknown one stays as it is.

    >>> meanings("industry", ["IT Services", "technolgy", "n/a", "Basket weaving"])
    {'IT Services': 'Information and communication', 'technolgy': 'Information and communication', 'n/a': None, \
'Basket weaving': 'Basket weaving'}
    """
    known = _spellings(name)
    found: dict[str, str | None] = {}
    for spelling in spellings:
        word = plain(spelling)
        value = known.get(word) if word else ""
        if value is None and len(word) >= _LONG:
            near = difflib.get_close_matches(word, [w for w in known if len(w) >= _LONG], 1, _LIKE)
            value = known[near[0]] if near else None
        found[spelling] = spelling if value is None else value or None
    return found


def unknown(column: str, spellings: Iterable[str]) -> list[str]:
    """The spellings that the vocabulary of a column does not have; ``language`` has one, too.

    >>> unknown("education", ["MSc", "Hogwarts", "n/a"])
    ['Hogwarts']
    """
    given = list(spellings)
    if column == "language":
        known = {*_languages(), *(code for code in _languages().values())}
        return [s for s, meant in languages(given).items() if meant == s and plain(s) not in known]
    meant = meanings(column, given)
    return [s for s in given if meant[s] == s and plain(s) not in _spellings(column)]


def languages(spellings: Iterable[str]) -> dict[str, str | None]:
    """The ISO 639 code of each spelling of a language: two letters, three where there are no two.

    >>> languages(["en-GB", "Deutsch", "FRA", "n/a", "Klingonese"])
    {'en-GB': 'en', 'Deutsch': 'de', 'FRA': 'fr', 'n/a': None, 'Klingonese': 'Klingonese'}
    """
    known = _languages()
    nothing = {plain(word) for word in _NOT_KNOWN.split(",")} | {""}
    found: dict[str, str | None] = {}
    for spelling in spellings:
        word, tag = plain(spelling), plain(re.split(r"[-_.]", spelling.strip())[0])
        meant = known.get(word) or (known.get(tag) if len(tag) in (2, 3) else None)
        found[spelling] = None if word in nothing else meant or spelling
    return found


@cache
def _languages() -> dict[str, str]:
    """Code by plain spelling: codes and English names, then what languages call themselves and each other."""
    found: dict[str, str] = {}
    every: list[Any] = list(pycountry.languages)
    codes = {one.alpha_3: getattr(one, "alpha_2", one.alpha_3) for one in every}
    for one in every:
        if hasattr(one, "alpha_2"):
            found[plain(one.alpha_2)] = one.alpha_2
    for one in every:
        for name in (one.alpha_3, getattr(one, "bibliographic", ""), one.name):
            found.setdefault(plain(name), codes[one.alpha_3])
    for code, names in _LANGUAGES.items():
        for name in names.split(", "):
            found.setdefault(plain(name), code)
    found.pop("", None)
    return found


# What the larger languages of commerce call themselves and each other.
_LANGUAGES = {
    "de": "deutsch, allemand, aleman, duits, tedesco, german",
    "en": "englisch, anglais, ingles, engels, inglese, english",
    "fr": "francais, franzosisch, frances, frans, francese",
    "es": "espanol, spanisch, espagnol, spaans, spagnolo, castellano, castilian",
    "it": "italiano, italienisch, italien, italiaans",
    "nl": "nederlands, niederlandisch, hollandisch, neerlandais, holandes, olandese, flemish, vlaams",
    "pt": "portugues, portugiesisch, portugais, portugees, portoghese",
    "pl": "polski, polnisch, polonais, polaco, pools, polacco",
    "tr": "turkce, turkisch, turc, turco, turks",
    "ru": "русский, russisch, russe, ruso, russo",
    "zh": "中文, chinesisch, chinois, chino, chinees, cinese, mandarin",
    "ja": "日本語, japanisch, japonais, japones, japans, giapponese",
    "el": "ελληνικα, greek, griechisch, grec, griego, grieks, greco",
}


def role_of(title: str) -> str | None:
    """The role in buying that a job title speaks of; None where it speaks of none.

    >>> role_of("Managing Director"), role_of("Personal Assistant to the CEO"), role_of("Poet")
    ('decider', 'gatekeeper', None)
    """
    words = {plain(word) for word in re.findall(r"\w+", title)}
    for role, said in ROLES_BY_TITLE.items():
        if words & {plain(word) for word in said.split(",")}:
            return role
    return None

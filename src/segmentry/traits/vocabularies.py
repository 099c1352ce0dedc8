"""How people write the values of a category, and what each means here: the mapping tables of the traits.

A vocabulary is data: by value the spellings that mean it, separated by commas, compared without case, accents, spaces
and punctuation. A spelling that is in none stays as it is and is told of (:func:`unknown`), so that nothing is lost and
somebody can add it. An empty value holds the words for "not known".
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

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

VOCABULARIES: dict[str, Mapping[str, str]] = {
    "industry": INDUSTRIES,
    "stage": STAGES,
    "ownership": OWNERSHIPS,
    "role": ROLES,
    "outcome": OUTCOMES,
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


def unknown(name: str, spellings: Iterable[str]) -> list[str]:
    """The spellings that a vocabulary does not have."""
    values = set(_spellings(name).values())
    return [given for given, value in meanings(name, spellings).items() if value is not None and value not in values]


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

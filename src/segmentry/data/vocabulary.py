"""What people call their columns: synonyms in English, German, French, Spanish, Dutch and Italian.

Names are compared **folded**: lower case, without accents, spaces, underscores and case borders, with ae/oe/ue as a/o/u
(so that 'Käufer', 'Kaeufer' and 'KAEUFER' are one word). Behind a ``|`` stand names that often mean it, but also other
things.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# One entry per column of the contracts; "table.column" where a column name means different things in two tables.
_SYNONYMS: dict[str, str] = {
    "customer": """customer id, customer, customer no, customer num, customer number, customer nr, customer code,
        customer key, customer ref, customer reference, customer uuid, customer guid, id customer, cust id, cust,
        cust no,
        cust num, cust nr, cust number, cust code, cust key, custid, costumer id, client id, client, client no,
        client number, client code, client ref, clientid, buyer id, buyer, purchaser id, shopper id, consumer id,
        sold to party, debtor id, debtor number, debtor no, loyalty id, loyalty number, member id, member no,
        member number, membership id, membership number, subscriber id, household key, shopify customer id,
        kunde, kunden id, kundennummer, kunden nummer, kunden nr, kundennr, kd nr, kdnr, kundencode, kunden key, kundin,
        debitor, debitorennummer, debitoren nr, debitor nr, debitornummer, mitgliedsnummer, mitglieds nr, kaufer,
        kaufer id, besteller, besteller id, auftraggeber,
        id client, numero client, num client, no client, n client, code client, ref client, reference client,
        identifiant client, acheteur, id acheteur, numero acheteur, adherent, numero adherent,
        cliente, id cliente, cliente id, numero cliente, numero de cliente, num cliente, nro cliente, no cliente,
        n cliente, codigo cliente, codigo de cliente, cod cliente, comprador, id comprador, socio,
        numero socio, numero de socio, identificador cliente,
        klant, klant id, klantnummer, klant nummer, klant nr, klantnr, klantcode, debiteur, debiteurnummer,
        debiteur nr, relatienummer, relatie nr, lidnummer, koper, koper id,
        codice cliente, id del cliente, numero del cliente, codice del cliente, acquirente, id acquirente, cod cli
        | user id, user, userid, contact id, contact, visitor id, member, guest id, patient id, passenger id, person id,
        party id, profile id, subscriber, anonymous id, bill to, sold to, ship to, card id, benutzer id, benutzer,
        nutzer id, nutzer, mitglied, identifiant, id utilisateur, utilisateur, membre, id membre, usuario, id usuario,
        miembro, gebruiker, gebruiker id, utente, id utente, respondent id, respondent, subject id, donor id, donor,
        student id""",
    # An id of whatever the row is about: a customer where it is unique and the other columns describe people.
    "generic_id": """id, uid, uuid, guid, unique id, rec id, record id, record no, row id, key, no, nr, nummer, number,
        code, identifier, ident, ref, reference, numero, num, identifiant, codigo, identificador, codice, sleutel,
        recordnummer, datensatz nr""",
    "customers.name": """name, full name, fullname, customer name, client name, contact name, person name, display name,
        vollstandiger name, kundenname, ansprechpartner, nom complet, nom client, nom du client, nombre completo,
        nombre cliente, nombre del cliente, nombre y apellidos, volledige naam, klantnaam, naam klant, nome completo,
        nominativo, nome cliente, nome e cognome | naam, member name, user name, username""",
    "first_name": """first name, firstname, given name, givenname, forename, fore name, fname, first, vorname, prenom,
        nombre, nombre de pila, voornaam, nome, nome di battesimo""",
    "last_name": """last name, lastname, surname, family name, familyname, lname, last, nachname, familienname, zuname,
        nom, nom de famille, apellido, apellidos, primer apellido, achternaam, familienaam, cognome""",
    "email": """email, e mail, email address, e mail address, mail, mail address, emailaddress, customer email,
        contact email, user email, email adresse, e mail adresse, mailadresse, courriel, adresse email, adresse mail,
        adresse e mail, adresse courriel, correo, correo electronico, correo e, emailadres, e mailadres,
        indirizzo email, posta elettronica, email hash""",
    "known_as": """known as, known as customer""",
    "visitor": """anonymous visitor, anonymous visitor id, user pseudo id, device visitor id""",
    # Codes of one country are written alone (BSN, DNI, PESEL): nobody else calls a column so.
    "person_id": """person number, person no, personal number, personal identification number, personal id number,
        ssn, ssn number, social security number, social security no, social security id, social security, soc sec id,
        soc sec, soc sec no, soc sec number, national id, national id no, national id number, national identifier,
        national identity number, national identification number, nat id, nin, nino, national insurance number,
        national insurance no, ni number, tax id, tax number, tax no, taxpayer id, taxpayer number, tax payer id,
        tax identification number, tin, tin number, itin, nhs number, sin number, social insurance number,
        identity card number, id card number, citizen id, passport number, passport no,
        personnummer, fodselsnummer, cpr nummer, cpr nr, henkilotunnus, ahv nummer, ahv nr, steuer id, steuer
        identifikationsnummer, idnr steuer, sozialversicherungsnummer, sv nummer, svnr, personalausweisnummer,
        ausweisnummer, numero securite sociale, numero de securite sociale, nir, insee, numero fiscal, dni, nie, nif,
        dni nif, documento nacional, curp, cpf, cuil, bsn, burgerservicenummer, rijksregisternummer, codice fiscale,
        pesel, rodne cislo, cnp, aadhaar, aadhaar number
        | person id, social id, loyalty card number, loyalty card no, loyalty card, loyalty number, loyalty id,
        identity number, steuernummer""",
    "contact_email": """contact email""",
    "contact_phone": """contact phone""",
    "contact_name": """contact name""",
    "phone": """phone, phone number, phone no, telephone, telephone number, tel, tel no, mobile, mobile phone,
        mobile number, cell, cell phone, cellphone, contact number, telefon, telefonnummer, tel nr, handy, handynummer,
        mobil, mobilnummer, mobiltelefon, rufnummer, festnetz, numero de telephone, tel portable, portable, telefono,
        numero de telefono, numero telefono, movil, celular, telefoon, telefoonnummer, mobiel, mobiel nummer,
        cellulare, numero di telefono, fax, fax number""",
    "address": """address, street, street address, street name, address 1, address line 1, addr, addr 1, postal address,
        home address, billing address, shipping address, adresse, anschrift, strasse, strasse und hausnummer,
        strasse hausnummer, str, adresse postale, rue, voie, direccion, direccion postal, calle, domicilio, adres,
        straat, straatnaam, straat en huisnummer, indirizzo, via
        | address 2, address line 2, addr 2, house number, street number, hausnummer, haus nr, numero de rue,
        huisnummer, numero civico""",
    "account": """account id, account, account no, account number, company id, company, organisation id, organisation,
        organization id, organization, org id, org, business id, firm, firma, unternehmen, unternehmen id, firmen
        id, firmen nr, entreprise, societe, id entreprise, empresa, id empresa, compania, bedrijf, bedrijf id,
        onderneming, azienda, id azienda, societa, impresa | account name, company name, business name,
        firmenname, organisation name, organization name, raison sociale, razon social, bedrijfsnaam, ragione
        sociale, konto, kontonummer, compte, cuenta, rekening, conto, employer, arbeitgeber, employeur""",
    "account_name": """account name, company name, organisation name, organization name, business name, firmenname,
        nom entreprise, raison sociale, razon social, nombre empresa, bedrijfsnaam, ragione sociale""",
    "acquisition_channel": """acquisition channel, acquisition source, acquired through, first touch channel,
        lead source, original source, source of customer, how did you hear about us, werbekanal, akquisekanal,
        herkunftskanal, canal acquisition, canal d acquisition, canal de adquisicion, canale di acquisizione,
        wervingskanaal""",
    "joined_at": """joined at, joined, signed up, signed up on, sign up, join date, joined on, date joined,
        signup date, sign up date, signed up at,
        signup, registered at, registration date, registered, registration, customer since, member since, client since,
        start date, account created, account created at, enrollment date, enrolment date, enrolled at, opened at,
        onboarding date, activation date, first contract date, dt customer, subscription date, subscribed at,
        beitritt, beitrittsdatum, eintrittsdatum, kunde seit, mitglied seit, registriert am, registrierungsdatum,
        anmeldedatum, angemeldet am, kundenanlage, date inscription, date d inscription, client depuis, date adhesion,
        date d adhesion, date entree, fecha de alta, fecha alta, alta, cliente desde, fecha registro,
        fecha de registro, inschrijfdatum, klant sinds, lid sinds, registratiedatum, aanmelddatum, data iscrizione,
        data di iscrizione, cliente dal, data registrazione, data di registrazione
        | created at, created, create date, creation date, date created, created date, created on, erstellt am,
        anlagedatum, angelegt am, date creation, date de creation, fecha creacion, fecha de creacion, aangemaakt op,
        data creazione, data di creazione""",
    "updated_at": """updated at, updated, update date, last updated, last update, modified at, modified, last modified,
        modified on, changed at, date modified, geandert am, anderungsdatum, letzte anderung, aktualisiert am,
        date modification, date de modification, mis a jour le, date maj, fecha modificacion, fecha de modificacion,
        actualizado, fecha actualizacion, gewijzigd op, laatst gewijzigd, data modifica, data di modifica,
        aggiornato il""",
    "birth_date": """birth date, birthdate, date of birth, dob, birthday, born, geburtsdatum, geburtstag, geb datum,
        geboren am, date de naissance, date naissance, naissance, fecha de nacimiento, fecha nacimiento, nacimiento,
        geboortedatum, data di nascita, data nascita""",
    # A form may ask for the day of birth without the year; the values tell it from a date of birth.
    "birthday": """birthday month day, birthday mmdd, day of birth, anniversaire, cumpleanos, verjaardag, compleanno
        | birthday, geburtstag, born, dob, date of birth, birth date, birthdate""",
    "birth_year": """birth year, year of birth, year birth, birthyear, yob, geburtsjahr, jahrgang, annee de naissance,
        annee naissance, ano de nacimiento, ano nacimiento, geboortejaar, anno di nascita, anno nascita""",
    "age": """age, age years, age in years, customer age, current age, alter, lebensalter, age client, edad, leeftijd,
        eta""",
    "gender": """gender, sex, customer gender, geschlecht, anrede, sexe, genre, civilite, sexo, genero, geslacht,
        sesso, genere | salutation, title, titre, aanhef, m f""",
    "income": """income, annual income, yearly income, household income, income usd, salary, annual salary, net income,
        estimated salary, einkommen, jahreseinkommen, haushaltseinkommen, gehalt, nettoeinkommen, revenu annuel,
        revenus, revenu du foyer, revenu menage, salaire, ingresos, ingreso, ingresos anuales, renta, renta anual,
        salario, sueldo, inkomen, jaarinkomen, salaris, reddito, reddito annuo, stipendio""",
    "education": """education, education level, highest education, educational level, degree, schooling, bildung,
        bildungsabschluss, bildungsgrad, schulabschluss, ausbildung, niveau d etudes, niveau etudes, etudes, formation,
        diplome, educacion, nivel educativo, nivel de estudios, estudios, opleiding, opleidingsniveau, istruzione,
        titolo di studio, livello di istruzione""",
    "marital_status": """marital status, marital, civil status, relationship status, familienstand, personenstand,
        etat civil, situation familiale, situation matrimoniale, statut marital, estado civil, burgerlijke staat,
        burgerlijke stand, stato civile""",
    "household_size": """household size, family size, size of household, persons in household, people in household,
        household members, number of household members, haushaltsgrosse, personen im haushalt, taille du foyer,
        taille du menage, nombre de personnes au foyer, tamano del hogar, miembros del hogar, huishoudgrootte,
        grootte huishouden, componenti famiglia, dimensione nucleo familiare, nucleo familiare""",
    "children": """children, number of children, num children, no of children, kids, number of kids, num kids,
        child count, total children, children at home, children count, kinder, anzahl kinder, kinderzahl, enfants,
        nombre d enfants, nb enfants, nombre enfants, hijos, numero de hijos, num hijos, kinderen, aantal kinderen,
        figli, numero figli, numero di figli""",
    "occupation": """occupation, job, job title, profession, employment, beruf, tatigkeit, metier, csp, ocupacion,
        profesion, empleo, beroep, professione, occupazione, mestiere""",
    "language": """language, lang, preferred language, locale, sprache, korrespondenzsprache, langue, idioma, lengua,
        taal, voorkeurstaal, lingua""",
    "country": """country, country code, country name, nation, billing country, shipping country, customer country,
        country region, land, landercode, staat land, pays, code pays, pais, codigo pais, landcode, paese, nazione,
        codice paese""",
    "region": """region, state, province, county, state province, state code, state name, territory, bundesland,
        kanton, departement, provincia, comunidad autonoma, estado, provincie, regio, regione""",
    "city": """city, town, city name, suburb, municipality, locality, ort, stadt, wohnort, gemeinde, ville, commune,
        localite, ciudad, localidad, poblacion, municipio, stad, plaats, woonplaats, gemeente, citta, comune""",
    "postcode": """postcode, post code, postal code, postalcode, zip, zip code, zipcode, zip postal code, plz,
        postleitzahl, code postal, cp, codigo postal, cod postal, postcode plaats, cap, codice postale""",
    "role": "buying role, role in buying, contact role, buying center role, decision role",
    "area_type": "area type, urban rural, urbanity, urbanisation, urbanization, settlement type",
    "density": "population density, inhabitants per km2, bevolkerungsdichte, densite de population",
    "latitude": "latitude, lat, breitengrad, geo lat, latitud, breedtegraad, latitudine",
    "longitude": "longitude, lon, lng, long, langengrad, geo lon, geo lng, longitud, lengtegraad, longitudine",
    "customers.value": """value, customer value, total revenue, revenue to date, lifetime revenue, total spend,
        total spent, total spending, total sales, lifetime spend, amount spent, total purchases amount, total amount,
        kundenwert, gesamtumsatz, umsatz gesamt, umsatz, ca total, chiffre d affaires, depense totale, total depense,
        ventas totales, gasto total, total gastado, totale omzet, omzet, totaal besteed, fatturato totale, spesa totale,
        totale speso | revenue, sales, spend, spending, turnover, total charges, history, net revenue, gross revenue""",
    # accounts
    "parent": """parent, parent account, parent account id, parent company, parent id, subsidiary of, owned by, holding,
        muttergesellschaft, konzern, maison mere, groupe, empresa matriz, matriz, moederbedrijf, moedermaatschappij,
        societa madre, capogruppo""",
    "industry": """industry, sector, industry sector, business sector, vertical, line of business, naics, sic,
        branche, industrie, wirtschaftszweig, secteur, secteur d activite, secteur activite, industria,
        sector de actividad, bedrijfstak, settore, settore di attivita""",
    "employees": """employees, number of employees, num employees, no of employees, employee count, headcount, staff,
        company size, mitarbeiter, mitarbeiterzahl, anzahl mitarbeiter, beschaftigte, effectif, effectifs,
        nombre d employes, nombre de salaries, salaries, empleados, numero de empleados, plantilla, medewerkers,
        aantal medewerkers, werknemers, dipendenti, numero dipendenti, numero di dipendenti""",
    "accounts.revenue": """revenue, annual revenue, yearly revenue, company revenue, turnover, annual turnover, sales,
        annual sales, umsatz, jahresumsatz, chiffre d affaires, ca annuel, facturacion, facturacion anual,
        ingresos anuales, omzet, jaaromzet, fatturato, fatturato annuo""",
    "founded": """founded, year founded, founded year, founding year, year established, established, year of foundation,
        gegrundet, grundungsjahr, annee de creation, fondee en, ano de fundacion, fundacion, opgericht, oprichtingsjaar,
        anno di fondazione, fondata nel""",
    "accounts.country": """country, country code, hq country, headquarters country, head office country,
        office location, location, headquarters, hq, land, sitz, pays, siege, pais, sede, vestigingsland, paese""",
    "ownership": "ownership, ownership type, legal ownership, eigentum, propriete, propiedad",
    "technologies": """technologies, web technologies, installed technologies, technologies used, tech stack, technology
        stack, software stack, software in use, technologien, eingesetzte software, technologies utilisees""",
    "adoption_stage": "adoption stage, adopter category, adopter group, technology adoption, adopter type",
    "accounts.stage": """relationship stage, account stage, account status, customer stage, customer status,
        relationship status""",
    "accounts.joined_at": "customer since, client since, account since, account created, partner since, kunde seit",
    "domain": """domain, website, web site, web domain, url, homepage, company domain, webseite, site web, sitio web,
        dominio, sito web, sito""",
    # transactions
    "order": """order id, order, order no, order number, order nr, orderid, order code, order ref, order reference,
        invoice no, invoice, invoice id, invoice number, invoice nr, receipt no, receipt, receipt id, receipt number,
        transaction id, transaction no, transaction number, transaction, trans id, trx id, txn id, purchase id,
        basket id, basket, ticket id, ticket no, bill no, bill id, document no, sales order, so number, opportunity id,
        deal id, booking id, bestellnummer, bestell nr, bestellung, bestell id, auftrag, auftragsnummer, auftrags nr,
        auftrags id, rechnung, rechnungsnummer, rechnungs nr, belegnummer, beleg nr, bon nr, bonnummer, transaktions id,
        transaktionsnummer, commande, numero commande, num commande, numero de commande, no commande, n commande,
        id commande,
        facture, numero facture, numero de facture, no facture, ticket, numero ticket, id transaction, pedido,
        numero pedido, numero de pedido, id pedido, num pedido, factura, numero factura, numero de factura, num factura,
        bestelnummer, bestelling, order nummer, ordernummer, factuur, factuurnummer, bonnetje, ordine, numero ordine,
        id ordine, numero di ordine, fattura, numero fattura, numero di fattura, scontrino, numero scontrino""",
    "transactions.time": """order date, order time, order datetime, order timestamp, ordered at, order placed at,
        order purchase timestamp, invoice date, invoice time, invoicedate, transaction date, transaction time,
        transaction datetime, trans date, trx date, txn date, purchase date, purchase time, purchased at, sale date,
        sales date, sold at, receipt date, booking date, payment date, paid at, close date, closed at, closing date,
        close dt, closed date, date of purchase, date of sale, date, datetime, time, timestamp, order day,
        datum, bestelldatum, bestellt am, auftragsdatum, rechnungsdatum, kaufdatum, buchungsdatum, belegdatum,
        verkaufsdatum, zahlungsdatum, zeitpunkt, date commande, date de commande, date facture, date de facture,
        date achat, date d achat, date vente, date de vente, date heure, fecha, fecha pedido, fecha de pedido,
        fecha del pedido, fecha compra, fecha de compra, fecha factura, fecha de factura, fecha venta, fecha de venta,
        besteldatum, orderdatum, factuurdatum, aankoopdatum, verkoopdatum, tijdstip, data, data ordine, data di ordine,
        data dell ordine, data acquisto, data di acquisto, data fattura, data vendita, data e ora
        | created at, created, processed at, completed at, shipped date, ship date, shipped at, delivered at,
        delivery date, day, tag, jour, dia, dag, giorno, lieferdatum, versanddatum, date livraison, fecha entrega,
        leverdatum, data consegna""",
    "amount": """amount, line total, line amount, line value, line revenue, total amount, total price, total value,
        total sales, order value, order amount, order total, invoice amount, invoice value, invoice total,
        transaction amount, transaction value, trans amount, purchase amount, purchase value, amount paid, paid amount,
        payment value, sales amount, sale amount, sales value, sales price total, net amount, net sales, net value,
        gross amount, gross sales, extended price, ext price, revenue, sales, amount usd, amount eur, amount gbp,
        dollar value, dollar amount, close value, deal value, deal amount, amt, spend, total paid, item total, turnover,
        betrag, umsatz, gesamtbetrag, summe, gesamtpreis, rechnungsbetrag, bestellwert, zeilenbetrag, positionsbetrag,
        nettobetrag, bruttobetrag, nettoumsatz, zahlbetrag, warenwert, montant, montant total, montant ttc, montant ht,
        montant ligne, prix total, total ttc, total ht, chiffre d affaires, importe, importe total, monto, monto total,
        precio total, total linea, ventas, valor, bedrag, totaalbedrag, totaalprijs, orderbedrag, regelbedrag, omzet,
        importo, importo totale, prezzo totale, totale riga, fatturato, ammontare
        | total, value, subtotal, sub total, price, paid, preis, prix, precio, prijs, totaal, prezzo, totale, wert""",
    "quantity": """quantity, qty, quant, order quantity, order qty, quantity ordered, item quantity, item count,
        number of items, num items, no of items, items, units, units sold, unit count, pieces, pcs, number of cds,
        number of units, volume, menge, anzahl, stuck, stuckzahl, bestellmenge, quantite, qte, nombre, nb articles,
        unites, cantidad, cant, unidades, num articulos, aantal, hoeveelheid, stuks, quantita, qta, pezzi,
        numero pezzi, unita""",
    "unit_price": """unit price, price per unit, price each, unit cost price, item price, price per item, unitprice,
        selling price, sale price, sales price, einzelpreis, stuckpreis, preis pro stuck, preis je stuck, vk preis,
        verkaufspreis, prix unitaire, prix unit, pu, pu ht, precio unitario, precio por unidad, stukprijs,
        eenheidsprijs, prijs per stuk, prezzo unitario, prezzo per unita | price, preis, prix, precio, prijs, prezzo""",
    "product": """product id, product code, product, product no, product number, product sku, product key, sku, item id,
        item, item no, item number, item code, article id, article, article no, article number, article code,
        stock code, stockcode, material, material number, material no, upc, ean, gtin, asin, isbn, variant id,
        variant sku, part number, part no, plu, style code, artikel, artikelnummer, artikel nr, artikel id, produkt,
        produktnummer, produkt nr, produkt id, produktcode, materialnummer, produit, id produit, code produit,
        ref produit, reference produit, code article, ref article, producto, id producto, codigo producto,
        codigo de producto, cod producto, articulo, codigo articulo, artikelcode, productcode, productnummer, prodotto,
        id prodotto, codice prodotto, cod prodotto, articolo, codice articolo""",
    "product_name": """product name, product title, product description, item name, item description, item title,
        article name, article description, description, stock description, lineitem name, line item name, produktname,
        produktbezeichnung, artikelbezeichnung, artikelname, bezeichnung, artikelbeschreibung, beschreibung,
        nom produit,
        nom du produit, libelle, libelle produit, libelle article, designation, nombre producto, nombre del producto,
        descripcion, descripcion producto, productnaam, omschrijving, artikelomschrijving, beschrijving,
        nome prodotto, descrizione, descrizione prodotto, descrizione articolo""",
    "category": """category, product category, item category, category name, product category name, product group,
        product type, product line, department, dept, sub category, subcategory, series, class, merchandise group,
        kategorie, produktkategorie, warengruppe, artikelgruppe, produktgruppe, sortiment, abteilung, categorie,
        categorie produit, famille, famille produit, rayon, categoria, categoria producto, familia, seccion,
        productcategorie, productgroep, artikelgroep, afdeling, categoria prodotto, gruppo merceologico, reparto""",
    "transactions.channel": """channel, sales channel, order channel, purchase channel, source channel, order source,
        platform, vertriebskanal, verkaufskanal, kanal, bestellkanal, canal, canal de vente, canal vente,
        canal de venta, canal de ventas, verkoopkanaal, kanaal, canale, canale di vendita | source, device, medium""",
    "store": """store, store id, store no, store number, store name, store code, shop, shop id, branch, branch id,
        outlet,
        location, location id, warehouse, pos, point of sale, filiale, filial nr, filialnummer, markt, geschaft, laden,
        magasin, id magasin, boutique, point de vente, agence, tienda, id tienda, sucursal, punto de venta, winkel,
        winkel id, filiaal, vestiging, negozio, id negozio, punto vendita""",
    "discount": """discount, discount amount, discount value, total discount, coupon discount, promo discount, rabatt,
        rabattbetrag, nachlass, preisnachlass, remise, montant remise, rabais, reduction, descuento,
        importe descuento, korting, kortingsbedrag, sconto, importo sconto""",
    "cost": """cost, cogs, cost of goods, cost of goods sold, cost price, line cost, total cost, item cost, einstand,
        einstandswert, wareneinsatz, cout, cout total, prix de revient, coste, coste total, costo, costo total,
        kostprijs, inkoopwaarde, costo del venduto""",
    # Only where somebody maps it: a company on an order mostly describes the customer.
    "transactions.account": "account concerned",
    "events.account": "account concerned",
    # opportunities
    "opportunity": """opportunity id, opportunity, opportunity no, opportunity number, deal id, deal no, deal number,
        verkaufschance, opportunite, oportunidad""",
    "opportunities.stage": "stage, stage name, deal stage, opportunity stage, sales stage, pipeline stage, deal status",
    "opportunities.amount": "amount, deal value, deal amount, close value, opportunity amount, expected revenue",
    "probability": "probability, deal probability, win probability, close probability, wahrscheinlichkeit",
    "created_at": "created at, created date, create date, engage date, opened on, opportunity created",
    "closes_at": "close date, closed at, closing date, expected close date",
    # stores
    "store_name": "store name, branch name, shop name, outlet name, filialname, nom du magasin, nombre tienda",
    "stores.store": """store code, store id, store, store no, store number, branch, branch id, branch code, outlet id,
        shop id, shop code, filiale, filialnummer, filial nr, magasin, id magasin, tienda, id tienda, winkel, filiaal,
        negozio, id negozio""",
    "opened_on": "opened on, opening date, open since, eroffnet am, date ouverture",
    "closed_on": "closed on, closing date, closed since, geschlossen am, date fermeture",
    # events
    "events.name": """event, event name, event type, event title, action, action type, activity, activity type,
        event category, interaction, interaction type, behavior, behaviour, behavior type, ereignis, aktion, aktivitat,
        evenement, action utilisateur, type evenement, evento, accion, actividad, tipo de evento, gebeurtenis, actie,
        activiteit, azione, attivita, tipo evento | name, type""",
    "events.time": """event time, event timestamp, event date, event datetime, occurred at, happened at, timestamp, ts,
        time, datetime, date, visited at, clicked at, opened at, sent at, received at, server time, event at, logged at,
        zeitstempel, zeitpunkt, datum, horodatage, date evenement, fecha, fecha evento, marca de tiempo, tijdstip,
        tijdstempel, data, data evento, ora | created at, session start, created""",
    "events.channel": "channel, medium, source, platform, device, kanal, canal, kanaal, canale",
    "page": "page, page url, url, page path, path, screen, screen name, page title, page location, seite, pagina",
    "text": """review text, reviewtext, review, review body, ticket text, ticket body, message text, message body,
        comment, comments, comment text, feedback, feedback text, verbatim, bewertungstext, rezension, kommentar,
        nachricht, commentaire, avis, comentario, opinion, resena, opmerking, recensie, commento, recensione
        | text, message, body, description""",
    "user_agent": "user agent, useragent, browser agent, ua",
    "app_version": "app version, application version, client version, app release",
    "properties": "properties, props, event properties, payload, metadata, attributes, event params",
    # responses
    "survey": """survey, survey id, survey name, questionnaire, poll, umfrage, befragung, fragebogen, enquete, sondage,
        encuesta, enquete naam, sondaggio, indagine""",
    "question": """question, question id, question code, item code, question no, question number, frage, fragen id,
        frage nr, code question, pregunta, codigo pregunta, vraag, vraag id, domanda, codice domanda""",
    "item": """item, question text, item text, wording, statement, question wording, fragetext, aussage, texte question,
        libelle question, enunciado, texto pregunta, vraagtekst, stelling, testo domanda""",
    "answer": """answer, response, answer value, answer text, response value, rating, score, antwort, antwortwert,
        reponse, respuesta, antwoord, risposta""",
    "responses.time": """answered at, response date, response time, submitted at, completed at, survey date, date,
        timestamp, time, datum, beantwortet am, date reponse, fecha, fecha respuesta, ingevuld op, data, data risposta
        | created at""",
    # costs
    "costs.type": "cost type, type of cost, cost category, expense type, type, kostenart, type de cout, tipo de coste, "
    "kostensoort, tipo di costo, category, activity",
    "costs.amount": """cost, amount, cost amount, expense, spend, costs, kosten, betrag, cout, montant, depense, coste,
        costo, importe, gasto, bedrag, importo, spesa""",
    "costs.channel": "channel, medium, source, campaign, kanal, canal, kanaal, canale",
    "costs.time": "date, time, month, cost date, spent at, day, datum, monat, mois, fecha, mes, maand, data, mese",
    # products
    "unit_cost": """unit cost, cost per unit, cost, cost price, purchase price, buying price, cogs, einkaufspreis,
        ek preis, selbstkosten, prix achat, prix d achat, cout unitaire, coste unitario, precio compra, inkoopprijs,
        kostprijs, costo unitario, prezzo di acquisto""",
    "list_price": """list price, price, retail price, sales price, sale price, selling price, unit price, msrp, rrp,
        listenpreis, preis, verkaufspreis, vk preis, uvp, prix, prix catalogue, prix de vente, precio, precio venta,
        precio de venta, pvp, prijs, verkoopprijs, adviesprijs, prezzo, prezzo di listino, prezzo di vendita""",
    # consents
    "status": """consent, consent status, opt in, optin, opt in status, subscribed, permission, granted, status,
        einwilligung, zustimmung, einwilligungsstatus, consentement, statut consentement, consentimiento, toestemming,
        consenso""",
    "consents.channel": "channel, consent channel, medium, kanal, canal, kanaal, canale",
    "purpose": "purpose, consent purpose, consent type, zweck, finalite, finalidad, proposito, doel, finalita, scopo",
    "consents.time": """consent date, consented at, consent time, date, time, timestamp, given at, opt in date, datum,
        einwilligung am, date consentement, fecha, data | updated at, created at""",
    "proof": "proof, evidence, consent proof, nachweis, preuve, prueba, bewijs, prova",
    # market
    "cell": "cell, market cell, zelle, cellule, celda, cel, cella",
    "measure": "measure, metric, kennzahl, mesure, medida, maat, misura",
    "market.value": "value, wert, valeur, valor, waarde, valore",
    "source_name": "source, publisher, quelle, source name, fuente, bron, fonte",
    "published": "published, publication date, published at, veroffentlicht, date publication",
}

# Words in a file's name that hint at what its rows are.
FILE_WORDS: dict[str, str] = {
    "transactions": """order orders transaction transactions sale sales invoice invoices purchase purchases receipts
        basket pipeline opportunities deals bestellungen auftrage rechnungen verkaufe umsatze kaufe commandes ventes
        factures achats pedidos ventas facturas compras bestellingen verkopen facturen aankopen ordini vendite fatture
        acquisti retail""",
    "customers": """customer customers client clients people persons contacts members users crm demographics profiles
        kunden kontakte mitglieder personen adherents personnes clientes contactos socios klanten leden contacten
        clienti contatti utenti""",
    "accounts": """accounts companies organisations organizations firmen unternehmen konten entreprises societes
        empresas
        cuentas bedrijven aziende imprese""",
    "products": """product products items articles catalogue catalog sku produkte artikel sortiment produits productos
        articulos producten prodotti articoli""",
    "events": """event events clicks clickstream visits sessions logs tracking ereignisse klicks evenements eventos
        gebeurtenissen eventi""",
    "responses": "response responses survey answers umfrage antworten reponses enquete respuestas antwoorden risposte",
    "opportunities": "opportunity opportunities deal deals pipeline verkaufschancen oportunidades",
    "stores": "store stores branch branches shops outlets filialen laden magasins tiendas winkels negozi",
    "costs": "cost costs expenses spend kosten ausgaben couts depenses costes gastos uitgaven costi spese",
    "consents": """consent consents optins permissions einwilligungen consentements consentimientos toestemmingen
        consensi""",
    "market": "market markt marche mercado mercato",
    "places": """places population census postcodes zipcodes zip demographics bevolkerung einwohner recensement
        poblacion bevolking popolazione""",
}


def words_in(text: str) -> frozenset[str]:
    """A set of words, written as text."""
    return frozenset(text.split())


# Small words that names are written with and without: 'numéro de client', 'number of children'.
_SMALL = frozenset(("of", "the", "de", "d", "du", "des", "del", "della", "dell", "di", "van", "het", "der", "el"))


@lru_cache(maxsize=50_000)
def words_of(name: str) -> tuple[str, ...]:
    """The folded words of a name, split at case borders and at whatever is no letter or digit, without small words.

    >>> words_of("KundenNr."), words_of("Strasse_Hausnummer1"), words_of("numéro de client"), words_of("CustomerID")
    (('kunden', 'nr'), ('strasse', 'hausnummer', '1'), ('numero', 'client'), ('customer', 'id'))
    """
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])|(?<=[A-Z])(?=[A-Z][a-zà-ÿ]{2})", " ", name)
    plain = unicodedata.normalize("NFKD", spaced.replace("ß", "ss")).lower()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    words = re.findall(r"[^\W\d_]+|\d+", plain)
    return tuple(word for word in words if word not in _SMALL) or tuple(words)


def fold(name: str) -> str:
    """The name as it is compared.

    >>> fold("Käufer-ID") == fold("kaeufer_id") == fold("KaeuferId")
    True
    """
    return "".join(words_of(name))


@dataclass(frozen=True)
class Synonyms:
    """The folded names of one concept: those that mean it, and those that may."""

    strong: frozenset[str]
    weak: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]  # strong names of two words and more, or one long word: found inside names


def folded_words(text: str) -> frozenset[str]:
    """A set of words, written as text, as :func:`fold` compares them."""
    return frozenset(fold(word) for word in text.split())


# One-word names too general to be recognised at the end of a longer name ('ship date', 'payment type').
_GENERAL = folded_words(
    """name date data datum fecha time type value amount status price total number item items product order
    account country state source day class category cost score channel page nombre nom nome account land rating age
    customer client cliente klant kunde store shop location region title address history revenue sales discount units
    volume income question answer response member user contact city degree job"""
)


def _read(text: str) -> Synonyms:
    strong, _, weak = text.partition("|")

    def names(part: str) -> list[tuple[str, ...]]:
        return [words for name in part.split(",") if (words := words_of(name))]

    phrases = tuple(w for w in names(strong) if "".join(w) not in _GENERAL and (len(w) > 1 or len(w[0]) > 5))
    return Synonyms(
        frozenset("".join(w) for w in names(strong)),
        frozenset("".join(w) for w in names(weak)),
        tuple(sorted(set(phrases), key=len, reverse=True)),
    )


CONCEPTS: dict[str, Synonyms] = {name: _read(text) for name, text in _SYNONYMS.items()}
KIND_WORDS: dict[str, frozenset[str]] = {kind: folded_words(text) for kind, text in FILE_WORDS.items()}
_EXACT: dict[str, frozenset[str]] = {
    name: frozenset(concept for concept, s in CONCEPTS.items() if name in s.strong)
    for name in frozenset().union(*(s.strong for s in CONCEPTS.values()))
}


def concept_of(table: str, column: str) -> str:
    """The concept behind a column of a table: its own where the name alone would be ambiguous."""
    own = f"{table}.{column}"
    return own if own in CONCEPTS else column


# Words around a name that do not change what it means: 'shop_customer_id', 'customer_id_hash'.
_NEUTRAL = folded_words(
    """the my our str txt dim fact fk pk src raw crm erp shop web store system main master primary
    hash hashed key utc local unique original new clean cleaned value actual current"""
)


@lru_cache(maxsize=20_000)
def name_score(name: str, concept: str) -> float:
    """How well a column name says a concept: 1 its very name, 0.8 a name of several meanings, 0.7 part of it, 0 not.

    >>> name_score("Customer ID", "customer"), name_score("created_at", "joined_at"), name_score("Menge", "city")
    (1.0, 0.8, 0.0)
    """
    synonyms = CONCEPTS.get(concept)
    words = words_of(name)
    if synonyms is None or not words:
        return 0.0
    whole = "".join(words)
    if whole in synonyms.strong or whole in synonyms.weak:
        return 1.0 if whole in synonyms.strong else 0.8
    if whole in _EXACT:
        return 0.0
    core = "".join(w for w in words if w not in _NEUTRAL)
    if core != whole and core in synonyms.strong:
        return 0.85
    if concept == "generic_id":  # its phrases would be found in the name of every other id
        return 0.0
    around = (words[: len(p)] == p or words[-len(p) :] == p for p in synonyms.phrases if len(p) < len(words))
    return 0.7 if any(around) else 0.0


@lru_cache(maxsize=50_000)
def has_word(name: str, phrase: str) -> bool:
    """Whether the words of a phrase stand side by side in a name.

    >>> has_word("Total Extra Data Charges", "data charges"), has_word("spice", "ice")
    (True, False)
    """
    words, wanted = words_of(name), words_of(phrase)
    n = len(wanted)
    return n > 0 and any(words[i : i + n] == wanted for i in range(len(words) - n + 1))

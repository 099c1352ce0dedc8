"""Exports of well-known systems, recognised by their headers: event logs, CRM, costs, consents, market research."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from segmentry.data.known import Known, by_name, column, customer_ids, emails, first_of, made, quoted_text
from segmentry.data.mapping import ColumnMap, Mapped, quoted
from segmentry.data.profiling import ColumnProfile, TableProfile
from segmentry.data.vocabulary import fold, folded_words, name_score, words_in, words_of


def find_export(table: TableProfile, words: frozenset[str] = frozenset()) -> Known | None:
    """The known export that a file is; ``words`` are those of its name. None where it is none."""
    return next((found for judge in _EXPORTS if (found := judge(table, words)) is not None), None)


def _has(table: TableProfile, *names: str) -> bool:
    return all(by_name(table, name) is not None for name in names)


def _filled(table: TableProfile, *names: str) -> list[ColumnProfile]:
    return [c for name in names if (c := by_name(table, name)) is not None and c.filled]


def _first(table: TableProfile, *names: str) -> Mapped | None:
    return first_of(_filled(table, *names), 0.97)


def _known(columns: dict[str, Mapped | None]) -> ColumnMap:
    return {target: found for target, found in columns.items() if found is not None}


# Behaviour ------------------------------------------------------------------------------------------------------------


def _segment_spec(table: TableProfile, _: frozenset[str]) -> Known | None:
    """Calls of Segment's specification; RudderStack and Jitsu write the same."""
    kind = by_name(table, "type")
    calls = {"track", "identify", "page", "screen", "group", "alias"}
    if kind is None or not kind.levels or not {v.casefold() for v in kind.levels} <= calls:
        return None
    time = _filled(table, "timestamp", "originalTimestamp", "sentAt", "receivedAt")
    if not time or not (_has(table, "anonymousId") or _has(table, "userId")):
        return None
    app = _filled(table, "context.app.version", "context.app.name")
    channel = f"case when {quoted(app[0].name)} is not null then 'app' else 'web' end" if app else "'web'"
    columns: dict[str, Mapped | None] = {
        "customer": _first(table, "userId"),
        "visitor": _first(table, "anonymousId"),
        "time": column(time[0].name),
        "name": first_of([*_filled(table, "event"), kind], 0.97),
        "channel": made(channel, "calls of an app tell its version" if app else "no call of an app", 0.9),
        "page": _first(table, "context.page.path", "properties.path", "context.page.url", "properties.url"),
        "user_agent": _first(table, "context.userAgent"),
        "app_version": _first(table, "context.app.version"),
    }
    message = by_name(table, "messageId")
    return Known(
        kind="events",
        confidence=0.98,
        key=(message.name,) if message is not None and message.fill == 1 else (),
        reasons=("each row is a call of the Segment specification (track, page, screen, identify ...)",),
        columns=_known(columns),
        timezone="UTC",
    )


def _ga4(table: TableProfile, _: frozenset[str]) -> Known | None:
    if not _has(table, "event_timestamp", "event_name", "event_params"):
        return None
    platform = _filled(table, "platform")
    columns: dict[str, Mapped | None] = {
        "customer": _first(table, "user_id"),
        "visitor": _first(table, "user_pseudo_id"),
        "time": made("_time", "event_timestamp, in microseconds", 1.0),
        "name": column("event_name"),
        "channel": made(f"lower({platform[0].name})", "the platform", 0.95, [platform[0].name]) if platform else None,
        "page": made("_page", "the parameter page_location", 1.0),
        "properties": made("_properties", "all parameters, as JSON", 1.0),
    }
    return Known(
        kind="events",
        confidence=0.98,
        reasons=("each row is an event of Google Analytics 4 in the shape of its BigQuery export",),
        columns=_known(columns),
        layout="ga4_events",
    )


_MAIL_EVENTS = words_in(
    """sent send delivered delivery deferred opened open opens clicked click clicks bounced bounce softbounce hardbounce
    dropped unsubscribed unsubscribe unsub complaint complained spamreport spam markedasspam abuse receivedemail
    openedemail clickedemail bouncedemail unsubscribedfromemail markedemailasspam droppedemail"""
)


def _mailing(table: TableProfile, _: frozenset[str]) -> Known | None:
    """What marketing automation logs: e-mail address, campaign, what happened, when."""
    addresses, times = emails(table.columns), [c for c in table.columns if c.is_time]
    acts = [c for c in table.columns if c.levels and _share_in(c, _MAIL_EVENTS) >= 0.8 and c.distinct <= 30]
    if not addresses or not times or not acts:
        return None
    ids = [c for c in customer_ids(table.columns) if c not in addresses]
    time = max(times, key=lambda c: (name_score(c.name, "events.time"), c.fill))
    links = [c for c in table.columns if c.filled and (c.shares["url"] >= 0.5 or fold(c.name) == "url")]
    campaigns = [c for c in table.columns if "campaign" in words_of(c.name) or fold(c.name) in {"subject", "mailing"}]
    columns: dict[str, Mapped | None] = {
        "customer": first_of([*ids[:1], addresses[0]], 0.9),
        "time": column(time.name),
        "name": column(acts[0].name, 0.97),
        "channel": made("'email'", "what happens to e-mails", 0.97),
        "page": column(links[0].name) if links else None,
        "properties": column(campaigns[0].name, 0.9, "the campaign") if campaigns else None,
    }
    reasons = (f"each row has an e-mail address, a time and what happened to an e-mail ({acts[0].name})",)
    return Known("events", 0.96, reasons, _known(columns))


def _share_in(of: ColumnProfile, words: frozenset[str]) -> float:
    hits = sum(1 for v in of.values if fold(v) in words)
    return hits / len(of.values) if of.values else 0.0


_ARMS = words_in("arm variant variante variation treatment testgroup testgruppe versuchsgruppe")
_MAYBE_ARMS = words_in("group gruppe groupe grupo cell bucket split test")
_HELD_OUT = words_in("control holdout heldout kontrolle kontrollgruppe controle temoin control_group controlgroup")
_SENT = words_in("sent send mailed emailed delivered exposed assigned versendet verschickt gesendet envoye enviado")
_MOST_OF_EXPERIMENT = 12  # columns; a wider table with a group describes customers


def _experiment(table: TableProfile, _: frozenset[str]) -> Known | None:
    """Who was in which arm of an experiment, and when something was sent to them."""
    times = [c for c in table.columns if c.is_time and _SENT & set(words_of(c.name))]
    who = [*customer_ids(table.columns)[:1], *emails(table.columns)[:1]]
    arms = [c for c in table.columns if c.levels and 2 <= c.distinct <= 10 and c not in who and _is_arm(c)]
    if not times or not who or not arms or len(table.columns) > _MOST_OF_EXPERIMENT:
        return None
    sent, arm = times[0], arms[0]
    by_mail = bool(emails(table.columns))
    columns: dict[str, Mapped | None] = {
        "customer": first_of(who, 0.95),
        "time": column(sent.name),
        "name": made("'campaign sent'", "each row is somebody to whom a campaign was sent, or not", 0.95),
        "channel": made("'email'", "sent to an address", 0.9) if by_mail else None,
        "properties": column(arm.name, 0.95, "the arm of the experiment"),
    }
    aside = {} if sent.fill == 1 else {HELD_OUT: f"{quoted(sent.name)} is null"}
    notes = ("Who was held out got nothing: such rows are set aside.",) if aside else ()
    reason = f"each row is a recipient, the arm of an experiment ({arm.name}) and when it was sent ({sent.name})"
    return Known("events", 0.95, (reason,), _known(columns), set_aside=aside, notes=notes)


HELD_OUT = "held out of the campaign: nothing was sent"


def _is_arm(of: ColumnProfile) -> bool:
    words = set(words_of(of.name))
    return bool(_ARMS & words) or (bool(_MAYBE_ARMS & words) and any(fold(v) in _HELD_OUT for v in of.values))


_NETWORKS = words_in(
    "twitter x facebook instagram linkedin tiktok youtube pinterest reddit threads mastodon bluesky xing"
)


def _social(table: TableProfile, _: frozenset[str]) -> Known | None:
    networks = [c for c in table.columns if c.levels and _share_in(c, _NETWORKS) >= 0.8]
    acts = [
        c for c in table.columns if {"interaction", "engagement", "action"} & set(words_of(c.name)) and c.is_category
    ]
    times = [c for c in table.columns if c.is_time]
    who = [c for c in table.columns if {"author", "handle", "username", "profile"} & set(words_of(c.name)) and c.filled]
    if not networks or not acts or not times or not who:
        return None
    ids = [c for c in customer_ids(table.columns) if c not in who and c.fill > 0]
    posts = [c for c in table.columns if {"post", "url", "permalink", "link"} & set(words_of(c.name)) and c not in acts]
    columns: dict[str, Mapped | None] = {
        "customer": first_of([*ids[:1], min(who, key=lambda c: "handle" not in words_of(c.name))], 0.85),
        "time": column(times[0].name),
        "name": column(acts[0].name, 0.95),
        "channel": made("'social'", "what happens on social networks", 0.97),
        "page": column(posts[0].name, 0.9) if posts else None,
        "properties": column(networks[0].name, 0.9, "the network"),
    }
    return Known("events", 0.93, (f"each row is something done on a network ({networks[0].name})",), _known(columns))


def _tickets(table: TableProfile, _: frozenset[str]) -> Known | None:
    """Help desk tickets: something that a customer did, on a channel of its own."""
    if not _has(table, "subject", "status") or not (_has(table, "priority") or _has(table, "requester_email")):
        return None
    created = by_name(table, "created_at", "created", "created date", "create date")
    who = [*customer_ids(table.columns)[:1], *emails(table.columns)[:1]]
    if created is None or not created.is_time or not who:
        return None
    columns: dict[str, Mapped | None] = {
        "customer": first_of(who, 0.9),
        "time": column(created.name),
        "name": made("'ticket'", "each row is a ticket", 0.95),
        "channel": made("'support'", "what reaches the help desk", 0.95),
        "page": _first(table, "subject"),
        "text": _written(table),
        "properties": _first(table, "tags", "status"),
    }
    return Known("events", 0.95, ("each row is a ticket of a help desk",), _known(columns))


_REVIEWS = words_in(
    """review reviews reviewtext feedback comment comments verbatim rezension rezensionen bewertungstext kommentar
    kommentare avis commentaire commentaires opinion opiniones resena resenas comentario comentarios recensione
    recensioni commento recensie recensies opmerking"""
)
_MOST_OF_REVIEWS = 12  # columns; a wider table with a comment describes orders or customers
_LONG_TEXT = 40  # characters


def _reviews(table: TableProfile, _: frozenset[str]) -> Known | None:
    """Reviews and comments, a text a row: something that a customer did, on a day or on no day that is known."""
    who = [*customer_ids(table.columns)[:1], *emails(table.columns)[:1]]
    texts = [c for c in table.columns if _REVIEWS & set(words_of(c.name)) and c.stored == "text" and c not in who]
    texts = [c for c in texts if c.max_length > _LONG_TEXT and not c.is_category and not c.is_time and not c.is_number]
    if not who or not texts or len(table.columns) > _MOST_OF_REVIEWS or _has(table, "amount"):
        return None
    times = [c for c in table.columns if c.is_time]
    reason = f"each row is a text that a customer wrote ({texts[0].name})"
    if not times:
        answers: dict[str, Mapped | None] = {
            "customer": first_of(who, 0.9),
            "question": made("'review'", "each row is a text", 0.9),
            "answer": column(texts[0].name),
        }
        return Known("responses", 0.93, (reason,), _known(answers))
    columns: dict[str, Mapped | None] = {
        "customer": first_of(who, 0.9),
        "time": column(times[0].name),
        "name": made("'review'", "each row is a text", 0.9),
        "text": column(texts[0].name),
    }
    return Known("events", 0.93, (reason,), _known(columns))


def _written(table: TableProfile) -> Mapped | None:
    """What a ticket says: its subject and, where the export has it, its text."""
    subject, *texts = _filled(table, "subject", "description", "body", "message", "comment", "text")
    if not texts:
        return column(subject.name, 0.9, "the subject; the export has no text")
    both = f"concat({quoted(subject.name)}, '. ', {quoted(texts[0].name)})"
    return made(both, "subject and text", 0.9, [subject.name, texts[0].name])


# CRM ------------------------------------------------------------------------------------------------------------------

_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
# Ids begin with three characters that say what the record is.
_OBJECTS = {"001": "Account", "003": "Contact", "006": "Opportunity", "00Q": "Lead", "00v": "CampaignMember"}


def _salesforce_object(table: TableProfile) -> str | None:
    id_ = by_name(table, "Id", "Account ID", "Contact ID", "Opportunity ID", "Lead ID", "Member ID")
    if id_ is None or not id_.values or not all(_SALESFORCE_ID.fullmatch(v) for v in id_.values):
        return None
    objects = {_OBJECTS.get(v[:3]) for v in id_.values}
    return objects.pop() if len(objects) == 1 else None


def _salesforce(table: TableProfile, _: frozenset[str]) -> Known | None:
    found = _salesforce_object(table)
    if found is None:
        return None
    what = {
        "Account": _organisations,
        "Contact": _contacts,
        "Lead": _contacts,
        "Opportunity": _deals,
        "CampaignMember": _campaign_members,
    }[found]
    return what(table, f"each row is a Salesforce {found}")


def _hubspot(table: TableProfile, _: frozenset[str]) -> Known | None:
    if not _has(table, "Record ID"):
        return None
    if _has(table, "Deal Name") or _has(table, "Deal Stage"):
        return _deals(table, "each row is a HubSpot deal")
    if _has(table, "First Name") or _has(table, "Last Name") or _has(table, "Lifecycle Stage", "Email"):
        return _contacts(table, "each row is a HubSpot contact")
    if _has(table, "Company name"):
        return _organisations(table, "each row is a HubSpot company")
    return None


_IDS = ("Id", "Record ID", "Contact ID", "Account ID", "Opportunity ID", "Lead ID")


def _contacts(table: TableProfile, reason: str) -> Known | None:
    own = _filled(table, *_IDS)[0]
    account = by_name(
        table, "AccountId", "Account ID", "Associated Company IDs", "Primary Associated Company ID",
        "Associated Company", "Associated Company (Primary)", "Company Name", "Company",
    )  # fmt: skip
    taken = (own, account)
    numbers = [c for c in customer_ids(table.columns) if c not in taken and c.uniqueness > 0.5 and not c.is_boolean]
    columns: dict[str, Mapped | None] = {
        "customer": first_of([*numbers[:1], own], 0.95),
        "account": column(account.name) if account and account is not own and account.filled else None,
        "first_name": _first(table, "FirstName", "First Name"),
        "last_name": _first(table, "LastName", "Last Name"),
        "email": _first(table, "Email"),
        "phone": _first(table, "MobilePhone", "Mobile Phone Number", "Phone", "Phone Number"),
        "joined_at": _first(table, "CreatedDate", "Create Date"),
        "updated_at": _first(table, "LastModifiedDate", "SystemModstamp", "Last Modified Date"),
        "city": _first(table, "MailingCity", "City"),
        "postcode": _first(table, "MailingPostalCode", "PostalCode", "Postal Code"),
        "region": _first(table, "MailingState", "State/Region", "State"),
        "country": _first(table, "MailingCountry", "Country/Region", "Country"),
        "birth_date": _first(table, "Birthdate", "Date of birth"),
        "gender": _first(table, "Gender__c", "Gender", "Salutation"),
    }
    notes: tuple[str, ...] = ()
    if numbers:
        notes = (f"A contact without {numbers[0].name} is known by its own {own.name}: no contact is lost.",)
    return Known("customers", 0.97, (reason,), _known(columns), whole=False, notes=notes)


def _organisations(table: TableProfile, reason: str) -> Known | None:
    own = _filled(table, *_IDS)[0]
    columns: dict[str, Mapped | None] = {
        "account": column(own.name),
        "account_name": _first(table, "Name", "Company name", "Account Name"),
        "parent": _first(table, "ParentId", "Parent Company ID"),
        "industry": _first(table, "Industry"),
        "employees": _first(table, "NumberOfEmployees", "Number of Employees"),
        "revenue": _first(table, "AnnualRevenue", "Annual Revenue"),
        "founded": _first(table, "YearStarted", "Year Founded"),
        "country": _first(table, "BillingCountry", "Country/Region"),
        "domain": _first(table, "Website", "Company Domain Name", "Website URL"),
        "phone": _first(table, "Phone", "Phone Number"),
        "address": _first(table, "BillingStreet", "Street Address"),
        "city": _first(table, "BillingCity", "City"),
        "postcode": _first(table, "BillingPostalCode", "Postal Code"),
        "updated_at": _first(table, "LastModifiedDate", "SystemModstamp", "Last Modified Date"),
    }
    return Known("accounts", 0.97, (reason,), _known(columns), whole=False)


_WON = re.compile(r"(?i)(closed[ -]?)?won|gewonnen|gagn[ée]e?|ganad[oa]|vinto|vinta")
_OF_A_DEAL = (
    "Associated Company IDs", "Primary Associated Company ID", "Associated Company", "Associated Company (Primary)",
)  # fmt: skip
OPEN_OR_LOST = "lost or still open: no purchase"
NO_ACCOUNT = "names no account: a lead"


def _deals(table: TableProfile, reason: str) -> Known | None:
    """Deals that were won are purchases; the others are set aside, and so are those of nobody."""
    own = _filled(table, *_IDS)[:1]
    who = _filled(
        table, "ContactId", "AccountId", "Account ID", "account", "Associated Company IDs", "Associated Contact IDs",
        *_OF_A_DEAL[1:], "Associated Contact",
    )[:1]  # fmt: skip
    amount = _filled(table, "Amount", "close_value", "Amount in company currency")[:1]
    closed = _filled(table, "CloseDate", "Close Date", "close_date")[:1]
    lost = _not_won(table)
    if not who or not amount or not closed or lost is None:
        return None
    columns = {
        "customer": column(who[0].name, 0.9, "the organisation stands for the customer"),
        "order": column((own or _filled(table, "opportunity_id"))[0].name)
        if own or _has(table, "opportunity_id")
        else None,
        "time": column(closed[0].name),
        "amount": column(amount[0].name),
        "product": _first(table, "product"),
        "channel": _first(table, "LeadSource", "Original Source Type"),
    }
    aside = {}
    notes = ["Only deals that were won count as purchases."]
    if who[0].fill < 1:
        aside[NO_ACCOUNT] = f"{quoted(who[0].name)} is null"
        notes.append(f"Deals without {who[0].name} are set aside, unless `leads` keeps them as what they are.")
    aside[OPEN_OR_LOST] = lost
    return Known("transactions", 0.96, (reason,), _known(columns), set_aside=aside, notes=tuple(notes))


def opportunities_of(table: TableProfile) -> Known | None:
    """Deals as opportunities, the lost and the open ones included; None where nothing tells which were won."""
    own = _filled(table, *_IDS, "opportunity_id")[:1]
    who = _filled(table, "AccountId", "Account ID", "account", *_OF_A_DEAL)[:1]
    stage = _stage(table)
    if not own or not who or stage is None:
        return None
    columns = {
        "opportunity": column(own[0].name),
        "account": column(who[0].name, 0.9),
        "stage": stage,
        "amount": _first(table, "Amount", "close_value", "Amount in company currency"),
        "probability": _first(table, "Probability", "Deal probability"),
        "created_at": _first(table, "CreatedDate", "Create Date", "engage_date"),
        "closes_at": _first(table, "CloseDate", "Close Date", "close_date"),
        "product": _first(table, "product"),
        "updated_at": _first(table, "SystemModstamp", "LastModifiedDate", "Last Modified Date"),
    }
    reason = "each row is an opportunity with its stage: won, lost or still open"
    return Known("opportunities", 0.96, (reason,), _known(columns))


def _stage(table: TableProfile) -> Mapped | None:
    """The stage of a deal; won and lost by the columns that say so beyond doubt, where there are any."""
    stage = next(iter(_filled(table, "StageName", "Stage", "Deal Stage", "deal_stage")), None)
    won, closed = by_name(table, "IsWon", "Is Closed Won", "Is won"), by_name(table, "IsClosed", "Is Deal Closed?")
    if stage is None:
        return None
    if won is None or closed is None or not (won.is_boolean and closed.is_boolean):
        return column(stage.name)
    cases = [f"when {_is_yes(c)} then '{outcome}'" for c, outcome in ((won, "won"), (closed, "lost"))]
    text = f"case {' '.join(cases)} else {quoted(stage.name)} end"
    return made(text, "won and lost by the columns that say so", 0.97, (won.name, closed.name, stage.name))


def _is_yes(column: ColumnProfile) -> str:
    if column.stored == "boolean":
        return quoted(column.name)
    return f"{quoted(column.name)} = {next((quoted_text(v) for v in column.levels if _yes(v)), quoted_text('true'))}"


def _not_won(table: TableProfile) -> str | None:
    """The condition for a deal that was not won; None where nothing tells."""
    won = by_name(table, "IsWon", "Is Closed Won", "Is won")
    if won is not None and won.is_boolean:
        yes = "true" if won.stored == "boolean" else next((quoted_text(v) for v in won.levels if _yes(v)), "'true'")
        return f"{quoted(won.name)} <> {yes} or {quoted(won.name)} is null"
    for stage in _filled(table, "StageName", "Stage", "Deal Stage", "deal_stage"):
        words = [v for v in stage.levels if _WON.search(v) and not re.search(r"(?i)\b(not|un)\b", v)]
        if words:
            listed = ", ".join(quoted_text(v) for v in sorted(words))
            return f"coalesce({quoted(stage.name)}, '') not in ({listed})"
    return None


def _yes(value: str) -> bool:
    return value.casefold() in {"true", "1", "yes", "ja", "oui", "si", "sí", "wahr", "vrai", "t", "y"}


def _campaign_members(table: TableProfile, reason: str) -> Known | None:
    who = _filled(table, "ContactId", "LeadOrContactId", "LeadId")
    time = _filled(table, "FirstRespondedDate", "CreatedDate")
    if not who or not time:
        return None
    columns: dict[str, Mapped | None] = {
        "customer": first_of(who, 0.95),
        "time": first_of(time, 0.9),
        "name": _first(table, "Status") or made("'campaign member'", "no status is given", 0.8),
        "channel": made("'campaign'", "what campaigns bring about", 0.9),
        "properties": _first(table, "CampaignId", "Campaign"),
    }
    return Known("events", 0.95, (reason,), _known(columns))


def _pipeline(table: TableProfile, _: frozenset[str]) -> Known | None:
    """Opportunities of any CRM: a stage, an amount, a date on which the deal was closed."""
    if _has(table, "deal_stage", "close_value", "account"):
        return _deals(table, "each row is an opportunity with its stage and its value")
    return None


# Costs, consents, market ----------------------------------------------------------------------------------------------

_SPENT = words_in("spend cost costs amount kosten ausgaben cout couts depense depenses coste costes gasto gastos")
_ADVERTISING = words_in(
    "campaign adgroup adset impressions clicks ads advertising spend acquisition affiliate marketing"
)
_SERVICE = words_in("ticket service support handling call calls helpdesk kundendienst")
_MOST_OF_COSTS = 14  # columns; a wider table that speaks of costs, too, describes customers
_RETENTION = words_in("retention winback loyalty voucher vouchers")


def _costs(table: TableProfile, words: frozenset[str]) -> Known | None:
    if len(table.columns) > _MOST_OF_COSTS:
        return None
    own = {w for c in table.columns for w in words_of(c.name)} | words
    goods = ("order", "product", "quantity")
    ordered = [
        c
        for c in table.columns
        if any(name_score(c.name, g) >= 0.8 for g in goods) and "ticket" not in words_of(c.name)
    ]
    money = [c for c in table.columns if _SPENT & set(words_of(c.name)) and c.is_number and c.filled]
    says = own & {"cost", "costs", "spend", "expenses", "kosten", "ausgaben", "couts", "depenses", "costes", "gastos"}
    if not money or ordered or not says or any(name_score(c.name, "costs.type") == 1 and fold(c.name) != "category"
                                               and c.is_category for c in table.columns):  # fmt: skip
        return None
    kinds = (("service", _SERVICE), ("retention", _RETENTION), ("acquisition", _ADVERTISING))
    kind = next((name for name, words_ in kinds if own & words_), None)
    times = [c for c in table.columns if c.is_time]
    if kind is None or not (times or customer_ids(table.columns)):
        return None
    channel = [c for c in table.columns if name_score(c.name, "costs.channel") >= 0.8 and not c.is_number]
    channel.sort(key=lambda c: -(fold(c.name) in {"channel", "kanal", "canal"}))
    columns: dict[str, Mapped | None] = {
        "customer": first_of([*customer_ids(table.columns)[:1], *emails(table.columns)[:1]], 0.95),
        "time": column(times[0].name) if times else None,
        "type": made(quoted_text(kind), "what the columns and the file's name speak of", 0.85),
        "amount": column(max(money, key=lambda c: "spend" in words_of(c.name)).name, 0.95),
        "channel": column(channel[0].name) if channel else None,
    }
    who = "of a customer, or of a channel" if columns["customer"] else "of a channel"
    return Known("costs", 0.93, (f"each row is a cost {who}: {columns['amount'].expression}",), _known(columns))  # type: ignore[union-attr]


_GRANTED = folded_words(
    """granted given yes true optin optedin subscribed accepted allowed consented agreed active zugestimmt erteilt
    accorde consenti aceptado otorgado"""
)
_DENIED = folded_words(
    """denied no false optout optedout unsubscribed rejected refused withdrawn revoked objected declined cleaned
    abgelehnt widerrufen refuse retire rechazado revocado pending"""
)


def _consents(table: TableProfile, _: frozenset[str]) -> Known | None:
    status = [c for c in table.columns if c.distinct <= 8 and c.levels and _share_in(c, _GRANTED | _DENIED) >= 0.95]
    status = [c for c in status if name_score(c.name, "status") >= 0.7 or "consent" in words_of(c.name)]
    purposes = [c for c in table.columns if name_score(c.name, "purpose") >= 0.7 and c.distinct <= 50]
    channels = [c for c in table.columns if name_score(c.name, "consents.channel") >= 0.8 and c.distinct <= 30]
    who = [*customer_ids(table.columns)[:1], *emails(table.columns)[:1]]
    if not status or not who or not (purposes or channels) or len(table.columns) > 12:
        return None
    times = [c for c in table.columns if c.is_time]
    proof = [c for c in table.columns if name_score(c.name, "proof") >= 0.7]
    columns: dict[str, Mapped | None] = {
        "customer": first_of(who, 0.95),
        "channel": column(channels[0].name) if channels else None,
        "purpose": column(purposes[0].name) if purposes else None,
        "status": _granted_or_denied(status[0]),
        "time": column(times[0].name) if times else None,
        "proof": column(proof[0].name) if proof else None,
    }
    reason = "each row has a customer and whether consent was given"
    return Known("consents", 0.97, (reason,), _known(columns))


def _granted_or_denied(status: ColumnProfile) -> Mapped:
    if set(status.levels) <= {"granted", "denied"}:
        return column(status.name)
    name = quoted(status.name)
    if status.stored == "boolean":
        return made(
            f"case when {name} then 'granted' when not {name} then 'denied' end", "yes and no", 0.9, [status.name]
        )

    def listed(words: frozenset[str]) -> str:
        return ", ".join(quoted_text(v) for v in sorted({v for v in status.levels if fold(v) in words}))

    cases = [f"when {name} in ({texts}) then '{word}'" for word, texts in
             (("granted", listed(_GRANTED)), ("denied", listed(_DENIED))) if texts]  # fmt: skip
    return made(f"case {' '.join(cases)} end", "its words, as granted or denied", 0.9, [status.name])


_FIGURES = words_in(
    """population share spend propensity size penetration households households index volume growth people adults
    bevolkerung anteil population_share"""
)


def _market(table: TableProfile, words: frozenset[str]) -> Known | None:
    """Cells of market research: conditions in columns, figures in long form (measure, value) or one a column."""
    if customer_ids(table.columns) or emails(table.columns):
        return None
    source = [c for c in table.columns if name_score(c.name, "source_name") >= 0.8 and not c.is_number]
    published = [c for c in table.columns if c.is_time or name_score(c.name, "published") == 1]
    measure, value = by_name(table, "measure", "metric"), by_name(table, "value", "figure")
    apart = (*source[:1], *published[:1], measure, value)
    others = [c for c in table.columns if c not in apart]
    cells = [
        c for c in others if not c.is_number and c.distinct <= 300 and fold(c.name) not in {"unit", "note", "notes"}
    ]
    long = measure is not None and value is not None and value.is_number
    figures = [] if long else [c for c in others if c.is_number and _FIGURES & set(words_of(c.name))]
    research = source or published or words & {"market", "research", "census", "markt", "marche", "mercado"}
    cell = by_name(table, "cell")
    conditions = [cell] if cell is not None else [c for c in cells if c.fill == 1]
    if not conditions or not research or not (long or (figures and _a_cell_a_row(conditions))):
        return None
    columns: dict[str, Mapped | None] = {
        "cell": column(cell.name) if cell else _condition(conditions),
        "measure": column(measure.name) if long and measure else made("_measure", "made by the layout", 1.0),
        "value": column(value.name) if long and value else made("_value", "made by the layout", 1.0),
        "source_name": column(source[0].name) if source else None,
        "published": column(published[0].name) if published else None,
    }
    reason = f"each row is a cell of the market ({', '.join(c.name for c in conditions)}) with figures"
    layout = None if long else "measures_in_columns"
    return Known("market", 0.93, (reason,), _known(columns), layout=layout, measures=tuple(c.name for c in figures))


def _a_cell_a_row(conditions: Sequence[ColumnProfile]) -> bool:
    rows = list(zip(*(c.sample for c in conditions), strict=True))
    return len(set(rows)) >= 0.9 * len(rows)


def _condition(columns: Sequence[ColumnProfile]) -> Mapped:
    """The cell as conditions over traits: age_band = '18-24' and region = 'Wales'."""
    parts = []
    for i, one in enumerate(columns):
        start = f"{' and ' if i else ''}{'_'.join(words_of(one.name))} = '"
        parts.append(f"{quoted_text(start)} || replace({quoted(one.name)}, '''', '''''') || ''''")
    return made(" || ".join(parts), "the conditions of the cell, put together", 0.9, [c.name for c in columns])


_EXPORTS: tuple[Callable[[TableProfile, frozenset[str]], Known | None], ...] = (
    _ga4,
    _segment_spec,
    _salesforce,
    _hubspot,
    _pipeline,
    _consents,
    _experiment,
    _mailing,
    _social,
    _tickets,
    _reviews,
    _market,
    _costs,
)

"""What events are: use of web site, app or product, mails and what became of them, contacts with support; and robots.

Sources call the same thing by many names. Each different pair of a name and a channel is looked at once, in Python, and
so is each different user agent; in the engine the answer is a list of names to compare with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from segmentry.traits import clock, user_agents
from segmentry.traits.known import KEY, Known, levels
from segmentry.traits.user_agents import Agent

_MOST_PAIRS = 10_000  # of so many pairs, the most frequent first, the kind is told; others count as use
_MOST_AGENTS = 50_000  # as many user agents are read, the most frequent first: a quarter of a millisecond each


class Kind(StrEnum):
    """What an event is."""

    USE = "use"  # done on the web site, in the app, with the product
    SENT = "mail sent"
    DELIVERED = "mail delivered"
    OPENED = "mail opened"
    CLICKED = "mail clicked"
    MESSAGE = "message"  # whatever else is about mails, text messages, letters
    CONTACT = "contact"  # with support


_MESSAGES = {"sms", "mms", "push", "whatsapp", "letter"}
_CONTACTS = {"ticket", "complaint", "call", "case"}
_SUPPORT = {"support", "helpdesk", "hotline"}
_OWN = {"web", "website", "site", "app", "mobile", "online", "shop", "ios", "android", "desktop", "browser", "product"}
_ACTS = {
    Kind.CLICKED: ("click",),
    Kind.OPENED: ("open",),
    Kind.DELIVERED: ("deliver", "receiv"),
    Kind.SENT: ("sent", "send"),
}


def kind_of(name: str, channel: str | None) -> Kind:
    """What an event of that name in that channel is.

    >>> kind_of("newsletter open", "email").value, kind_of("Application Opened", "app").value
    ('mail opened', 'use')
    >>> kind_of("Sent", "sms").value, kind_of("support ticket", "email").value, kind_of("Product Viewed", None).value
    ('message', 'contact', 'use')
    """
    said, by = _words(name), _words(channel or "")
    if said & _CONTACTS:
        return Kind.CONTACT
    mail_by_name = any("mail" in word or "newsletter" in word for word in said)
    if mail_by_name or any("mail" in word or "newsletter" in word for word in by):
        for kind, beginnings in _ACTS.items():
            if any(word.startswith(beginnings) for word in said):
                return kind
    if by & _OWN:
        return Kind.USE
    if mail_by_name or any("mail" in word or "newsletter" in word for word in by) or (said | by) & _MESSAGES:
        return Kind.MESSAGE
    return Kind.CONTACT if (said | by) & _SUPPORT else Kind.USE


def _words(text: str) -> set[str]:
    """The words of a name, also of one like emailOpened."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)}


@dataclass(frozen=True)
class EventLog:
    """The events of customers without those of robots.

    ``rows``: customer_key, time (UTC), day, and those of name, channel, user_agent and app_version that have values.
    ``agents`` says what user agents tell.
    """

    rows: ir.Table
    agents: Mapping[str, Agent]
    since: datetime
    until: datetime
    _pairs: Mapping[tuple[str, str | None], Kind] = field(default_factory=dict)

    def has(self, *kinds: Kind) -> bool:
        """Whether there is any event of these kinds."""
        return any(kind in kinds for kind in self._pairs.values())

    def of(self, *kinds: Kind) -> ir.BooleanValue:
        """Whether a row of ``rows`` is of one of the kinds."""
        if Kind.USE in kinds:
            return ~self._listed([kind for kind in Kind if kind not in kinds])
        return self._listed(kinds)

    def _listed(self, kinds: Sequence[Kind]) -> ir.BooleanValue:
        """Whether a row is one of the pairs that are known to be of the kinds."""
        by_name: dict[str, dict[str | None, bool]] = {}
        for (name, channel), kind in self._pairs.items():
            by_name.setdefault(name, {})[channel] = kind in kinds
        whole = sorted(name for name, channels in by_name.items() if all(channels.values()))
        found: ir.BooleanValue = self.rows["name"].isin(whole) if whole else ibis.literal(False)
        for name, channels in sorted(by_name.items()):
            if any(channels.values()) and not all(channels.values()):
                some = sorted(c for c, counts in channels.items() if counts and c is not None)
                among = self.rows["channel"].isin(some).fill_null(channels.get(None, False))
                found = found | ((self.rows["name"] == name) & among)
        return found

    def clock(self, zone: str) -> ir.TimestampValue:
        """What clocks of a zone showed."""
        return clock.on_clocks(self.rows["time"], zone, self.since, self.until)


def look(known: Known) -> EventLog | None:
    """Look at the events of customers; None when there are none."""
    if not known.has("events.name"):
        return None
    events = known.facts["events"]
    agents: dict[str, Agent] = {}
    if known.has("events.user_agent"):
        agents = {agent: user_agents.read(agent) for agent in levels(events["user_agent"], _MOST_AGENTS)}
        robots = sorted(agent for agent, told in agents.items() if told.robot)
        if robots:
            # Not a join: DuckDB would keep a copy of all events for the passes over them, twice the memory.
            events = events.filter(~events["user_agent"].isin(robots).fill_null(False))
    kept = [c for c in ("channel", "user_agent", "app_version") if known.has(f"events.{c}")]
    rows = events.select(KEY, "time", "name", *kept, day=events["time"].cast("date"))
    pairs = _pairs(rows)
    if not pairs:
        return None  # all of them were robots'
    since = events["time"].min().to_pyarrow().as_py()
    until = datetime.combine(known.as_of, time()) + timedelta(days=1)
    kinds = {pair: kind_of(*pair) for pair in pairs}
    return EventLog(rows, agents, since, until, kinds)


def _pairs(rows: ir.Table) -> list[tuple[str, str | None]]:
    by = ["name", *(["channel"] if "channel" in rows.columns else [])]
    counted = rows.group_by(by).agg(events=rows.count()).order_by([ibis.desc("events"), *by]).limit(_MOST_PAIRS)
    return [(row["name"], row.get("channel")) for row in counted.to_pyarrow().to_pylist()]

"""Technographic traits: the devices, systems and browsers that customers come with, their channels, their app.

All of them count events (:mod:`segmentry.traits.events`); a robot's are nobody's. User agents and versions are few, so
what each means is found out in Python and joined as a small table to what was counted by customer.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.traits.behavioral import FREQUENT, amount, chosen_members, whole
from segmentry.traits.events import EventLog
from segmentry.traits.known import KEY, Expression, Known, Part, combine, levels
from segmentry.traits.user_agents import DEVICES

_RELEASE = re.compile(r"[vV]?(\d+(?:\.\d+)*)(?:\+.*)?")  # semver.org: what follows + is no other version
_BEFORE = re.compile(r"[vV]?(\d+(?:\.\d+)*)[-. ]?[a-zA-Z].*")  # 6.2.0-beta3 comes before 6.2.0


def traits(known: Known, log: EventLog) -> Part:
    """The technographic traits whose data are there."""
    return combine(_devices(known, log), _channels(known, log), _app(log))


# Devices --------------------------------------------------------------------------------------------------------------


def _devices(known: Known, log: EventLog) -> Part:
    told = [(agent, *found[:3]) for agent, found in log.agents.items() if not found.robot]
    if not told:
        return Part()
    agents = ibis.memtable(told, schema=dict.fromkeys(("agent", "device", "operating_system", "browser"), "string"))
    used = log.rows.group_by([KEY, "user_agent"]).agg(events=log.rows.count())
    used = used.inner_join(agents, used["user_agent"] == agents["agent"])
    made: dict[Trait, Expression] = {TRAITS["main_device"]: _main_device}
    passes = []
    for place, name in enumerate(("operating_system", "browser"), start=2):
        if any(row[place] for row in told):
            passes.append(engine.mode(used, KEY, name, times="events"))
            made[TRAITS[name]] = _column(name)
    devices = {device: sum(row[1] == device for row in told) for device in DEVICES}
    members = chosen_members(known, "device_share_*", {device: n for device, n in devices.items() if n}, least=0)
    passes.append(used.group_by(KEY).agg(device_events=used["events"].sum(), **_counts(used, "device", DEVICES)))
    shares = {trait: _share("device", values, "device_events") for trait, values in members.items()}
    return Part(passes=tuple(passes), traits=made | shares)


def _counts(rows: ir.Table, column: str, values: Sequence[str]) -> dict[str, ir.Scalar]:
    """The events by value of a column, each in a column of its own."""
    return {_named(column, v): (rows[column] == v).ifelse(rows["events"], 0).sum() for v in values}


def _named(column: str, value: str) -> str:
    return f"{column}_events_{value}"


def _share(column: str, values: Sequence[str], total: str) -> Expression:
    def share(row: ir.Table) -> ir.Value:
        part: ir.NumericValue = ibis.literal(0.0)
        for value in values:
            part = part + amount(row[_named(column, value)])
        return engine.ratio(part, row[total])

    return share


def _main_device(row: ir.Table) -> ir.Value:
    """The device of most events; of equals the one that stands first in ``DEVICES``."""
    counts = {device: whole(row[_named("device", device)]) for device in DEVICES}
    most = ibis.greatest(*counts.values())
    return ibis.cases((most == 0, ibis.null("string")), *((count == most, device) for device, count in counts.items()))


def _column(name: str) -> Expression:
    return lambda row: row[name]


# Channels -------------------------------------------------------------------------------------------------------------


def _channels(known: Known, log: EventLog) -> Part:
    """How many channels they are seen in, and which share of their events is in each."""
    if "channel" not in log.rows.columns:
        return Part()
    rows = log.rows.select(KEY, channel=log.rows["channel"].strip().lower())
    found = levels(rows["channel"])
    members = chosen_members(known, "event_channel_share_*", found, least=sum(found.values()) * FREQUENT)
    rows = rows.filter(rows["channel"].notnull())
    used = rows.group_by([KEY, "channel"]).agg(events=rows.count())
    values = sorted({value for spelt in members.values() for value in spelt})
    counts = {
        _named("channel", str(i)): (used["channel"] == v).ifelse(used["events"], 0).sum() for i, v in enumerate(values)
    }
    counted = used.group_by(KEY).agg(channels=used.count(), channel_events=used["events"].sum(), **counts)
    shares = {
        trait: _share("channel", [str(values.index(value)) for value in spelt], "channel_events")
        for trait, spelt in members.items()
    }
    made: dict[Trait, Expression] = {TRAITS["channels_used"]: lambda row: whole(row["channels"])}
    return Part(passes=(counted,), traits=made | shares)


# The app's version ----------------------------------------------------------------------------------------------------


def _app(log: EventLog) -> Part:
    """How many releases newer than theirs anybody has; theirs is that of their last event with a version."""
    if "app_version" not in log.rows.columns:
        return Part()
    behind = releases_behind(levels(log.rows["app_version"]))
    if not behind:
        return Part()
    versions = ibis.memtable(list(behind.items()), schema={"version": "string", "behind": "int64"})
    used = log.rows.group_by([KEY, "app_version"]).agg(last=log.rows["time"].max())
    used = used.inner_join(versions, used["app_version"] == versions["version"])
    used = used.mutate(newest=used["last"].max().over(ibis.window(group_by=KEY)))
    lag = used.filter(used["last"] == used["newest"]).group_by(KEY).agg(versions_behind=ibis._["behind"].min())
    return Part(passes=(lag,), traits={TRAITS["app_version_lag"]: lambda row: row["versions_behind"]})


def releases_behind(versions: Iterable[str]) -> dict[str, int]:
    """How many of the releases among some versions are newer than each; what is no version is left out.

    >>> releases_behind(["6.1.0", "v6.2", "6.10", "6.2.0-beta2", "6.2.0+7", "unknown"])
    {'6.1.0': 2, 'v6.2': 1, '6.10': 0, '6.2.0-beta2': 2, '6.2.0+7': 1}
    """
    places = {version: place for version in versions if (place := _place(version)) is not None}
    releases = sorted({place for place in places.values() if place[1]})
    return {version: len(releases) - bisect_right(releases, place) for version, place in places.items()}


def _place(version: str) -> tuple[tuple[int, ...], bool] | None:
    """Where a version stands among others: its numbers without zeros at the end, and whether it is a release."""
    text = version.strip()
    found = _RELEASE.fullmatch(text) or _BEFORE.fullmatch(text)
    if found is None:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), _RELEASE.fullmatch(text) is not None

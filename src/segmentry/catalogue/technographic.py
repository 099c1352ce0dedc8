"""Which devices and technologies customers and accounts use."""

from __future__ import annotations

from segmentry.catalogue.trait import Kind, Model, Trait
from segmentry.tables import events

_NO_AGENT = "no event with a user agent that is not a robot's"


def _seen(
    name: str, kind: Kind, description: str, need: str, null_means: str, unit: str = "", member: str = ""
) -> Trait:
    pii = events[need].pii
    needs = ("events.time", f"events.{need}")
    return Trait(name, Model.TECHNOGRAPHIC, kind, description, unit, needs, pii, null_means, member)


TECHNOGRAPHIC: tuple[Trait, ...] = (
    _seen(
        "main_device", "category", "Device of most events: phone, tablet, desktop or other.", "user_agent", _NO_AGENT
    ),
    _seen(
        "device_share_*",
        "number",
        "Share of the events that came from one kind of device; a trait for each that there is.",
        "user_agent",
        _NO_AGENT,
        "share",
        "Share of the events that came from the device '{}'.",
    ),
    _seen("operating_system", "category", "Operating system of most events.", "user_agent", _NO_AGENT),
    _seen("browser", "category", "Browser of most events that came from a browser.", "user_agent", "no browser seen"),
    _seen(
        "app_version_lag",
        "number",
        "Releases of the app newer than that of the customer's last event, among all that are in use.",
        "app_version",
        "no event with a version of the app",
        "releases",
    ),
    _seen(
        "channels_used",
        "number",
        "Different channels of their events.",
        "channel",
        "never null: 0 without events",
        "channels",
    ),
    _seen(
        "event_channel_share_*",
        "number",
        "Share of the events that are in one channel; a trait for each frequent channel.",
        "channel",
        "no event in a known channel",
        "share",
        "Share of the events that are in the channel '{}'.",
    ),
)

_STACK = ("accounts.technologies",)
_NO_STACK = "nothing is said of its technologies"

OF_ACCOUNTS: tuple[Trait, ...] = (
    Trait(
        "stack_size",
        Model.TECHNOGRAPHIC,
        "number",
        "Technologies in use, by what its records list.",
        "technologies",
        _STACK,
        null_means=_NO_STACK,
    ),
    Trait(
        "technology_*",
        Model.TECHNOGRAPHIC,
        "boolean",
        "Whether a technology is in use; a trait for each frequent one.",
        needs=_STACK,
        null_means=_NO_STACK,
        member="Whether '{}' is in use.",
    ),
    Trait(
        "adoption_stage",
        Model.TECHNOGRAPHIC,
        "category",
        "innovator, early adopter, early majority, late majority or laggard (Rogers 2003), as the source states it; a "
        "spelling that is not known stays as it is.",
        needs=("accounts.adoption_stage",),
    ),
)

"""The section ``sources``: where records come from, and what their columns are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from segmentry import crm_objects
from segmentry.catalogue import Model
from segmentry.columns import Pii
from segmentry.config.part import NAME, Part, TextList
from segmentry.crm_objects import CRM_OBJECTS, CrmObject
from segmentry.errors import did_you_mean
from segmentry.tables import COLLECTABLE, TABLES


class Attribute(Part):
    """A further column of a source that becomes a trait."""

    expression: str = Field(alias="from", description="Column of the file, or an expression over its columns.")
    model: Model = Field(Model.BEHAVIORAL, description="The segmentation model that the trait belongs to.")
    kind: Literal["number", "category", "boolean"] = Field("category", description="What its values are.")
    unit: str = Field("", description="Unit of a number.")
    description: str = Field("", description="What it says about the customer.")
    pii: Pii = Field(Pii.NONE, description="How personal it is.")


class Answers(Part):
    """How a survey with one row per respondent becomes one row per answer."""

    leave_out: TextList = Field((), description="Columns that hold no answers. So do those that `columns` use.")
    several: dict[str, str] = Field({}, description="Column whose cells hold several answers: what separates them.")
    codes: dict[str, str] = Field(
        {}, description="Column: code of its question. Default: its name, or Q and its place."
    )
    duration: tuple[str, str] | None = Field(
        None, description="Columns of start and end; the seconds between them become the answer to _duration."
    )


# What a source's layout makes of a file, and the kinds of source that it is for.
LAYOUTS: dict[str, tuple[str, ...]] = {
    "answers_in_columns": ("responses",),
    "measures_in_columns": ("market",),
    "ga4_events": ("events",),
    "customers_in_rows": ("customers",),
}


class Source(Part):
    """Where records of one kind come from."""

    kind: str = Field(description="What a row of it is.", json_schema_extra={"enum": list(COLLECTABLE)})
    path: TextList | None = Field(None, description="File or files; * and ** are allowed. Relative to segmentry.yaml.")
    url: str | None = Field(
        None,
        description="Instead of a path: a database, such as postgresql://user:${PASSWORD}@host:5432/database or "
        "sqlite:///shop.db; with a connector, the address of the service.",
        repr=False,
        exclude=True,
    )
    table: str | None = Field(None, description="Table of the database, also as schema.table.", exclude=True)
    query: str | None = Field(None, description="Instead of a table: one SELECT of the database's.", exclude=True)
    connector: Literal["hubspot", "salesforce"] | None = Field(None, description="Instead of a path: a CRM system.")
    object: str | None = Field(
        None,
        description="What to read of a CRM system: "
        + "; ".join(f"{c}: {', '.join(o)}" for c, o in CRM_OBJECTS.items()),
        exclude=True,
    )
    token: str | None = Field(None, description="Access token of the service: ${NAME}.", repr=False, exclude=True)
    username: str | None = Field(None, description="Salesforce, without a token.", repr=False, exclude=True)
    password: str | None = Field(None, description="Salesforce, without a token: ${NAME}.", repr=False, exclude=True)
    security_token: str | None = Field(None, description="Goes with the password: ${NAME}.", repr=False, exclude=True)
    refresh_token: str | None = Field(
        None, description="HubSpot, of an OAuth app, instead of a token: ${NAME}.", repr=False, exclude=True
    )
    client_id: str | None = Field(None, description="Goes with refresh_token.", repr=False, exclude=True)
    client_secret: str | None = Field(None, description="Goes with refresh_token: ${NAME}.", repr=False, exclude=True)
    cursor: str | None = Field(
        None,
        description="Column that only grows, such as updated_at: a run reads on from its last value. Without one "
        "everything is read in every run.",
        exclude=True,
    )
    key: TextList | None = Field(
        None, description="Columns that name a record: when it comes again with other content, it replaces the former."
    )
    keep: Literal["latest", "first"] = Field(
        "latest",
        description="Of the records of one key: the latest, for records that change, or the first, for events that may "
        "be delivered more than once.",
    )
    full_export: bool = Field(
        False, description="Each file is the whole table: a record that a file lacks is gone. Needs a key."
    )
    columns: dict[str, str] = Field(
        description="Column of the table: column of the file, or an expression over them. A connector brings its own."
    )
    attributes: dict[str, Attribute] = Field({}, description="Further columns to keep: they become traits.")
    id_space: str = Field("customers", description="Sources of one id space share their customer ids.")
    timezone: str = Field("UTC", description="Time zone of times without one, such as Europe/London. Dates stay dates.")
    day_first: bool | None = Field(None, description="01/02/2024 is 1 February. Found out where the data tell.")
    sheet: str | None = Field(None, description="Sheet of an Excel file.")
    layout: str | None = Field(
        None,
        description="What a row of the file is, where it is not one record: answers_in_columns (a respondent), "
        "measures_in_columns (a cell of market research), ga4_events (Google Analytics 4 in BigQuery's shape), "
        "customers_in_rows (a customer whom no column names: _row is an id made of the row).",
        json_schema_extra={"enum": [*LAYOUTS, None]},
    )
    answers: Answers = Field(Answers(), description="Which columns are answers, for layout: answers_in_columns.")
    measures: TextList = Field((), description="Columns of figures, for layout: measures_in_columns.")
    set_aside: dict[str, str] = Field(
        {}, description="Reason: condition over the file's columns. Such rows go to quarantine with that reason."
    )
    returns: str | None = Field(None, description="Condition over the file's columns: the line is a return.")
    charges: str | None = Field(None, description="Condition over the file's columns: postage, fee, no product.")
    leads: str | None = Field(
        None,
        description="Condition over the file's columns: a deal of nobody yet. It is kept as a lead, whatever set_aside "
        "says, and needs neither time nor amount: it is no purchase. A record that names a customer is none.",
    )
    pii: dict[str, Pii] = Field({}, description="Columns of the file that are personal, and how.")

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, given: Any) -> Any:
        """What a CRM system's object is by itself goes without saying."""
        return crm_objects.completed(given)

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Source:
        given = [k for k in ("path", "url", "connector") if getattr(self, k) is not None]
        if given not in (["path"], ["url"], ["connector"], ["url", "connector"]):
            raise ValueError("needs one of path (files), url (a database) and connector (a CRM system).")
        if self.connector:
            self._names_its_object(self.connector)
        elif self.url is not None and (self.table is None) == (self.query is None):
            raise ValueError("url: a database needs table, or query with one SELECT, and not both.")
        foreign = {
            "table": self.url and not self.connector,
            "query": self.url and not self.connector,
            "cursor": self.url or self.connector,
            "sheet": self.path,
            "object": self.connector,
            "token": self.connector,
            **dict.fromkeys(("username", "password", "security_token"), self.connector == "salesforce"),
            **dict.fromkeys(crm_objects.OAUTH, self.connector == "hubspot"),
        }
        for name, belongs in foreign.items():
            if getattr(self, name) is not None and not belongs:
                raise ValueError(f"{name}: does not go with {given[0]}.")
        return self

    def _names_its_object(self, connector: str) -> None:
        objects = CRM_OBJECTS[connector]
        if self.object not in objects:
            raise ValueError(
                f"object: {connector} has no '{self.object or ''}' here. {did_you_mean(self.object or '', objects)}"
            )
        given = {name for name in crm_objects.ACCESS if getattr(self, name)}
        if lacking := crm_objects.lacking_access(connector, given):
            raise ValueError(lacking)

    @property
    def crm_object(self) -> CrmObject:
        """The object of a CRM system that the source reads."""
        return CRM_OBJECTS[self.connector or ""][self.object or ""]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Source:
        if self.kind not in COLLECTABLE:
            raise ValueError(f"kind: '{self.kind}' is no kind of source. {did_you_mean(self.kind, COLLECTABLE)}")
        table = TABLES[self.kind]
        hidden = {"customer_key", "line_kind", "source", "file", "line", "row_id", "known_from", "known_until"}
        allowed = [name for name in table.names if name not in hidden]
        for name in self.columns:
            if name not in allowed:
                raise ValueError(f"columns.{name}: {self.kind} has no such column. {did_you_mean(name, allowed)}")
        missing = [name for name in table.required if name not in hidden and name not in self.columns]
        if missing:
            raise ValueError(f"columns: {self.kind} need {', '.join(missing)}. Map a column of the file to it.")
        for name in self.attributes:
            if name in table or name in TABLES.get(f"golden_{self.kind}", table) or not NAME.fullmatch(name):
                raise ValueError(
                    f"attributes.{name}: not a free name. Use letters, digits and _, and no column of {self.kind}."
                )
        if self.id_space.startswith("visitor "):
            raise ValueError("id_space: names that begin with 'visitor ' are those of a source's visitors.")
        self._check_layout()
        self._check_key()
        if (self.returns or self.charges or self.leads) and self.kind != "transactions":
            raise ValueError("returns, charges and leads belong to a source of kind transactions.")
        return self

    def _check_key(self) -> None:
        if self.keep == "first" and not self.key:
            raise ValueError("keep: first needs a key, such as the id of a message, that tells equal records.")
        if self.full_export and (not self.key or self.keep == "first"):
            raise ValueError("full_export: needs a key, and keep: latest, to know the records that are gone.")
        if self.full_export and self.cursor:
            raise ValueError("full_export: does not go with cursor, which reads only what is new.")

    def _check_layout(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise ValueError(f"layout: '{self.layout}' is no layout. {did_you_mean(self.layout, LAYOUTS)}")
        if self.layout is not None and self.kind not in LAYOUTS[self.layout]:
            raise ValueError(f"layout: {self.layout} is for {', '.join(LAYOUTS[self.layout])}, not for {self.kind}.")
        if self.layout not in (None, "ga4_events") and self.key:
            raise ValueError(f"key: does not go with layout: {self.layout}, where a row is several records.")
        if self.layout != "answers_in_columns" and self.answers != Answers():
            raise ValueError("answers belongs to layout: answers_in_columns.")
        if (self.layout == "measures_in_columns") != bool(self.measures):
            raise ValueError("measures and layout: measures_in_columns belong together: name the columns of figures.")
        if any(not reason.strip() for reason in self.set_aside):
            raise ValueError("set_aside: a condition needs a reason in words, such as 'lost or still open'.")

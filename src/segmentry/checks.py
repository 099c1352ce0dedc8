"""Every check of data quality: what it looks for, how severe a finding is, and what to do about it.

segmentry.yaml may say otherwise about the severity. Nothing is computed here: ``data/quality/`` does what is declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding does: stop ``run`` before the traits, be shown to everybody, or stand in the full list."""

    BLOCKING = "blocking"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with the data of a source.

    ``blocks_from`` is the share of the rows concerned from which a finding is blocking by default; None: never.
    ``dimension`` is the ISO/IEC 25012 word for the kind of quality.
    """

    name: str
    dimension: str
    severity: Severity
    description: str
    fix: str
    blocks_from: float | None = None


_NOTE, _WARNING = Severity.NOTE, Severity.WARNING
_ALL = (
    Check("missing_values", "completeness", _NOTE, "Cells of a mapped column are empty.",
          "Ask whoever enters the data, or leave the traits that need it out of segmentations."),
    Check("empty_column", "completeness", _WARNING, "A mapped column has no value at all.",
          "Map the right column of the file, or take the line out of `columns`."),
    Check("no_customer", "completeness", _WARNING, "Records name no customer: they count in totals and in no segment.",
          "Have the till or the shop ask for the customer number; nothing is to be done about the past."),
    Check("repeated_keys", "uniqueness", _WARNING, "Several records have the same key; the newest counts.",
          "Export one record per key, or map `updated_at` so that it is clear which one is the newest."),
    Check("repeated_records", "uniqueness", _NOTE, "Lines of one file are equal to the letter; all of them count.",
          "If they are one record exported twice, remove the repeats from the export."),
    Check("unusable_records", "validity", _WARNING, "Records are in quarantine: they could not be used.",
          "`segmentry quarantine --export FILE.csv`, correct them there, `segmentry quarantine --repaired FILE.csv`.",
          0.5),
    Check("unreadable_values", "validity", _WARNING, "Values could not be read in the type of their column.",
          "Correct the mapping or the export; until then they count as not known."),
    Check("invalid_format", "validity", _WARNING, "Values do not look like what they should be.",
          "Correct them in the source; a check at entry keeps new ones out."),
    Check("out_of_range", "validity", _WARNING, "Numbers or dates are outside of what is possible.",
          "Correct them in the source; of an impossible birth no age is made: `segmentry quarantine` names each."),
    Check("future_dates", "validity", _WARNING, "Dates are later than the day of collection.",
          "Correct them in the source, or set `day_first` or `timezone` of the source."),
    Check("placeholders", "validity", _WARNING, "A value that people or programs enter when they know none.",
          "Leave the cell empty in the source, or map it with nullif(column, value)."),
    Check("negative_quantities", "consistency", _NOTE, "Lines have a negative quantity.",
          "If they are no returns, give the condition of real ones as `returns` of the source."),
    Check("zero_amounts", "consistency", _NOTE, "Lines cost nothing: gifts, samples, or stock that was written off.",
          "If they are no orders, leave them out of the export."),
    Check("contradictions", "consistency", _WARNING, "Two statements about the same thing exclude each other.",
          "Find out which one holds and correct the other in its source."),
    Check("spelling_variants", "consistency", _NOTE, "Categories differ only in case, accents or spaces.",
          "Spell them the same in the source, or map lower(trim(column))."),
    Check("unknown_spellings", "consistency", _NOTE, "Categories are spelt in words that no vocabulary has.",
          "Map them to known words with CASE WHEN ... THEN ... END; until then each is a level of its own."),
    Check("unknown_customers", "integrity", _WARNING, "Records name customers that no customer source has.",
          "Export all customers, or give the source an `id_space` of its own if its ids are others.", 0.95),
    Check("unknown_products", "integrity", _WARNING, "Records name products that the product list does not have.",
          "Complete the product list."),
    Check("unknown_accounts", "integrity", _WARNING, "Records name accounts that the account list does not have.",
          "Complete the account list."),
    Check("unknown_places", "integrity", _WARNING, "Customers live where the list of places has no postal code.",
          "Complete the list; until then what it says of places is not known of these customers."),
    Check("parent_loops", "integrity", _WARNING, "Accounts are their own parent, or their parents lead back to them.",
          "Correct the parents in the source; until then these accounts have none."),
    Check("stale", "timeliness", _WARNING, "The last record is older than the rhythm of the source allows.",
          "Export the source again; if it has ended for good, accept that with a reason."),
    Check("missing_week", "timeliness", _WARNING, "No records for five days or more where the source has many.",
          "Export those days again; if nothing happened then, accept that with a reason."),
    Check("volume_drop", "timeliness", _WARNING, "A week with less than half of the usual records.",
          "See whether the export of that week is complete."),
    Check("volume_jump", "timeliness", _WARNING, "A week with more than twice the usual records.",
          "See whether the export of that week holds records twice."),
    Check("outliers", "plausibility", _NOTE, "Numbers are far outside of what the column usually holds.",
          "Look at the examples; correct what is a typing error, accept what is real."),
    Check("unit_slip", "plausibility", _WARNING, "A period whose level is 100 or 1,000 times that of its history.",
          "See which unit holds (pounds or pence, pieces or thousands) and correct the export of that period."),
    Check("one_value", "plausibility", _NOTE, "Nearly all records have the same value: the column tells nobody apart.",
          "See whether the export is filtered, or leave the column out."),
    Check("several_languages", "survey", _NOTE, "A question is answered in words of more than one language.",
          "See whether both language versions of the survey ask the same."),
    Check("straight_lining", "survey", _WARNING, "Respondents give the same answer to all items of a matrix.",
          "Leave them out of attitude and needs segments, and look at the length of the survey."),
    Check("speeders", "survey", _WARNING, "Respondents were faster than a third of the median duration.",
          "Leave their answers out of attitude and needs segments."),
)  # fmt: skip
CHECKS: dict[str, Check] = {check.name: check for check in _ALL}

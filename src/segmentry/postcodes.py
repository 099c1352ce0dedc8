"""Postal codes as they are compared: tables of places and records of customers spell the same one differently."""

from __future__ import annotations

import ibis.expr.types as ir


def plain(code: ir.StringValue) -> ir.StringValue:
    """The code in capitals, without the country in front (D-10115)."""
    code = code.strip().upper()
    # Few have a dash, and patterns take longer than all the rest.
    return code.contains("-").ifelse(code.re_replace("^[A-Z]{1,2}-", ""), code)


def comparable(code: ir.StringValue) -> ir.StringValue:
    """The code by which a customer's place is found: without spaces, and without the +4 of a ZIP code.

    The four digits of ZIP+4 name a side of a street, of which no table of places speaks.
    """
    code = plain(code).replace(" ", "")
    return code.contains("-").ifelse(code.re_replace("^([0-9]{5})-[0-9]{4}$", "\\1"), code)

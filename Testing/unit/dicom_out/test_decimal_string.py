"""A decimal string is valid, at most 16 characters long, and no other such text is nearer to the number."""

import math
import re
import struct
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom.valuerep import format_number_as_ds, is_valid_ds

from deepradiomics.dicom_out.decimal_string import decimal_string
from deepradiomics.errors import InputError

FINITE = st.floats(allow_nan=False, allow_infinity=False)
BITS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]).filter(math.isfinite)
GRAMMAR = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@settings(max_examples=600, deadline=None)
@given(FINITE | BITS)
@example(1 / 3)
@example(-1 / 3)
@example(-1.7976931348623157e308)
@example(5e-324)
@example(999999999999999.9)
@example(-0.0)
@example(99999999999999.995)
def test_every_number_becomes_valid_and_none_of_pydicoms_is_nearer(value: float) -> None:
    text = decimal_string(value)
    assert len(text) <= 16, text
    assert GRAMMAR.fullmatch(text), text
    assert is_valid_ds(text), text
    theirs = format_number_as_ds(value)
    assert abs(Decimal(text) - Decimal(value)) <= abs(Decimal(theirs) - Decimal(value))


@settings(max_examples=300, deadline=None)
@given(FINITE | BITS)
def test_one_unit_of_its_last_digit_more_or_less_is_farther(value: float) -> None:
    text = decimal_string(value)
    unit = Decimal((0, (1,), int(Decimal(text).as_tuple().exponent)))
    error = abs(Decimal(text) - Decimal(value))
    assert error <= unit / 2


@settings(max_examples=300, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**7), max_value=10**7))
def test_a_short_number_is_stored_exactly(value: Decimal) -> None:
    assert float(decimal_string(float(value))) == float(value)


def test_the_examples_of_the_description_hold() -> None:
    assert decimal_string(1.2345678901234e-11) == "123456789012e-22"
    assert decimal_string(12345.678901234567) == "12345.6789012346"
    assert decimal_string(100.0) == "100.0"
    assert decimal_string(1e300) == "1e+300"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_no_decimal_string_says_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="finite number"):
        decimal_string(value)

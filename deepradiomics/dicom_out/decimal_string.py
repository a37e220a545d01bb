"""decimal_string: the decimal text of at most 16 characters that is nearest to a number (DICOM's value type DS)."""

import math
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal

from deepradiomics.errors import InputError

LENGTH = 16
"""Characters that a decimal string may have (PS3.5, table 6.2-1)."""


def decimal_string(value: float) -> str:
    """Return the nearest decimal string of at most 16 characters; of equally near ones the one Python would write.

    A fixed point costs one character, an exponent at least two, and a mantissa without a point spares one:

    ::

        12345.678901234567   → 12345.6789012346     (fixed point)
        1.2345678901234e-11  → 123456789012e-22     (whole mantissa: one digit more than 1.2345678901e-11)

    Args:
        value: a finite number.

    Raises:
        InputError: the number is NaN or infinite, which a decimal string cannot say.

    >>> decimal_string(0.1)
    '0.1'
    >>> decimal_string(1 / 3)
    '.333333333333333'
    """
    value = float(value)
    if not math.isfinite(value):
        raise InputError(f"decimal string: expected a finite number, got {value!r}.")
    plain = repr(value)
    if len(plain) <= LENGTH:
        return plain
    exact = Decimal(value)
    return min(_candidates(exact), key=lambda text: (abs(Decimal(text) - exact), len(text), "e" in text))


def _candidates(exact: Decimal) -> Iterator[str]:
    sign, digits = ("-" if exact < 0 else ""), abs(exact)
    room = LENGTH - len(sign)
    for count in range(1, room + 1):  # significant digits
        rounded = Context(prec=count, rounding=ROUND_HALF_EVEN).plus(digits)
        rounded_digits, exponent = rounded.as_tuple().digits, int(rounded.as_tuple().exponent)
        mantissa = "".join(map(str, rounded_digits))
        scientific = f"{mantissa}e{exponent}"
        if len(scientific) <= room:
            yield sign + scientific
        if -room <= exponent <= 0 and len(fixed := _fixed(mantissa, -exponent)) <= room:
            yield sign + fixed
        elif exponent > 0 and len(mantissa) + exponent <= room:
            yield sign + mantissa + "0" * exponent


def _fixed(mantissa: str, decimals: int) -> str:
    """The mantissa with ``decimals`` digits after the point; a zero before the point is left out."""
    if decimals == 0:
        return mantissa
    padded = mantissa.rjust(decimals, "0")
    return f"{padded[:-decimals]}.{padded[-decimals:]}"

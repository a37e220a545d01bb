"""How numbers are put into messages."""


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Return two numbers as texts, with as many digits as it takes to see which is larger.

    >>> told_apart(1.04, 1.0), told_apart(0.001003, 0.001)
    (('1.04', '1'), ('0.001003', '0.001'))
    """
    for digits in (3, 4, 6, 9, 12, 15):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1] or a == b:
            break
    return texts

"""What the policy says no to. A breach while the code runs counts even when the code catches it."""


class PolicyBreach(BaseException):
    """The code does what inline code may not do. No `except Exception` stops it."""


_first: list = []


def breach(message):
    """The exception for a breach; the first one of a process is kept."""
    if not _first:
        _first.append(message)
    return PolicyBreach(message)


def first_breach():
    return _first[0] if _first else None

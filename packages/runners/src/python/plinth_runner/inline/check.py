"""
Says what is wrong with inline code, all of it with its place, and runs nothing. Lines and columns count from 1 as the host counts them:
columns in UTF-16, and lines at U+2028 and U+2029 too.
"""

from ..limits import FLOW_FINDINGS_MAX
from . import names
from .libraries import may_be_offered
from .policy import check_tree
from .prepare import compile_tree, parse
from .rewrite import as_written
from .scan import Unrunnable


def check_all(asked):
    """For each `{code, modules}` its findings; `modules` is null where nobody knows yet what its packages offer."""
    return [_check(each["code"], each["modules"]) for each in asked]


class _Unknown(set):
    """Packages of which nobody knows the modules: any that the interpreter does not have."""

    def __contains__(self, name):
        return may_be_offered(name)


def _check(code, modules):
    names.LIBRARIES = _Unknown() if modules is None else {name for name in modules if may_be_offered(name)}
    places = _Places(code)
    breaches = []
    place = places.of_characters
    try:
        tree = parse(code)
        check_tree(tree, breaches)
        if not breaches:
            # What is found later than by the parser has its place as trees have it.
            place = places.of_bytes
            compile_tree(tree)
            return []
    except Unrunnable as error:
        return [_finding(1, 1, str(error))]
    except (MemoryError, RecursionError):
        return [_finding(1, 1, "The code is too deep or too large to be parsed.")]
    except SyntaxError as error:
        return [_finding(*place(error.lineno or 1, (error.offset or 1) - 1), as_written(f"SyntaxError: {error.msg}."))]
    except ValueError as error:
        return [_finding(1, 1, f"SyntaxError: {error}")]
    found = {}
    for breach in breaches:
        finding = _finding(*places.of_bytes(*breach.place), breach.plain)
        found.setdefault((finding["line"], finding["column"], finding["message"]), finding)
    return [found[key] for key in sorted(found)][:FLOW_FINDINGS_MAX]


def _finding(line, column, message):
    return {"line": line, "column": column, "message": message}


class _Places:
    """From lines of the parser to those of the host."""

    def __init__(self, code):
        self._lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._added = [0]
        for line in self._lines:
            self._added.append(self._added[-1] + _ends(line))

    def of_bytes(self, line, at):
        return self._of(line, self._line(line).encode()[:at].decode(errors="ignore"))

    def of_characters(self, line, at):
        return self._of(line, self._line(line)[: max(0, at)])

    def _line(self, line):
        return self._lines[min(max(line, 1), len(self._lines)) - 1]

    def _of(self, line, before):
        line = min(max(line, 1), len(self._lines))
        last = before.replace("\u2028", "\u2029").rpartition("\u2029")[2]
        return line + self._added[line - 1] + _ends(before), len(last.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _ends(text):
    return text.count("\u2028") + text.count("\u2029")

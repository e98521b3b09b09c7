"""Makes a program of the text of inline code: looks at it, parses it, checks it, changes it, compiles it. Nothing of it runs."""

from _warnings import filters as _warning_filters

from .policy import check_tree
from .rewrite import rewrite_tree
from .scan import Unrunnable, scan

_FILENAME = "<inline>"
_ONLY_AST = 0x400
_compile = compile


def prepare(code):
    """The compiled program, and its last expression apart from it."""
    tree = parse(code)
    check_tree(tree)
    return compile_tree(tree)


def parse(code):
    if type(code) is not str:
        raise Unrunnable("The code is not a text.")
    source = code.removeprefix("\ufeff")
    scan(source)
    # Warnings of the compiler, and of the standard library about itself, are no output of the code.
    _warning_filters.insert(0, ("ignore", None, Warning, None, 0))
    return _compile(source, _FILENAME, "exec", _ONLY_AST, dont_inherit=True)


def compile_tree(tree):
    rewrite_tree(tree)
    last = None
    if tree.body and type(tree.body[-1]).__name__ == "Expr":
        from _ast import Expression

        last = _compile(Expression(tree.body.pop().value), _FILENAME, "eval", _flags(tree), dont_inherit=True)
    return _compile(tree, _FILENAME, "exec", dont_inherit=True), last


def _flags(tree):
    """A future statement of the program holds for its last expression too."""
    for node in tree.body:
        if type(node).__name__ == "ImportFrom" and node.module == "__future__":
            import __future__

            return sum(getattr(__future__, alias.name).compiler_flag for alias in node.names if hasattr(__future__, alias.name))
    return 0


def syntax_message(error):
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} (line {error.lineno})"
    return f"SyntaxError: {error}"

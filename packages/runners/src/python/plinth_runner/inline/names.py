"""The names that the policy is made of. Pure data."""

BLOCKED_MODULES = frozenset(
    """
    os posix nt pathlib shutil tempfile glob fileinput io codecs linecache mmap zipfile tarfile gzip bz2 lzma
    subprocess multiprocessing concurrent threading asyncio signal pty resource atexit
    socket ssl select selectors socketserver http urllib ftplib smtplib poplib imaplib telnetlib xmlrpc webbrowser wsgiref
    getpass pwd grp spwd crypt netrc termios fcntl
    pickle marshal shelve copyreg dbm sqlite3
    sys builtins importlib imp pkgutil runpy code codeop inspect gc dis ctypes site sysconfig zipimport faulthandler pdb
    """.split()
)

ALLOWED_MODULES = frozenset(
    """
    math cmath statistics random decimal fractions datetime time calendar zoneinfo json re string textwrap collections
    itertools functools operator heapq bisect array copy enum dataclasses typing uuid hashlib hmac base64 binascii struct
    html csv difflib unicodedata secrets numbers graphlib ipaddress types abc contextlib pprint reprlib colorsys zlib
    __future__ plinth_io
    """.split()
)

# Modules below another one that may be imported by their whole name.
ALLOWED_SUBMODULES = frozenset(("urllib.parse", "collections.abc"))

# Modules of the packages that came with the code (libraries.py); none of the above.
LIBRARIES: set = set()

BUILTINS = tuple(
    """
    abs aiter all anext any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate filter
    float format frozenset hash hex id int isinstance issubclass iter len list map max min next object oct ord pow property
    range repr reversed round set slice sorted staticmethod str sum super tuple zip NotImplemented Ellipsis __build_class__
    """.split()
)

REMOVED_BUILTINS = frozenset(
    """
    open eval exec compile __import__ input breakpoint memoryview globals locals vars dir exit quit help copyright credits
    license ExceptionGroup BaseExceptionGroup
    """.split()
)

GUARDED_GETTERS = frozenset(("getattr", "setattr", "delattr", "hasattr"))

# Attributes that lead from a value to frames, code and the world behind it, or read attributes named in a text.
FORBIDDEN_ATTRIBUTES = frozenset(
    """
    gi_frame gi_code gi_yieldfrom gi_running gi_suspended cr_frame cr_code cr_await cr_origin cr_running cr_suspended ag_frame
    ag_code ag_await ag_running ag_suspended tb_frame tb_next tb_lasti tb_lineno f_back f_builtins f_code f_globals f_lasti
    f_lineno f_locals f_trace f_trace_lines f_trace_opcodes f_generator co_code co_consts co_names co_varnames co_freevars
    co_cellvars co_filename co_name co_lines co_positions co_linetable func_globals func_code func_closure func_defaults
    func_dict im_class im_func im_self mro with_traceback add_note exceptions obj format format_map
    """.split()
)
# Among these, the ones that are ordinary words as names of variables and arguments.
ORDINARY_WORDS = frozenset(("format", "format_map", "obj", "mro", "exceptions", "add_note"))

# Methods that code may give its classes, and call through `super()`.
DUNDER_METHODS = frozenset(
    f"__{name}__"
    for name in """
    init new post_init str repr format bytes bool hash eq ne lt le gt ge len length_hint getitem setitem delitem contains iter
    next reversed missing call enter exit add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv
    rfloordiv ifloordiv mod rmod imod divmod rdivmod pow rpow ipow matmul rmatmul imatmul lshift rlshift rshift rrshift and
    rand iand or ror ior xor rxor ixor neg pos abs invert int float complex index round trunc floor ceil aiter anext aenter
    aexit await
    """.split()
)

# What rewritten code calls before it sets or deletes an attribute; no code can write the name itself.
CHANGEABLE = "__plinth_changeable__"

# Methods and fields of named tuples that code may use of its own ones.
TUPLE_METHODS = frozenset(("_asdict", "_replace", "_make", "_fields"))

# Class patterns with positions read attributes named by the class; these have none.
POSITIONAL_PATTERNS = frozenset("bool bytearray bytes dict float frozenset int list set str tuple".split())

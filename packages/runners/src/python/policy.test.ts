/** The policy for inline code, case by case; each runs in a process of its own, most of them forked from one. Ids are those of the abuse suite. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { NO_PYTHON, python, runInline } from "./test-python.ts";

const FOLDER = import.meta.dirname;
const BLOCKED = `
os posix nt pathlib shutil tempfile glob fileinput io codecs linecache mmap zipfile tarfile gzip bz2 lzma
subprocess multiprocessing concurrent threading asyncio signal pty resource atexit
socket ssl select selectors socketserver http urllib ftplib smtplib poplib imaplib telnetlib xmlrpc webbrowser wsgiref
getpass pwd grp spwd crypt netrc termios fcntl
pickle marshal shelve copyreg dbm sqlite3
sys builtins importlib imp pkgutil runpy code codeop inspect gc dis ctypes site sysconfig zipimport faulthandler pdb
`
  .trim()
  .split(/\s+/);

/** Code that must end with exit code 3. */
const POLICY: Readonly<Record<string, readonly string[]>> = {
  P02: [
    "from os import path",
    "import os.path",
    "import os as math",
    "from os import *",
    "from . import os",
    "from .. import x",
    "from os.path import join as j",
    "import math, os",
    "import urllib.request",
    "from urllib import request",
    "import urllib",
    "import xml.etree.ElementTree",
    "import nosuchmodule",
    "import _io",
    "import json.decoder",
    "def f():\n  import os\nf()",
    "try:\n  import os\nexcept BaseException:\n  result = 1",
  ],
  P04: [
    ..."open eval exec compile input breakpoint memoryview globals locals vars dir exit quit help copyright credits license"
      .split(" ")
      .map((name) => `x = ${name}`),
    "__import__('os')",
    "x = __import__",
    "x = __builtins__",
    "getattr([], 'app' + 'end')",
    "n = 'append'\ngetattr([], n)",
    "getattr([], '__class__')",
    "hasattr([], '__class__')",
    "setattr(inputs, '__class__', 1)",
    "delattr(inputs, '_x')",
    "getattr(*[[], '__class__'])",
    "type('X', (), {})",
    "type(int)",
  ],
  P05: [
    "def f(x=open): pass",
    "@eval\ndef f(): pass",
    "(lambda: open)()",
    "[open for _ in range(1)]",
    "class A:\n  f = open",
    "class A(open): pass",
    "f = (open,)[0]",
    "x: open = 1",
    "def f(x: eval): pass",
    "def f() -> eval: pass",
    "print(f'{open}')",
  ],
  P06: [
    "().__class__",
    "''.__class__.__mro__",
    "int.__bases__",
    "int.mro()",
    "object.__subclasses__()",
    "(lambda: 1).__globals__",
    "(lambda: 1).__code__",
    "(lambda: 1).__closure__",
    "inputs.__dict__",
    "print.__self__",
    "[].__reduce_ex__(2)",
    "x = 1\nx.__class__ = int",
    "del inputs.__class__",
    "class A:\n  __class__ = int",
    "class A:\n  def __getattribute__(self, n): pass",
    "class A:\n  def __reduce__(self): pass",
    "class A:\n  def __class_getitem__(cls, n): pass",
    "class A(metaclass=print): pass",
    "class A(**{'metaclass': print}): pass",
    "f(__class__=1)",
    "g = (i for i in ())\ng.gi_frame",
    "g = (i for i in ())\ng.gi_code",
    "async def f(): pass\nf().cr_frame",
    "gi_frame = 1",
    "import enum\nself = enum.Enum\nself._convert_('A', 'os', lambda n: True)",
    "inputs._x",
  ],
  P08: [
    "g = getattr\ng([], '__class__')",
    "list(map(getattr, [[]], ['__class__']))",
    "import functools\nfunctools.reduce(getattr, [[], '__class__', '__base__'])",
    "import operator\noperator.attrgetter('__class__')([])",
    "import operator\noperator.attrgetter('real.__class__')(1)",
    "import operator\noperator.methodcaller('__reduce_ex__', 2)([])",
    "from operator import attrgetter as a\na('gi_frame')(i for i in ())",
    "class S(str): pass\ng = getattr\ng([], S('append'))",
    "import functools\nfunctools.partial(getattr, [])('__class__')",
    "g = getattr\ntry:\n  g([], '__class__')\nexcept BaseException:\n  result = 1",
  ],
  P09: [
    "'{0.__class__}'.format(1)",
    "'{a.b}'.format_map({})",
    "str.format",
    "f = str.format",
    "import string\nstring.Formatter()",
    "from string import Formatter",
    "import operator\noperator.methodcaller('format', 1)('{0.__class__}')",
    "getattr('{0.__class__}', 'format')(1)",
    "f'{().__class__}'",
    "f'{1:{().__class__}}'",
  ],
  P10: [
    "try:\n  1/0\nexcept Exception as e:\n  e.__traceback__",
    "try:\n  1/0\nexcept Exception as e:\n  x = e.obj",
    "try:\n  1/0\nexcept Exception as e:\n  x = e.name",
    "try:\n  1/0\nexcept Exception as e:\n  e.with_traceback(None)",
    "try:\n  1/0\nexcept* Exception:\n  pass",
    "ExceptionGroup('a', [ValueError()])",
    "BaseExceptionGroup",
    "x = inputs.tb_frame",
    "x = inputs.f_back",
  ],
  P12: [
    "match 1:\n  case int(__class__=c): pass",
    "match 1:\n  case object(gi_frame=c): pass",
    "class A: pass\nmatch 1:\n  case A(x): pass",
    "class A:\n  __match_args__ = ('__class__',)",
    "import decimal\nmatch 1:\n  case decimal.Decimal(x): pass",
  ],
  P13: ["class A:\n  def f(self): return self.__x", "inputs._A__x", "class X:\n  y = inputs._X__globals__", "self = 1\nself._A__x"],
  P14: [
    "import ｏｓ",
    "().__ｃｌａｓｓ__",
    "import \\\n  os",
    "\ufeffimport os",
    "\fimport os",
    "# -*- coding: utf-7 -*-\nimport os",
    "if 1:\n\timport os",
    "x=1;import os",
    "ｏpen",
  ],
  P16: ["import json\njson.codecs", "import contextlib\ncontextlib.chdir", "from statistics import sys", "import re\nre.copyreg"],
  P17: [
    "import typing\ntyping.get_type_hints",
    "from typing import ForwardRef",
    "from dataclasses import make_dataclass",
    "import functools\nfunctools.singledispatch",
    "import dataclasses, typing\ndataclasses.dataclass(typing.TypedDict('X', {'x=print(1)': int}))",
    "import types\ntypes.new_class",
    "import types\ntypes.FunctionType",
    "from abc import ABCMeta",
    "from enum import EnumMeta",
  ],
};

/** Ways that led out of the policy, or would, and must not give a result whatever they fail with. */
const HELD: Readonly<Record<string, string>> = {
  "a text evaluated as a type":
    "import typing\nself = typing.get_args(typing.List['print(1)'])[0]\ntry:\n  self._evaluate({}, {}, recursive_guard=frozenset())\nexcept TypeError: pass",
  "a frame by its position, with a class that stands for int":
    "import abc, collections\nclass A(abc.ABC, collections.namedtuple('N', 'gi_frame')): pass\ng = (i for i in ())\nA.register(type(g))\nint = A\nmatch g:\n  case int(f): result = str(f)",
  "the table of modules through a redirection":
    "import contextlib\nself = contextlib.redirect_stdout({})\nself._stream = 'modules'\nwith self: x = self._old_targets[0]\nresult = str(x)",
  "the table of modules through a class of the code's own":
    "import contextlib\nclass R(contextlib.redirect_stdout):\n  _stream = 'modules'\n  def f(self): return str(self._old_targets[0])\nr = R({})\nwith r: x = r.f()\nx",
  "type itself as a base": "import typing\nclass M(typing.Type): pass\nstr(M('X', (), {'__getattribute__': 1}))",
  "type itself as an origin": "import typing\ntyping.get_origin(typing.Type[int])('X', (), {})",
  "a field whose name is source text":
    "import dataclasses\n@dataclasses.dataclass\nclass A:\n  x: int = 1\ndataclasses.fields(A)[0].name = 'x=print(1)'\n@dataclasses.dataclass\nclass B(A):\n  y: int = 1",
  "a field whose name is a hidden attribute":
    "import dataclasses\n@dataclasses.dataclass\nclass A:\n  x: int = 1\ndataclasses.fields(A)[0].name = '__class__'\nstr(dataclasses.astuple(A()))",
  "a member with the name of a hidden method": "import enum\nA = enum.Enum('A', {'__reduce_ex__': 1})\nstr(A)",
  "a member with a hidden name in a list of pairs": "import enum\nA = enum.Flag('A', [('__set_name__', 1)])\nstr(A)",
  "a member with a hidden name behind a tuple that changes":
    "import enum\nclass T(tuple):\n  def __getitem__(self, i): return 'A'\n  def __iter__(self): return iter(['__reduce__', 1])\nstr(enum.Enum('X', [T(('A', 1))]))",
  "an attribute of a copy that its state names":
    "import copy, types\nclass C: pass\nn = types.SimpleNamespace(**{'__reduce_ex__': lambda v: (lambda: C, (), (None, {'__getattr__': lambda s, n: n}))})\ncopy.deepcopy(n)\nC().x",
  "another super": "super = lambda: (lambda: 5)\nsuper().__call__()",
  "another super as a pattern": "match {1: 2}:\n  case {**super}: pass",
  "a changed class of the standard library": "import dataclasses\ndataclasses.Field.name = 'x'\n1",
  "a changed built-in class by a loop": "import json\nfor json.JSONEncoder.default in [1]: pass\n1",
  "a changed class behind an annotation": "import dataclasses, typing\ntyping.Annotated[dataclasses.Field, 1].name = 'x'\n1",
  "a changed class behind an alias": "import typing\ntyping.ContextManager[int].x = 5\n1",
  "a class of the standard library as a dataclass": "import dataclasses, contextlib\ndataclasses.dataclass(contextlib.redirect_stdout)\n1",
  "a changed class by setattr": "import json\nsetattr(json.JSONEncoder, 'default', 1)\n1",
  "a changed class by del": "import json\ndel json.JSONEncoder.default\n1",
};

/** Code that the policy lets run, with its result. */
const FINE: readonly (readonly [code: string, result: unknown])[] = [
  ["1 + 1", 2],
  ["import datetime, time\n[datetime.datetime.strptime('2024-02', '%Y-%m').month, time.strptime('24', '%y').tm_year]", [2, 2024]],
  [
    "class A:\n  _n = 1\n  def __init__(self, _y=2): self._y = _y\n  def _sum(self): return self._n + self._y\n  def get(self): self._y += 1; return self._sum()\nA(_y=4).get()",
    6,
  ],
  ["_x = 1\ndef f():\n  global _x\n  _x += 1\nf()\n_x", 2],
  ["from dataclasses import dataclass, asdict\n@dataclass\nclass A:\n  _x: int = 1\n  y: int = 2\nasdict(A())['y']", 2],
  [
    "from enum import Enum\n[e.value for e in Enum('A', 'B C')] + [Enum('D', [('E', 7)]).E.value, Enum('F', {'G': 8}).G.value]",
    [1, 2, 7, 8],
  ],
  ["import typing\nclass P(typing.NamedTuple):\n  x: int\n  def d(self): return self._asdict()\nP(1).d()", { x: 1 }],
  ["class A: n = 1\nA.n = 2\nA.m = 3\ndel A.n\nA.m", 3],
  ["import typing\ndef f(x: typing.Type[int]) -> typing.Optional['A']: return x\nf(1)", 1],
  ["import types, copy\nn = types.SimpleNamespace(a=[1])\ncopy.deepcopy(n).a.append(2)\n[n.a, str(n)]", [[1], "namespace(a=[1])"]],
  ["import json\nclass E(json.JSONEncoder):\n  def default(self, o): return 'x'\njson.dumps({1}, cls=E)", '"x"'],
  ["result = 5\n7", 5],
  ["output = 6\n7", 6],
  ["x = 3", null],
  ["", null],
  ["sum(inputs['n'])", 6],
  ["keyrings['k']", "s3cret"],
  ["import math\nmath.sqrt(16)", 4],
  ["import re\nre.compile('a+').sub('b', 'caat')", "cbt"],
  ["from urllib.parse import urlsplit\nurlsplit('http://a/b').path", "/b"],
  ["import urllib.parse\nurllib.parse.quote('a b')", "a%20b"],
  ["from urllib import parse\nparse.quote('a b')", "a%20b"],
  ["import collections.abc\nisinstance([], collections.abc.Sequence)", true],
  ["from math import *\nfloor(1.5)", 1],
  ["import plinth_io\nf = plinth_io.StringIO()\nprint('a', file=f)\nf.getvalue()", "a\n"],
  ["from __future__ import annotations\ndef f(x: nowhere): return x\nf(1)", 1],
  ["class A:\n  def __init__(self): self._x = 1\n  def get(self): return self._x\nA().get()", 1],
  ["class A:\n  def __init__(self): self.x = 1\nclass B(A):\n  def __init__(self):\n    super().__init__()\nB().x", 1],
  ["from dataclasses import dataclass\n@dataclass\nclass A:\n  x: int = 1\nA(2).x", 2],
  ["from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass A:\n  x: list = field(default_factory=list)\nA().x", []],
  ["from enum import Enum\nclass A(Enum):\n  B = 1\nA.B.name", "B"],
  ["from collections import namedtuple\nA = namedtuple('A', 'x y')\nA(1, 2)", [1, 2]],
  ["import functools\n@functools.wraps(len)\ndef f(): return 1\nf()", 1],
  ["import functools\n@functools.lru_cache\ndef f(n): return n if n < 2 else f(n-1) + f(n-2)\nf(50)", 12_586_269_025],
  ["import operator\nsorted([{'a': 2}, {'a': 1}], key=operator.itemgetter('a'))[0]['a']", 1],
  ["import operator\noperator.attrgetter('real')(3)", 3],
  ["match {'a': [1, 2]}:\n  case {'a': [int(x), *rest]}:\n    result = [x, rest]", [1, [2]]],
  ["try:\n  {}['a']\nexcept KeyError as e:\n  result = str(e)", "'a'"],
  ["from re import compile\ncompile('a').pattern", "a"],
  ["import math as input\ninput.floor(1.5)", 1],
  ["isinstance(int, type)", true],
  ["type(1) is int", true],
  ["getattr([1], 'append')(2)", null],
  ["input = 3\ninput", 3],
  ["if __name__ == '__main__':\n  result = 1", 1],
  ["'%s-%d' % ('a', 1)", "a-1"],
  ["f'{1.5:.2f}'", "1.50"],
  ["format(3, '04d')", "0003"],
  ["x: 'not evaluated(' = 1\nx", 1],
  ["import json\njson.loads('[1]')", [1]],
  ["import datetime\ndatetime.date(2024, 1, 2).isoformat()", "2024-01-02"],
  ["import random, statistics, decimal, fractions, uuid, hashlib, base64\nhashlib.sha256(b'').hexdigest()[:4]", "e3b0"],
];

type Verdict = readonly [kind: string, body: object];

function verdictsOf(codes: readonly string[]): ReadonlyMap<string, Verdict> {
  const requests = codes.map((code) => ({ code, inputs: { n: [1, 2, 3] }, keyrings: { k: "s3cret" } }));
  const options = { encoding: "utf8", input: JSON.stringify(requests), maxBuffer: 1 << 26 } as const;
  const outcomes = execFileSync(python ?? "", ["-I", "-S", "-B", join(FOLDER, "fixtures/verdicts.py"), FOLDER], options);
  return new Map(
    (JSON.parse(outcomes) as [string, string][]).map(([kind, body], index) => [
      codes[index] ?? "",
      [kind, JSON.parse(body) as object] as const,
    ]),
  );
}

describe.skipIf(python === undefined)(`the policy for inline code${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test("P01 blocks 72 modules", () => {
    expect(new Set(BLOCKED).size).toBe(72);
    const source = readFileSync(join(FOLDER, "plinth_runner/inline/names.py"), "utf8");
    const listed = /BLOCKED_MODULES = frozenset\(\s*"""([^"]*)"""/.exec(source)?.[1]?.trim().split(/\s+/);
    expect(listed?.toSorted()).toEqual(BLOCKED.toSorted());
  });

  const forbidden = Object.entries(POLICY).flatMap(([id, codes]) => codes.map((code) => [id, code] as const));
  let verdicts: ReadonlyMap<string, Verdict>;

  beforeAll(() => {
    verdicts = verdictsOf([
      ...BLOCKED.map((module) => `import ${module}`),
      ...forbidden.map(([, code]) => code),
      ...FINE.map(([code]) => code),
      ...Object.values(HELD),
    ]);
  });

  test.each(BLOCKED)("P01 import %s", (module) => {
    expect(verdicts.get(`import ${module}`)).toEqual(["policy", { message: `line 1: the module '${module}' is blocked.` }]);
  });

  test.each(forbidden)("%s %j", (_id, code) => {
    expect(verdicts.get(code)?.[0]).toBe("policy");
  });

  test.each(Object.entries(HELD))("gives no result to %s", (_name, code) => {
    expect(verdicts.get(code)?.[0]).toMatch(/^(?:policy|error)$/);
  });

  test.each(FINE)("lets run %j", (code, result) => {
    expect(verdicts.get(code)).toMatchObject(["result", { result, truncated: false }]);
  });

  test("the runner says the same as the forked processes", async () => {
    expect(await runInline("import os")).toMatchObject({ kind: "policy", message: "line 1: the module 'os' is blocked." });
  });

  test("P16 nothing that should not be there can be reached from the modules that may be imported", () => {
    const walk = execFileSync(python ?? "", ["-I", "-S", "-B", "-W", "ignore", join(FOLDER, "fixtures/walk_facades.py"), FOLDER], {
      encoding: "utf8",
    });
    const { count, found } = JSON.parse(walk) as { count: number; found: readonly string[] };
    expect(found).toEqual([]);
    expect(count).toBeGreaterThan(10_000);
  });

  test("P16 modules that the real ones hold are a breach", () => {
    const measured =
      "statistics.sys fractions.sys datetime.sys calendar.sys json.codecs re.copyreg enum.sys enum.bltns dataclasses.builtins dataclasses.inspect dataclasses.sys typing.sys contextlib.os contextlib.sys reprlib.builtins uuid.os uuid.sys";
    const codes = measured.split(" ").map((path) => `import ${path.split(".")[0] ?? ""}\n${path}`);
    for (const [code, [kind, body]] of verdictsOf(codes)) {
      // What this version of Python does not hold any more is an ordinary error.
      expect(kind === "policy" || (kind === "error" && JSON.stringify(body).includes("has no attribute")), code).toBe(true);
    }
  });

  test.each([
    ["nested brackets", "(".repeat(1_000_000) + ")".repeat(1_000_000), "invalid"],
    ["brackets just over the limit", `x = ${"[".repeat(65)}${"]".repeat(65)}`, "invalid"],
    ["5 MB of source", "x = 1\n".repeat(900_000), "invalid"],
    ["many brackets side by side", "x = ()\n".repeat(200), "result"],
    ["brackets within texts", `x = "${"(".repeat(500)}"\n`, "result"],
    ["unary operators", `x = ${"-".repeat(100_000)}1`, "invalid"],
    ["a long chain of attributes", `y = 1\nx = y${".real".repeat(40_000)}`, "invalid"],
    ["a syntax error", "x = (", "error"],
    ["NUL", "x = 1\0", "error"],
    ["half a surrogate pair", "x = '\ud800'", "error"],
  ])("P18 %s", async (_name, code, kind) => {
    expect((await runInline(code, { killAfterMs: 10_000 })).kind).toBe(kind);
  });
});

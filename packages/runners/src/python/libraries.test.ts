/** Inline code with packages of its own: which modules it may import, and what it reaches through them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rmSync } from "node:fs";
import { NO_PYTHON, packageFolder, python, pythonCommand, runInline } from "./test-python.ts";

let folder: string;
beforeAll(() => {
  folder = packageFolder({
    "site-packages/tiny/__init__.py":
      "import os, sys\nfrom . import shapes\nfrom .deep import maker\nfrom subprocess import run\nopener = open\n_hidden = 1\nvalue = 7\n\ndef double(n):\n    return n * 2\n\ndef where():\n    return os.path.basename(__file__)\n",
    "site-packages/tiny/shapes.py":
      "import needed\n\nclass Square:\n    def __init__(self, side):\n        self.side = side\n    def area(self):\n        return needed.times(self.side, self.side)\n",
    "site-packages/tiny/deep/__init__.py": "",
    "site-packages/tiny/deep/maker.py": "def make():\n    return 'made'\n",
    "site-packages/tiny/exceptions.py": "class Odd(Exception):\n    pass\n",
    "site-packages/tiny/_private.py": "secret = 1\n",
    "site-packages/needed.py": "def times(a, b):\n    return a * b\n",
    "site-packages/broken.py": "raise RuntimeError('this package does not load')\n",
    "site-packages/subprocess.py": "stolen = True\n",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (code: string, modules: readonly string[] = ["tiny", "subprocess", "broken"]) =>
  runInline(code, { modules }, pythonCommand(folder));

describe.skipIf(python === undefined)(`libraries of inline code${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test.each([
    ["a module", "import tiny\ntiny.double(tiny.value)", 14],
    ["a module under another name", "import tiny as t\nt.double(2)", 4],
    ["names of a module", "from tiny import double, value\ndouble(value)", 14],
    ["all names of a module", "from tiny import *\n[double(value), 'os' in str(double)]", [14, false]],
    ["a module below it", "import tiny.deep.maker\ntiny.deep.maker.make()", "made"],
    ["a name of one below it", "from tiny.deep.maker import make\nmake()", "made"],
    ["one below it as a name", "from tiny import shapes, exceptions\nshapes.Square(3).area()", 9],
    [
      "a word that is an attribute elsewhere",
      "from tiny.exceptions import Odd\ntry:\n    raise Odd('x')\nexcept Odd as e:\n    result = str(e)",
      "x",
    ],
    ["what a package does with the system within the jail", "import tiny\ntiny.where()", "__init__.py"],
    ["a class of a package to build on", "from tiny.shapes import Square\nclass Mine(Square):\n    pass\nMine(2).area()", 4],
  ])("imports %s", async (_name, code, result) => {
    expect(await run(code)).toMatchObject({ kind: "result", value: { result } });
  });

  test.each([
    ["another module through it", "import tiny\ntiny.os.getcwd()"],
    ["another module by its name", "from tiny import sys"],
    ["a built-in that inline code does not have", "import tiny\ntiny.opener('/etc/passwd')"],
    ["a private name", "import tiny\ntiny._hidden"],
    ["a private name by import", "from tiny import _hidden"],
    ["a private module", "import tiny._private"],
    ["the table behind a module", "import tiny\ntiny.__dict__"],
    ["a module that the package needs itself", "import needed"],
    ["a module of the standard library that a package has too", "import subprocess"],
    ["a module that is none of them", "import os"],
    ["a change of a class of a package", "from tiny.shapes import Square\nSquare.area = lambda self: 0"],
  ])("refuses %s", async (_name, code) => {
    expect(await run(code)).toMatchObject({ kind: "policy" });
  });

  test("a package that does not load fails the code that imports it, and no other", async () => {
    expect(await run("import broken")).toMatchObject({ kind: "error", message: "RuntimeError: this package does not load" });
    expect(await run("1 + 1")).toMatchObject({ kind: "result", value: { result: 2 } });
  });

  test("nothing is imported where no packages came", async () => {
    expect(await run("import tiny", [])).toMatchObject({ kind: "policy", message: expect.stringContaining("'tiny'") as string });
  });
});

"""What is told of code: fences and labels, syntax, mutants, proofs by tests, SQL, and the tool that agents call."""

import sys
from random import Random

import pytest

from agentinstruct.tools.code import (
    LANGUAGES,
    SqlError,
    blocks,
    fenced,
    label_fault,
    language_of,
    mutants,
    parses,
    prove,
    python_tool,
    query_mutants,
    run_query,
    syntax_fault,
    unfenced,
)
from agentinstruct.tools.code.reading import bare_code, shape_of, third_party, undocumented, used

linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
ADD = "def add(a, b):\n    return a + b\n"
SHIPS = """CREATE TABLE ships (name TEXT, tons INTEGER, port TEXT);
INSERT INTO ships VALUES ('Ida', 120, 'Kiel'), ('Odin', 340, 'Kiel'), ('Freya', 90, 'Emden'), ('Thor', 340, NULL);"""


def test_fences_are_read_with_label_and_file_name() -> None:
    text = "Plan.\n\n`lib/a.py`:\n```python\nx = 1\n```\n\n~~~JS {1}\n// file: b.js\ny\n~~~\n\n```\nz"
    found = blocks(text)
    assert [(b.label, b.language, b.code, b.name) for b in found] == [
        ("python", "python", "x = 1", "lib/a.py"),
        ("JS", "javascript", "// file: b.js\ny", "b.js"),
        ("", "", "z", ""),
    ]
    assert blocks("  ```py\n  a\n    b\n  ```")[0].code == "a\n  b"


def test_code_cannot_close_its_fence() -> None:
    code = 'text = """\n```\nnot the end\n```\n"""'
    assert blocks(fenced(code))[0].code == code


@pytest.mark.parametrize("label", ["hypothetical", "targetlang", "ourcodelang", "voxelscript", "pseudocode", ""])
def test_invented_labels_are_refused(label: str) -> None:
    assert label_fault(f"```{label}\nx\n```")


def test_real_labels_are_known_by_all_their_names() -> None:
    assert len(set(LANGUAGES.values())) > 120
    assert [language_of(name) for name in ("C++", "py3", "Golang", "postgresql", "sh")] == [
        *("cpp", "python", "go", "sql", "bash")
    ]
    assert not label_fault("```Rust\nfn main() {}\n```\n```text\nout\n```")


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("python", "x: int = 1", "def f(:"),
        ("javascript", "const f = (a) => a + 1;", "const = ;"),
        ("typescript", "let n: number = 1;", "let n: = 1"),
        ("go", "package main\nfunc main() {}", "func main() {"),
        ("rust", "fn main() {}", "fn main( {"),
        ("java", "class A { int f() { return 1; } }", "class A { int f( }"),
        ("c", "int main(void) { return 0; }", "int main(void { return"),
        ("cpp", "auto f = [](int a) { return a; };", "auto f = [(int"),
        ("bash", "if true; then echo hi; fi", "if true; then"),
        ("ruby", "def f; 1; end", "def f; ("),
        ("json", '{"a": [1]}', "{a: 1}"),
    ],
)
def test_other_languages_are_parsed(language: str, good: str, bad: str) -> None:
    pytest.importorskip("tree_sitter")
    assert (parses(good, language), parses(bad, language)) == (True, False)
    assert syntax_fault(bad, language)


def test_what_cannot_be_told_is_not_told() -> None:
    assert parses("DISPLAY 'X'.", "cobol") is None
    assert parses("(" * 90_000, "python") is False
    assert parses("x" * 200_000, "go") is False


def test_mutants_are_small_wrong_things_and_always_the_same() -> None:
    code = (
        'def spread(items, least=2):\n    """At least 2."""\n    found = []\n    for i in range(len(items)):\n'
        "        if items[i] > least and items[i] != 9:\n            found.append(items[i] * 3)\n"
        "    return max(found[1:])\n"
    )
    made = mutants(code, Random(4), 40)
    assert [m.code for m in made] == [m.code for m in mutants(code, Random(4), 40)]
    assert len({m.code for m in made}) == len(made) > 12
    assert all("At least 2." in m.code and parses(m.code, "python") for m in made)
    told = " / ".join(m.what for m in made)
    for change in ("items[i] >= least", "items[i] < least", "* 3 becomes", "or items[i]", "max(found", "pass"):
        assert change in told, change
    assert mutants("not python at all", Random(0)) == ()


@linux
async def test_tests_prove_a_solution_when_they_notice_its_mutants() -> None:
    strong = await prove(ADD, "assert add(2, 3) == 5\nassert add(-1, 1) == 0")
    assert (strong.proved, strong.killed) == (True, strong.made)
    code = "def grade(n):\n    if n >= 50:\n        return 'pass'\n    return 'fail'\n"
    weak = await prove(code, "assert grade(90) == 'pass'")
    assert not weak.proved and "mutants" in weak.fault
    assert (await prove(ADD, "assert callable(add)")).fault.startswith("vacuous")
    assert (await prove(ADD, "assert add(2, 3) == 6")).fault.startswith("failed")
    forged = "class E:\n    def __eq__(self, o): return True\ndef add(a, b): return E()"
    assert "forged" in (await prove(forged, "assert add(2, 3) == 5")).fault


def test_queries_give_rows() -> None:
    rows = run_query(SHIPS, "SELECT port, SUM(tons) AS total FROM ships GROUP BY port ORDER BY total DESC;")
    assert rows.rows == (("Kiel", 460), (None, 340), ("Emden", 90))
    assert rows.ordered and rows.table().splitlines()[2] == "NULL | 340"
    loose = run_query(SHIPS, "SELECT name FROM ships WHERE tons > (SELECT AVG(tons) FROM ships ORDER BY 1)")
    assert not loose.ordered
    assert loose.same(run_query(SHIPS, "SELECT name AS n FROM ships WHERE tons = 340 ORDER BY name DESC"))
    assert not rows.same(run_query(SHIPS, "SELECT port, SUM(tons) FROM ships GROUP BY port ORDER BY 2"))


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE ships", "DELETE FROM ships", "UPDATE ships SET tons = 1", "SELECT random()", "",
        "PRAGMA schema_version", "VACUUM INTO '/tmp/x'", 
        "SELECT a.name FROM ships a, ships b, ships c, ships d, ships e",
        "ATTACH DATABASE '/tmp/x' AS y", "SELECT load_extension('x')", "SELECT CURRENT_TIMESTAMP",
        "SELECT 1; SELECT 2", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c", "SELECT nothing FROM ships",
        "SELECT replace(hex(zeroblob(400000)), '0', 'xxxxxxxx')",
    ],
)  # fmt: skip
def test_a_query_only_reads_and_within_bounds(query: str) -> None:
    with pytest.raises(SqlError):
        run_query(SHIPS, query)


def test_tables_are_only_made() -> None:
    for tables in ("ATTACH 'x' AS y;", "CREATE TABLE t (a); DROP TABLE t;", "CREATE TABLE t (a", "x" * 30_000):
        with pytest.raises(SqlError, match="tables"):
            run_query(tables, "SELECT 1")


def test_mutants_of_a_query() -> None:
    query = "SELECT port, COUNT(*) FROM ships WHERE tons >= 100 AND port IS NOT NULL GROUP BY port ORDER BY 1 DESC"
    found = list(query_mutants(query))
    assert "SELECT port, COUNT(*) FROM ships  GROUP BY port ORDER BY 1 DESC" in found
    assert any("tons < 100" in mutant for mutant in found) and any(mutant.endswith("ASC") for mutant in found)


def test_code_is_measured() -> None:
    deep = "def f(x):\n    if x:\n        for i in x:\n            if i:\n                return i\n"
    flat = "def f(x):\n    return next((i for i in x or () if i), None)\n"
    assert shape_of(flat).better(shape_of(deep)) == ["nesting", "longest", "branches"]
    assert bare_code('def f():\n    """Doc."""\n    return 1  # one\n') == bare_code("def f(): return 1") != ""
    assert {"for", "recursion", "sorted"} <= used("def f(n):\n    for i in sorted(n):\n        f(i)")
    assert third_party("import os, numpy\nfrom solution import f\nfrom yaml.x import y") == ["numpy", "yaml"]
    assert list(undocumented('def f():\n    """Doc."""\ndef g(): pass\ndef _h(): pass')) == ["g"]


@linux
async def test_the_tool_runs_code_and_tells_what_came_of_it() -> None:
    tool = python_tool()
    assert tool.name == "run_python" and list(tool.args) == ["code"]
    assert await tool.ainvoke({"code": "print(6 * 7)"}) == "42"
    assert "ZeroDivisionError" in await tool.ainvoke({"code": "1 / 0"})
    assert await tool.ainvoke({"code": "x = 1"}) == "[nothing was printed]"
    assert len(await tool.ainvoke({"code": "print('x' * 60_000)"})) < 5_000
    assert "are allowed" in await tool.ainvoke({"code": "#" * 30_000})


def test_code_comes_without_its_fence_and_with_its_lines() -> None:
    fenced_in = ("```python\nx = 1\ny = 2\n```", "~~~\nx = 1\ny = 2\n~~~")
    for said in (*fenced_in, "x = 1\ny = 2\n", "x = 1\\ny = 2\\n"):
        assert unfenced(said).splitlines()[:2] == ["x = 1", "y = 2"], said
    assert unfenced('print("a\\nb")') == 'print("a\\nb")'

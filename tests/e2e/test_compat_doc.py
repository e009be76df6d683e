"""docs/compatibility.md against the schema: every message of config/proto has its table, every field its row, and there
are no others. The declarations come from the .proto files themselves, so the test needs no build."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOS = ROOT / "config/proto/envoy"
DOC = ROOT / "docs/compatibility.md"

TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"]*"|[\w.]+|[^\s\w]', re.DOTALL)
MAP = re.compile(r"map\s*<[^>]*>")


class Schema:
    """The messages of .proto texts: {full name: [field names]}."""

    def __init__(self):
        self.messages = {}

    def read(self, text):
        tokens = [t for t in TOKENS.findall(MAP.sub("map_type", text)) if not t.startswith(("//", "/*"))]
        package = tokens[tokens.index("package") + 1]
        self.walk(tokens, 0, package, None)

    def walk(self, tokens, at, scope, message):
        """Reads statements up to the brace that closes scope; returns what follows it."""
        statement = []
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if token == "}":
                return at
            if token == ";":
                self.field(statement, message)
                statement = []
            elif token == "{":
                at = self.block(tokens, at, scope, message, statement)
                statement = []
            else:
                statement.append(token)
        return at

    def block(self, tokens, at, scope, message, statement):
        if statement[:1] == ["message"]:
            inner = f"{scope}.{statement[1]}"
            self.messages[inner] = []
            return self.walk(tokens, at, inner, inner)
        if statement[:1] == ["oneof"]:
            return self.walk(tokens, at, scope, message)
        return self.walk(tokens, at, scope, None)  # an enum: its values are no fields

    def field(self, statement, message):
        """[repeated] TYPE NAME = NUMBER ..."""
        if message is None or "=" not in statement or statement[0] in ("option", "reserved"):
            return
        self.messages[message].append(statement[statement.index("=") - 1])


def declared():
    schema = Schema()
    for path in sorted(PROTOS.rglob("*.proto")):
        schema.read(path.read_text())
    return schema.messages


def documented(text):
    """{message: {field: (verdict, note)}}, and what is wrong with the form of the page."""
    tables, problems, message = {}, [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("### "):
            message = line[4:]
            if message in tables:
                problems.append(f"line {number}: a second table for {message}")
            tables[message] = {}
        elif line.startswith("| `"):
            name, verdict, note = (cell.strip() for cell in line.strip("|").split("|"))
            name = name.strip("`")
            if message is None or name in tables[message]:
                problems.append(f"line {number}: {name} is out of place, or there twice")
                continue
            if verdict not in ("yes", "no", "differs"):
                problems.append(f"line {number}: {verdict!r} is not yes, no or differs")
            if verdict != "yes" and note == "":
                problems.append(f"line {number}: {name}: {verdict} needs a note")
            tables[message][name] = (verdict, note)
    return tables, problems


def differences(schema, tables):
    problems = [f"no table for {name}" for name in schema if name not in tables]
    problems += [f"a table for {name}, which is not declared" for name in tables if name not in schema]
    for name in schema.keys() & tables.keys():
        problems += [f"{name}.{field} has no row" for field in schema[name] if field not in tables[name]]
        problems += [f"{name}.{field} is not declared" for field in tables[name] if field not in schema[name]]
    return problems


def test_every_field_has_a_row():
    tables, problems = documented(DOC.read_text())
    problems += differences(declared(), tables)
    assert not problems, "\n".join(sorted(problems))


SAMPLE = """
syntax = "proto3";
package a.v3; // message Not { int32 x = 1; }
message Outer {
  enum Kind { ZERO = 0; }
  message Inner { map<string, Other> by_name = 1; }
  reserved 4;
  option (x.y) = true;
  repeated string names = 1 [deprecated = true];
  oneof choice { string one = 2; Inner two = 3; }
}
message Empty {}
"""


def test_the_reader_of_protos():
    schema = Schema()
    schema.read(SAMPLE)
    assert schema.messages == {
        "a.v3.Outer": ["names", "one", "two"],
        "a.v3.Outer.Inner": ["by_name"],
        "a.v3.Empty": [],
    }


def test_the_schema_is_not_empty():
    schema = declared()
    assert "cluster_specifier" not in schema["envoy.config.route.v3.RouteAction"]
    assert "weighted_clusters" in schema["envoy.config.route.v3.RouteAction"]
    assert sum(map(len, schema.values())) > 200


def test_faults_are_found():
    schema = {"a.M": ["x", "y"], "a.N": ["z"]}
    page = "### a.M\n| field | weft | note |\n|---|---|---|\n| `x` | maybe | |\n| `q` | no | |\n### a.O\n"
    tables, problems = documented(page)
    assert len(problems) == 3, problems
    assert sorted(differences(schema, tables)) == [
        "a table for a.O, which is not declared",
        "a.M.q is not declared",
        "a.M.y has no row",
        "no table for a.N",
    ]

"""Our schema is upstream's, where it is anything: each message, field and enum that config/proto declares is compared
with the descriptors of the package xds-protos, and the value rules in config/reflect/rules_table.c with upstream's
validate options.

The build writes build/config/weft.desc; WEFT_DESC names another file.
"""
import importlib
import os
import pathlib
import re

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

ROOT = pathlib.Path(__file__).resolve().parents[2]
NANOS = 10**9


def ours():
    path = pathlib.Path(os.environ.get("WEFT_DESC") or ROOT / "build/config/weft.desc")
    if not path.is_file():
        pytest.fail(f"{path} is not there: run scripts/build, or set WEFT_DESC")
    return descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())


def upstream_module(name):
    return importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")


def upstream_file(name):
    proto = descriptor_pb2.FileDescriptorProto()
    upstream_module(name).DESCRIPTOR.CopyToProto(proto)
    return proto


def by_name(items):
    return {item.name: item for item in items}


def oneof_of(message, field):
    """The name of the oneof a field is in, None outside of one."""
    if field.HasField("oneof_index") and not field.proto3_optional:
        return message.oneof_decl[field.oneof_index].name
    return None


def field_facts(message, field):
    return {
        "number": field.number,
        "type": Field.Type.Name(field.type),
        "type name": field.type_name,
        "label": Field.Label.Name(field.label),
        "oneof": oneof_of(message, field),
        "presence": field.proto3_optional,
    }


def compare_fields(path, mine, theirs):
    problems = []
    known = by_name(theirs.field)
    for field in mine.field:
        name = f"{path}.{field.name}"
        if field.name not in known:
            problems.append(f"{name}: not upstream")
            continue
        wanted = field_facts(theirs, known[field.name])
        for fact, value in field_facts(mine, field).items():
            if value != wanted[fact]:
                problems.append(f"{name}: {fact} is {value}, upstream {wanted[fact]}")
    return problems


def compare_enums(path, mine, theirs):
    problems = []
    known = by_name(theirs)
    for enum in mine:
        name = f"{path}.{enum.name}"
        if enum.name not in known:
            problems.append(f"{name}: not upstream")
            continue
        values, wanted = [{v.name: v.number for v in e.value} for e in (enum, known[enum.name])]
        for value in sorted(values.keys() | wanted.keys()):
            if values.get(value) != wanted.get(value):
                problems.append(f"{name}.{value}: {values.get(value)}, upstream {wanted.get(value)}")
    return problems


def compare_messages(path, mine, theirs):
    problems = []
    known = by_name(theirs)
    for message in mine:
        name = f"{path}.{message.name}"
        if message.name not in known:
            problems.append(f"{name}: not upstream")
            continue
        other = known[message.name]
        if message.options.map_entry != other.options.map_entry:
            problems.append(f"{name}: a map entry on one side only")
        problems += compare_fields(name, message, other)
        problems += compare_enums(name, message.enum_type, other.enum_type)
        problems += compare_messages(name, message.nested_type, other.nested_type)
    return problems


def compare_file(mine, theirs):
    problems = []
    if (mine.package, mine.syntax) != (theirs.package, theirs.syntax):
        problems.append(f"{mine.name}: package or syntax differ")
    problems += compare_enums(mine.package, mine.enum_type, theirs.enum_type)
    return problems + compare_messages(mine.package, mine.message_type, theirs.message_type)


def is_upstreams(file):
    return file.package.startswith(("envoy.", "google.", "xds."))


def test_schema_is_upstreams():
    files = [file for file in ours().file if is_upstreams(file)]
    problems = [p for file in files for p in compare_file(file, upstream_file(file.name))]
    assert not problems, "\n".join(problems)
    assert sum(len(file.message_type) for file in files) > 50


def change(path, **facts):
    """A copy of listener.proto with some facts of one field changed."""
    file = upstream_file("envoy/config/listener/v3/listener.proto")
    message, field = path.split(".")
    target = by_name(by_name(file.message_type)[message].field)[field]
    for fact, value in facts.items():
        setattr(target, fact, value)
    return file


@pytest.mark.parametrize("facts, word", [
    ({"number": 99}, "number"),
    ({"type": Field.TYPE_BYTES}, "type"),
    ({"label": Field.LABEL_REPEATED}, "label"),
    ({"name": "adress"}, "not upstream"),
    ({"oneof_index": 0}, "oneof"),
    ({"proto3_optional": True}, "presence"),
])
def test_a_changed_field_is_found(facts, word):
    file = change("Listener.stat_prefix", **facts)
    problems = compare_file(file, upstream_file(file.name))
    assert len(problems) == 1 and word in problems[0] and "Listener." in problems[0]


def test_a_changed_type_name_is_found():
    file = change("Listener.address", type_name=".envoy.config.core.v3.SocketAddress")
    assert [p for p in compare_file(file, upstream_file(file.name)) if "type name" in p]


@pytest.mark.parametrize("number, name", [(9, "STATIC"), (0, "STATICAL")])
def test_a_changed_enum_is_found(number, name):
    file = upstream_file("envoy/config/cluster/v3/cluster.proto")
    value = by_name(by_name(file.message_type)["Cluster"].enum_type)["DiscoveryType"].value[0]
    value.number, value.name = number, name
    assert [p for p in compare_file(file, upstream_file(file.name)) if "DiscoveryType.STATIC" in p]


def test_a_missing_enum_value_is_found():
    file = upstream_file("envoy/config/cluster/v3/cluster.proto")
    del by_name(by_name(file.message_type)["Cluster"].enum_type)["LbPolicy"].value[-1]
    assert len(compare_file(file, upstream_file(file.name))) == 1


# The rules, as sets of (message, field, kind, ...).


def number(text):
    return eval(text.replace("SECOND", str(NANOS)).replace("MILLI" + str(NANOS), str(NANOS // 1000)), {})


def our_rules():
    text = (ROOT / "config/reflect/rules_table.c").read_text()
    names = dict(re.findall(r'#define (\w+)[\s\\]+"([\w.]+)"', text))
    table = re.search(r"rules\[\] = \{(.*?)\n\};", text, re.S).group(1)
    rules = []
    for kind, arguments in re.findall(r"(\w+)\(([^()]*)\)", table):
        message, field, *rest = [part.strip().strip('"') for part in arguments.split(",")]
        if kind == "RANGE":
            low, minimum, high, maximum = rest
            rest = [low, number(minimum), high, number(maximum)]
        elif kind == "ONEOF":
            rest = []  # any of its members stands for it
        rules.append((names[message], field, kind, *map(lambda r: int(r) if str(r).isdigit() else r, rest)))
    return rules


def bound(rules, closed, open_, value):
    for name, kind in ((closed, "CLOSED"), (open_, "OPEN")):
        if rules.HasField(name):
            return kind, value(getattr(rules, name))
    return "NONE", 0


def range_rule(rules, value):
    low, high = bound(rules, "gte", "gt", value), bound(rules, "lte", "lt", value)
    return [("RANGE", *low, *high)] if (low[0], high[0]) != ("NONE", "NONE") else []


def duration_nanos(duration):
    return duration.seconds * NANOS + duration.nanos


def field_rules(options):
    """Upstream's rules of one field in our terms. What the table cannot say is an error, so that it gets noticed."""
    kind = options.WhichOneof("type")
    rules = getattr(options, kind) if kind else None
    said = [("REQUIRED",)] if options.message.required or (kind == "duration" and rules.required) else []
    if kind == "string":
        said += string_rules(rules)
    elif kind == "enum":
        said += [("ENUM",)] if rules.defined_only else []
    elif kind == "repeated":
        said += [("MIN_ITEMS", rules.min_items)] if rules.min_items else []
        said += string_rules(rules.items.string)
    elif kind == "map":
        said += [("KEY_" + rule[0], *rule[1:]) for rule in string_rules(rules.keys.string)]
    elif kind == "duration":
        said += range_rule(rules, duration_nanos)
    elif kind in ("uint32", "uint64", "int32", "double"):
        said += range_rule(rules, int)
    else:
        assert kind is None, f"a rule about {kind}"
    return said


def string_rules(rules):
    said = [("MIN_LEN", rules.min_len)] if rules.min_len else []
    if rules.HasField("well_known_regex"):
        assert rules.well_known_regex == upstream_module("validate/validate.proto").HTTP_HEADER_VALUE
        assert not rules.strict
        said.append(("HEADER_VALUE",))
    extra = {f.name for f, _ in rules.ListFields()} - {"min_len", "well_known_regex", "strict"}
    assert not extra, f"a rule about texts: {extra}"
    return said


def message_rules(mine, theirs, validate):
    declared = by_name(mine.field)
    rules = []
    for oneof in theirs.oneofs:
        if oneof.GetOptions().Extensions[validate.required] and any(f.name in declared for f in oneof.fields):
            rules.append((theirs.full_name, oneof.name, "ONEOF"))
    for field in theirs.fields:
        if field.name in declared:
            options = field.GetOptions().Extensions[validate.rules]
            rules += [(theirs.full_name, field.name, *rule) for rule in field_rules(options)]
    for nested in mine.nested_type:
        if not nested.options.map_entry:
            rules += message_rules(nested, theirs.nested_types_by_name[nested.name], validate)
    return rules


def upstream_rules():
    validate = upstream_module("validate/validate.proto")
    rules = []
    for file in filter(is_upstreams, ours().file):
        messages = upstream_module(file.name).DESCRIPTOR.message_types_by_name
        for message in file.message_type:
            rules += message_rules(message, messages[message.name], validate)
    return rules


def test_value_rules_are_upstreams():
    mine, theirs = our_rules(), upstream_rules()
    assert sorted(map(str, set(theirs) - set(mine))) == [], "missing in rules_table.c"
    assert sorted(map(str, set(mine) - set(theirs))) == [], "not upstream"
    assert len(mine) == len(set(mine)) > 40


def test_rows_of_a_message_stand_together():
    messages = [rule[0] for rule in our_rules()]
    assert messages == sorted(messages)

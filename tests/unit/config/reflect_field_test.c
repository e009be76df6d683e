/* Packing, Anys and the list of types. */
#include "config/reflect/reflect_int.h"
#include "envoy/config/core/v3/base.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "tests/unit/config/reflect_support.h"
#include "tests/unit/config/reflect_test.pb-c.h"

T(reflect_field, maps_are_known_by_their_entries)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *field;
        bool want;
    } rows[] = {
        {&google__protobuf__struct__descriptor,          "fields",          true },
        {&envoy__config__core__v3__metadata__descriptor, "filter_metadata", true },
        {&weft__test__maps__descriptor,                  "texts",           true },
        {&weft__test__maps__descriptor,                  "camelCase",       true },
        {&weft__test__maps__descriptor,                  "pairs",           false},
        {&weft__test__tree__descriptor,                  "by_name",         true },
        {&weft__test__tree__descriptor,                  "children",        false},
        {&weft__test__tree__descriptor,                  "child",           false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const ProtobufCFieldDescriptor *f =
            protobuf_c_message_descriptor_get_field_by_name(rows[i].type, rows[i].field);
        T_ASSERT(f != NULL, "%s", rows[i].field);
        T_EXPECT_EQ(field_is_map(f), rows[i].want, rows[i].field);
    }
}

T(reflect_field, types)
{
    static const struct {
        const char *url;
        bool want;
    } rows[] = {
        {"type.googleapis.com/envoy.config.listener.v3.Listener", true },
        {"a/b/c/envoy.config.listener.v3.Listener",               true },
        {"/envoy.config.listener.v3.Listener",                    false},
        {"envoy.config.listener.v3.Listener",                     false},
        {"type.googleapis.com/envoy.config.listener.v3.listener", false},
        {"type.googleapis.com/",                                  false},
        {"type.googleapis.com",                                   false},
        {"",                                                      false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const ProtobufCMessageDescriptor *type = reflect_find_url(sv_str(rows[i].url));
        T_EXPECT_EQ(type != NULL, rows[i].want, rows[i].url);
        T_EXPECT(type == NULL || type == &envoy__config__listener__v3__listener__descriptor);
    }
    T_EXPECT(reflect_find_type(SV("envoy.config.listener.v3.Listener")) ==
             &envoy__config__listener__v3__listener__descriptor);
    T_EXPECT(reflect_find_type(SV("weft.test.Tree")) == NULL);
}

T(reflect_field, any_there_and_back)
{
    struct fixture f;
    ProtobufCMessage *m = NULL, *back = NULL;
    Google__Protobuf__Any *any = NULL;
    const ProtobufCMessageDescriptor *type = &envoy__config__listener__v3__listener__descriptor;

    setup(&f);
    T_ASSERT(parse_text(&f, REFLECT_YAML, type, SV("{name: a, use_original_dst: y}"), &m) == OK);
    T_ASSERT(reflect_any_pack(m, f.arena, &any) == OK);
    T_EXPECT_SV(sv_str(any->type_url), SV("type.googleapis.com/envoy.config.listener.v3.Listener"),
                "");
    T_ASSERT(reflect_any_unpack(any, f.arena, &back, &f.diag) == OK, "%s", f.diag.msg);
    T_EXPECT(back->descriptor == type && same_message(&f, m, back));
    teardown(&f);
}

T(reflect_field, any_of_an_unknown_type)
{
    static char url[] = "type.googleapis.com/a.B";
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    struct fixture f;
    ProtobufCMessage *back = NULL;

    setup(&f);
    T_EXPECT_EQ(reflect_any_unpack(&any, f.arena, &back, &f.diag), E_UNSUPPORTED, "");
    any.type_url = url;
    T_EXPECT_EQ(reflect_any_unpack(&any, f.arena, &back, &f.diag), E_UNSUPPORTED, "");
    T_EXPECT_SV(sv_str(f.diag.msg), SV("unknown @type 'type.googleapis.com/a.B'"), "");
    T_EXPECT(back == NULL);
    teardown(&f);
}

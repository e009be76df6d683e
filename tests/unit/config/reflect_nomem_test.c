/* Every allocation of the engine fails once, and every size of arena is tried: nothing crashes,
 * leaks or succeeds by half. */
#include "config/reflect/rules.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "tests/support/failmalloc.h"
#include "tests/unit/config/reflect_support.h"

#define TYPE &envoy__config__bootstrap__v3__bootstrap__descriptor

static const char text[] =
    "node: &n {id: a, metadata: {x: [1, two, null, {y: !!float 2.5}], x: 1}}\n"
    "stats_flush_interval: 1.5s\n"
    "static_resources:\n"
    "  listeners:\n"
    "  - name: in\n"
    "    address: {socket_address: {address: 127.0.0.1, port_value: 1}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: tcp\n"
    "        typed_config:\n"
    "          '@type': "
    "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy\n"
    "          stat_prefix: x\n"
    "          cluster: a\n"
    "  clusters:\n"
    "  - &c {name: a, connect_timeout: 1s, circuit_breakers: {thresholds: {max_retries: 0}}}\n"
    "  - *c\n";

/* Parse, check, merge, print both ways. The arena's cap is part of the trial. */
static enum err run(size_t cap, struct str *out)
{
    struct arena *a = arena_new(512, cap);
    const struct reflect_text in = {.text = sv_str(text)};
    ProtobufCMessage *m = NULL, *over = NULL;
    struct diag d;
    enum err e = a == NULL ? E_NOMEM : reflect_parse(&in, TYPE, a, &m, &d);

    if (e == OK)
        e = rules_check(m, &d);
    if (e == OK)
        e = reflect_parse(&in, TYPE, a, &over, &d);
    if (e == OK)
        e = reflect_merge(m, over, a);
    if (e == OK)
        e = reflect_print_json(m, REFLECT_PRETTY, out, &d);
    if (e == OK)
        e = reflect_print_yaml(m, out, &d);
    arena_free(&a);
    return e;
}

static struct str want;

static void scenario(bool failing)
{
    struct str out;
    str_init(&out, 0);
    enum err e = run(SIZE_MAX, &out);
    if (!failing)
        T_EXPECT_EQ(e, OK, "without failure");
    else if (e == OK)
        /* An allocation whose failure can be survived must not change the outcome. */
        T_EXPECT_SV(str_sv(&out), str_sv(&want), "");
    else
        T_EXPECT_EQ(e, E_NOMEM, "with failure");
    str_fini(&out);
}

T(reflect_nomem, each_allocation_fails)
{
    str_init(&want, 0);
    T_ASSERT(run(SIZE_MAX, &want) == OK);
    T_EXPECT(failmalloc_each(scenario) > 20);
    str_fini(&want);
}

T(reflect_nomem, each_size_of_arena)
{
    size_t cap = 0;
    enum err e = E_NOMEM;

    for (; cap < 1 << 16; cap += 40) {
        struct str out;
        str_init(&out, 0);
        e = run(cap, &out);
        str_fini(&out);
        if (e == OK)
            break;
        T_EXPECT_EQ(e, E_NOMEM, "");
    }
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT(cap > 2000, "it fitted %zu bytes", cap);
}

/* Names of chains and tables, and sets that grow. */
#include "iptables/set.h"
#include "tests/support/t.h"

T(set, every_chain_is_found_by_its_table_and_name)
{
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++) {
        const struct ipt_chain_name *n = &ipt_chain_names[c];
        T_EXPECT_EQ(ipt_chain_find(n->table, n->name), c, n->name.p);
        T_EXPECT_EQ(n->name.n, strlen(n->name.p), n->name.p);
        T_EXPECT(sv_starts(n->name, SV("APPMESH_")), "%s", n->name.p);
        T_EXPECT(n->name.n <= 28, "%s: iptables takes no longer names", n->name.p);
    }
    T_EXPECT_EQ(ipt_chain_find(IPT_RAW, SV("APPMESH_EGRESS")), IPT_CHAINS, "another table's");
    T_EXPECT_EQ(ipt_chain_find(IPT_NAT, SV("OUTPUT")), IPT_CHAINS, "a built-in one");
    T_EXPECT_EQ(ipt_chain_find(IPT_NAT, SV("")), IPT_CHAINS, "no name");
}

T(set, grows_and_keeps_order)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_set s;
    ipt_set_init(&s, a);
    T_EXPECT(ipt_set_empty(&s));
    for (size_t i = 0; i < 200; i++) {
        struct ipt_rule r = {.table = IPT_NAT, .owner = IPT_EGRESS, .place = i};
        T_ASSERT(ipt_set_add(&s, r) == OK);
    }
    for (size_t i = 0; i < 200; i++)
        T_EXPECT_EQ(s.rules[i].place, i, "order");
    T_EXPECT(s.chains[IPT_EGRESS] && !s.chains[IPT_INGRESS]);
    T_EXPECT(!ipt_set_empty(&s));
    arena_free(&a);
}

T(set, a_jump_makes_no_chain)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_set s;
    ipt_set_init(&s, a);
    T_ASSERT(ipt_set_add(&s, (struct ipt_rule){.table = IPT_NAT, .owner = IPT_CHAINS}) == OK);
    for (size_t c = 0; c < IPT_CHAINS; c++)
        T_EXPECT(!s.chains[c]);
    T_EXPECT(!ipt_set_empty(&s), "but it is there");
    arena_free(&a);
}

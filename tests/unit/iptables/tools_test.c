/* Which backend is chosen, and programs given by path. */
#include "tests/support/t.h"
#include "iptables/tools.h"

T(tools, the_backend_in_use_is_chosen)
{
    static const struct {
        const char *row;
        bool readable[2], ours[2];
        size_t foreign[2], want;
    } rows[] = {
        {"nothing anywhere",      {true, true},   {false, false}, {0, 0}, 0},
        {"ours in the second",    {true, true},   {false, true},  {9, 0}, 1},
        {"ours in both",          {true, true},   {true, true},   {0, 9}, 0},
        {"others' in the second", {true, true},   {false, false}, {0, 1}, 1},
        {"others' in both",       {true, true},   {false, false}, {1, 5}, 0},
        {"only the second works", {false, true},  {false, false}, {0, 0}, 1},
        {"neither works",         {false, false}, {false, false}, {0, 0}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static struct ipt_toolbox box;
        box = (struct ipt_toolbox){.n = 2};
        for (size_t k = 0; k < 2; k++) {
            box.at[k].readable[IPT_V4] = rows[i].readable[k];
            box.at[k].state[IPT_V6].ours.chains[IPT_EGRESS] = rows[i].ours[k];
            box.at[k].state[IPT_V4].foreign = rows[i].foreign[k];
        }
        T_EXPECT_EQ(ipt_tools_choose(&box), rows[i].want, rows[i].row);
    }
}

T(tools, a_given_program_must_have_its_companions)
{
    static struct ipt_toolbox box;
    struct diag d = {0};
    const struct ipt_options o = {.iptables = "/nonexistent/iptables-x"};
    T_EXPECT_EQ(ipt_tools_find(&o, &box, &d), E_NOTFOUND, "error");
    T_EXPECT(strstr(d.msg, "/nonexistent/iptables-x-save") != NULL, "%s", d.msg);
}

T(tools, a_missing_program_is_unreadable_not_an_error)
{
    static struct ipt_tools t = {.name = "nft"};
    struct arena *a = arena_new(4096, SIZE_MAX);
    T_EXPECT_EQ(ipt_tools_read(&t, IPT_V6, a), OK, "no failure");
    T_EXPECT(!t.readable[IPT_V6]);
    T_EXPECT_SV(sv_str(t.why[IPT_V6].msg), SV("there is no nft program for ipv6"), "why");
    arena_free(&a);
}

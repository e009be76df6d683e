/* How a job is shown: the order of commands, and the inputs. */
#include "iptables/job.h"
#include "tests/support/t.h"

static struct ipt_tools tools;
static struct ipt_job job;

static void reset(struct arena *a, const struct ipt_options *o)
{
    tools = (struct ipt_tools){
        .name = "nft",
        .restore = {"/sbin/iptables-restore", "/sbin/ip6tables-restore"},
        .readable = {true,                     true                     }
    };
    job = (struct ipt_job){.o = o, .a = a, .n_targets = 2};
    for (enum ipt_family f = 0; f < IPT_FAMILIES; f++) {
        job.targets[f] = (struct ipt_target){.tools = &tools, .family = f};
        ipt_set_init(&job.targets[f].want, a);
    }
}

static void want_rule(struct ipt_target *t)
{
    const struct ipt_rule r = {.table = IPT_NAT,
                               .owner = IPT_EGRESS,
                               .chain = ipt_chain_names[IPT_EGRESS].name,
                               .text = SV("-p tcp -j RETURN")};
    T_ASSERT(ipt_set_add(&t->want, r) == OK);
}

T(job, additions_rules_and_deletions_in_the_order_of_work)
{
    static const struct ipt_options o = {.wait_s = 9};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct str out;
    reset(a, &o);
    want_rule(&job.targets[0]);
    job.ips[job.n_ips++] = (struct ipt_ip){IPT_V4, true, true, 1, 7};
    job.ips[job.n_ips++] = (struct ipt_ip){IPT_V6, false, false, 2, 8};
    str_init(&out, 0);
    ipt_job_show(&job, &out);
    T_EXPECT_SV(str_sv(&out),
                SV("ip -4 rule add fwmark 0x1 lookup 7\n"
                   "# /sbin/iptables-restore --noflush --wait 9\n"
                   "*nat\n:APPMESH_EGRESS - [0:0]\n-A APPMESH_EGRESS -p tcp -j RETURN\nCOMMIT\n"
                   "# ipv6 (nft): nothing to change\n"
                   "ip -6 route del local default dev lo table 8\n"),
                "shown");
    str_fini(&out);
    arena_free(&a);
}

T(job, rules_that_cannot_be_read_are_said)
{
    static const struct ipt_options o = {.wait_s = 30};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct str out;
    reset(a, &o);
    job.n_targets = 1;
    want_rule(&job.targets[0]);
    tools.readable[IPT_V4] = false;
    memcpy(tools.why[IPT_V4].msg, "no", 3);
    str_init(&out, 0);
    ipt_job_show(&job, &out);
    T_EXPECT(sv_starts(str_sv(&out), SV("# the ipv4 rules cannot be read, shown as for none (no)\n"
                                        "# /sbin/iptables-restore --noflush --wait 30\n*nat\n")),
             "%s", out.p);
    str_fini(&out);
    arena_free(&a);
}

/* ip(8) commands and its output for the policy routing of tproxy mode. Pure; see route.h. */
#include "iptables/route.h"

#include <stdio.h>

void ipt_ip_command(const struct ipt_ip *c, struct ipt_ip_argv *out)
{
    size_t n = 0;
    snprintf(out->mark, sizeof(out->mark), "0x%x", c->mark);
    snprintf(out->table, sizeof(out->table), "%u", c->table);
    out->at[n++] = "ip";
    out->at[n++] = c->family == IPT_V4 ? "-4" : "-6";
    out->at[n++] = c->rule ? "rule" : "route";
    out->at[n++] = c->add ? "add" : "del";
    if (c->rule) {
        out->at[n++] = "fwmark";
        out->at[n++] = out->mark;
        out->at[n++] = "lookup";
    } else {
        out->at[n++] = "local";
        out->at[n++] = "default";
        out->at[n++] = "dev";
        out->at[n++] = "lo";
        out->at[n++] = "table";
    }
    out->at[n++] = out->table;
    out->at[n] = NULL;
}

void ipt_ip_text(const struct ipt_ip *c, struct str *out)
{
    struct ipt_ip_argv argv;
    ipt_ip_command(c, &argv);
    for (size_t i = 0; argv.at[i] != NULL; i++)
        str_addf(out, "%s%s", i == 0 ? "" : " ", argv.at[i]);
}

struct ipt_ip ipt_ip_reverse(const struct ipt_ip *c)
{
    struct ipt_ip r = *c;
    r.add = !c->add;
    return r;
}

/* The line begins with these words; more may follow. */
static bool begins(struct sv line, struct sv words)
{
    return sv_starts(line, words) && (line.n == words.n || line.p[words.n] == ' ');
}

size_t ipt_route_rules(struct sv shown, uint32_t mark, uint32_t table)
{
    char want[64];
    size_t found = 0;
    snprintf(want, sizeof(want), "from all fwmark 0x%x lookup %u", mark, table);
    for (struct sv rest = shown, line; sv_split(&rest, '\n', &line);) {
        size_t colon = sv_find(line, ':', 0); /* "32765:\tfrom all ..." */
        if (colon != SIZE_MAX)
            found += begins(sv_trim(sv_skip(line, colon + 1)), sv_str(want));
    }
    return found;
}

bool ipt_route_there(struct sv shown)
{
    for (struct sv rest = shown, line; sv_split(&rest, '\n', &line);)
        if (begins(sv_trim(line), SV("local default dev lo")))
            return true;
    return false;
}

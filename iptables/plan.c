/* Reading iptables-save, comparing, planning. Pure; see plan.h. */
#include "iptables/plan.h"
#include "iptables/values.h"

/* Where the reader is in the text. */
struct cursor {
    bool in_table, known; /* known: one of the tables we use */
    enum ipt_table table;
    struct sv chain; /* of the last rule */
    size_t place;    /* of the last rule in it */
};

static void enter_table(struct cursor *c, struct sv name)
{
    *c = (struct cursor){.in_table = true};
    for (enum ipt_table t = 0; t < IPT_TABLES; t++) {
        if (sv_eq(name, sv_str(ipt_table_name(t)))) {
            c->table = t;
            c->known = true;
        }
    }
}

/* Our chain that the rule jumps or goes to; IPT_CHAINS for none. A target without options stands
 * last, and a comment that imitates one ends in a quote. */
static enum ipt_chain jump_target(enum ipt_table t, struct sv text)
{
    size_t blank = sv_rfind(text, ' ');
    if (blank == SIZE_MAX)
        return IPT_CHAINS;
    struct sv head = sv_of(text.p, blank);
    if (!sv_ends(head, SV("-j")) && !sv_ends(head, SV("-g")))
        return IPT_CHAINS;
    return ipt_chain_find(t, sv_skip(text, blank + 1));
}

/* "-A CHAIN TEXT" */
static enum err read_rule(struct cursor *c, struct sv line, struct ipt_state *out)
{
    struct sv text = sv_skip(line, 3), chain = SV_NONE;
    if (!sv_split(&text, ' ', &chain))
        return E_PARSE;
    c->place = sv_eq(chain, c->chain) ? c->place + 1 : 1;
    c->chain = chain;
    if (!c->known) {
        out->foreign++;
        return OK;
    }
    struct ipt_rule rule = {
        .table = c->table, .owner = ipt_chain_find(c->table, chain), .chain = chain, .text = text};
    if (rule.owner != IPT_CHAINS)
        return ipt_set_add(&out->ours, rule);
    if (jump_target(c->table, text) == IPT_CHAINS) {
        out->foreign++;
        return OK;
    }
    rule.place = c->place;
    return ipt_set_add(&out->ours, rule);
}

/* ":CHAIN POLICY [packets:bytes]" */
static void read_chain(const struct cursor *c, struct sv line, struct ipt_state *out)
{
    struct sv rest = sv_skip(line, 1), name = SV_NONE;
    if (!c->known || !sv_split(&rest, ' ', &name))
        return;
    enum ipt_chain chain = ipt_chain_find(c->table, name);
    if (chain != IPT_CHAINS)
        out->ours.chains[chain] = true;
}

static enum err read_line(struct cursor *c, struct sv line, struct ipt_state *out)
{
    if (line.n == 0 || line.p[0] == '#')
        return OK;
    if (line.p[0] == '*') {
        enter_table(c, sv_skip(line, 1));
        return OK;
    }
    if (!c->in_table)
        return E_PARSE;
    if (sv_eq(line, SV("COMMIT"))) {
        c->in_table = false;
        return OK;
    }
    if (line.p[0] == ':') {
        read_chain(c, line, out);
        return OK;
    }
    return sv_starts(line, SV("-A ")) ? read_rule(c, line, out) : E_PARSE;
}

enum err ipt_state_read(struct arena *a, struct sv save, struct ipt_state *out, struct diag *d)
{
    struct cursor c = {0};
    struct ipt_state state = {0};
    ipt_set_init(&state.ours, a);
    for (struct sv rest = save, line; sv_split(&rest, '\n', &line);) {
        line = sv_trim(line);
        enum err e = read_line(&c, line, &state);
        if (e == E_PARSE)
            return diag_fail(d, e, "iptables-save printed \"%.*s\", which is not understood",
                             SVF(line));
        if (e != OK)
            return diag_fail(d, e, "no memory");
    }
    *out = state;
    return OK;
}

/* Steps through the rules of one table: of our chain c, or (IPT_CHAINS) the jumps in chain `from`,
 * NULL for any. */
static const struct ipt_rule *next_rule(const struct ipt_set *s, size_t *at, enum ipt_table t,
                                        enum ipt_chain c, const struct sv *from)
{
    while (*at < s->n) {
        const struct ipt_rule *r = &s->rules[(*at)++];
        if (r->table == t && r->owner == c && (from == NULL || sv_eq(r->chain, *from)))
            return r;
    }
    return NULL;
}

static bool same_rules(const struct ipt_set *a, const struct ipt_set *b, enum ipt_table t,
                       enum ipt_chain c, const struct sv *from)
{
    for (size_t i = 0, k = 0;;) {
        const struct ipt_rule *x = next_rule(a, &i, t, c, from), *y = next_rule(b, &k, t, c, from);
        if (x == NULL || y == NULL)
            return x == y;
        if (!sv_eq(x->text, y->text))
            return false;
    }
}

static bool same_chain(const struct ipt_set *a, const struct ipt_set *b, enum ipt_chain c)
{
    return a->chains[c] == b->chains[c] && same_rules(a, b, ipt_chain_names[c].table, c, NULL);
}

/* The same jumps from the same chains, in the same order within each. Where they stand among the
 * rules of others is the others' business. */
static bool same_jumps(const struct ipt_set *a, const struct ipt_set *b, enum ipt_table t)
{
    const struct ipt_set *both[2] = {a, b};
    for (size_t w = 0; w < 2; w++) {
        const struct ipt_rule *r;
        for (size_t i = 0; (r = next_rule(both[w], &i, t, IPT_CHAINS, NULL)) != NULL;)
            if (!same_rules(a, b, t, IPT_CHAINS, &r->chain))
                return false;
    }
    return true;
}

/* A chain that is to be removed is emptied first, since it may hold the only jumps to another such
 * one. */
static void declare_chain(const struct ipt_set *have, const struct ipt_set *want, enum ipt_chain c,
                          struct str *out)
{
    if (!same_chain(have, want, c))
        str_addf(out, ":%.*s - [0:0]\n", SVF(ipt_chain_names[c].name));
}

static void fill_chain(const struct ipt_set *have, const struct ipt_set *want, enum ipt_chain c,
                       struct str *out)
{
    const struct ipt_rule *r;
    enum ipt_table t = ipt_chain_names[c].table;
    if (same_chain(have, want, c))
        return;
    for (size_t i = 0; (r = next_rule(want, &i, t, c, NULL)) != NULL;)
        str_addf(out, "-A %.*s %.*s\n", SVF(r->chain), SVF(r->text));
}

static void remove_jumps(const struct ipt_set *have, enum ipt_table t, struct str *out)
{
    const struct ipt_rule *r;
    for (size_t i = 0; (r = next_rule(have, &i, t, IPT_CHAINS, NULL)) != NULL;)
        str_addf(out, "-D %.*s %.*s\n", SVF(r->chain), SVF(r->text));
}

/* In ascending order of place, so that each number is right when its turn comes. */
static void insert_jumps(const struct ipt_set *want, enum ipt_table t, struct str *out)
{
    const struct ipt_rule *r;
    for (size_t i = 0; (r = next_rule(want, &i, t, IPT_CHAINS, NULL)) != NULL;) {
        if (r->place == 0)
            str_addf(out, "-A %.*s %.*s\n", SVF(r->chain), SVF(r->text));
        else
            str_addf(out, "-I %.*s %zu %.*s\n", SVF(r->chain), r->place, SVF(r->text));
    }
}

static bool same_table(const struct ipt_set *have, const struct ipt_set *want, enum ipt_table t)
{
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++)
        if (ipt_chain_names[c].table == t && !same_chain(have, want, c))
            return false;
    return same_jumps(have, want, t);
}

static void plan_table(const struct ipt_set *have, const struct ipt_set *want, enum ipt_table t,
                       struct str *out)
{
    bool move = !same_jumps(have, want, t);
    str_addf(out, "*%s\n", ipt_table_name(t));
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++)
        if (ipt_chain_names[c].table == t)
            declare_chain(have, want, c, out);
    if (move)
        remove_jumps(have, t, out);
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++)
        if (ipt_chain_names[c].table == t)
            fill_chain(have, want, c, out);
    if (move)
        insert_jumps(want, t, out);
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++)
        if (ipt_chain_names[c].table == t && have->chains[c] && !want->chains[c])
            str_addf(out, "-X %.*s\n", SVF(ipt_chain_names[c].name));
    str_add(out, SV("COMMIT\n"));
}

void ipt_plan(const struct ipt_set *have, const struct ipt_set *want, struct str *out)
{
    for (enum ipt_table t = 0; t < IPT_TABLES; t++)
        if (!same_table(have, want, t))
            plan_table(have, want, t, out);
}

bool ipt_set_similar(const struct ipt_set *a, const struct ipt_set *b)
{
    size_t rules[2][IPT_CHAINS] = {0}, jumps[2][IPT_CHAINS] = {0};
    const struct ipt_set *both[2] = {a, b};
    for (size_t w = 0; w < 2; w++) {
        for (size_t i = 0; i < both[w]->n; i++) {
            const struct ipt_rule *r = &both[w]->rules[i];
            if (r->owner != IPT_CHAINS)
                rules[w][r->owner]++;
            else
                jumps[w][jump_target(r->table, r->text)]++;
        }
    }
    return memcmp(a->chains, b->chains, sizeof(a->chains)) == 0 &&
           memcmp(rules[0], rules[1], sizeof(rules[0])) == 0 &&
           memcmp(jumps[0], jumps[1], sizeof(jumps[0])) == 0;
}

bool ipt_state_tproxy(const struct ipt_set *s, uint32_t *mark, uint32_t *table)
{
    static const struct sv before_table = {"--comment weft-table-", 21};
    static const struct sv before_mark = {"--set-xmark ", 12};
    for (size_t i = 0; i < s->n; i++) {
        struct sv text = s->rules[i].text, value = SV_NONE;
        size_t t = sv_search(text, before_table), m = sv_search(text, before_mark);
        if (s->rules[i].owner != IPT_DIVERT || t == SIZE_MAX || m == SIZE_MAX)
            continue;
        struct sv rest = sv_skip(text, t + before_table.n);
        if (!sv_split(&rest, ' ', &value) || ipt_value_u32(value, table, NULL) != OK)
            continue;
        rest = sv_skip(text, m + before_mark.n);
        if (sv_split(&rest, '/', &value) && ipt_value_u32(value, mark, NULL) == OK)
            return true;
    }
    return false;
}

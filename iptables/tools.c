/* Finding and asking the iptables programs; see tools.h. */
#include "iptables/tools.h"
#include "iptables/run.h"

#include <stdio.h>
#include <unistd.h>

enum { SAVE_TIMEOUT_MS = 30000, SAVE_MAX = 16 << 20 };

/* Programs are named <stem><suffix>-save and -restore, the stem being iptables or ip6tables. */
static void fill_found(struct ipt_tools *t, enum ipt_family f, const char *suffix)
{
    char name[64];
    const char *stem = f == IPT_V4 ? "iptables" : "ip6tables";
    snprintf(name, sizeof(name), "%s%s-save", stem, suffix);
    bool found = run_find(name, t->save[f], IPT_PATH_MAX) == OK;
    snprintf(name, sizeof(name), "%s%s-restore", stem, suffix);
    if (!found || run_find(name, t->restore[f], IPT_PATH_MAX) != OK)
        t->save[f][0] = t->restore[f][0] = '\0';
}

/* From "/dir/iptables-x" to "/dir/ip6tables-x-save" and so on. */
static void fill_given(struct ipt_tools *t, enum ipt_family f, const char *path)
{
    struct sv whole = sv_str(path), dir = sv_of(path, sv_rfind(whole, '/') + 1);
    struct sv suffix = sv_skip(whole, dir.n + strlen("iptables"));
    const char *stem = f == IPT_V4 ? "iptables" : "ip6tables";
    int n = snprintf(t->save[f], IPT_PATH_MAX, "%.*s%s%.*s-save", SVF(dir), stem, SVF(suffix));
    int m =
        snprintf(t->restore[f], IPT_PATH_MAX, "%.*s%s%.*s-restore", SVF(dir), stem, SVF(suffix));
    if (n >= IPT_PATH_MAX || m >= IPT_PATH_MAX || access(t->save[f], X_OK) != 0 ||
        access(t->restore[f], X_OK) != 0)
        t->save[f][0] = t->restore[f][0] = '\0';
}

static void try_backend(struct ipt_toolbox *box, const char *name, const char *suffix)
{
    struct ipt_tools *t = &box->at[box->n];
    *t = (struct ipt_tools){.name = name};
    fill_found(t, IPT_V4, suffix);
    fill_found(t, IPT_V6, suffix);
    box->n += t->save[IPT_V4][0] != '\0';
}

enum err ipt_tools_find(const struct ipt_options *o, struct ipt_toolbox *out, struct diag *d)
{
    *out = (struct ipt_toolbox){0};
    if (o->iptables != NULL) {
        out->at[0] = (struct ipt_tools){.name = "given"};
        fill_given(&out->at[0], IPT_V4, o->iptables);
        fill_given(&out->at[0], IPT_V6, o->iptables);
        out->n = out->at[0].save[IPT_V4][0] != '\0';
        if (out->n == 0)
            return diag_fail(d, E_NOTFOUND, "%s-save and %s-restore are not both there",
                             o->iptables, o->iptables);
        return OK;
    }
    if (o->backend != IPT_BACKEND_LEGACY)
        try_backend(out, "nft", "-nft");
    if (o->backend != IPT_BACKEND_NFT)
        try_backend(out, "legacy", "-legacy");
    /* Some distributions ship a single backend, under the plain name. */
    if (out->n == 0 && o->backend == IPT_BACKEND_AUTO)
        try_backend(out, "default", "");
    if (out->n == 0)
        return diag_fail(d, E_NOTFOUND, "no iptables%s-save and -restore in the system's folders",
                         o->backend == IPT_BACKEND_NFT      ? "-nft"
                         : o->backend == IPT_BACKEND_LEGACY ? "-legacy"
                                                            : "");
    return OK;
}

static enum err read_state(struct ipt_tools *t, enum ipt_family f, struct arena *a,
                           struct str *text)
{
    const char *argv[] = {t->save[f], NULL};
    const struct run r = {.program = t->save[f], .argv = argv, .timeout_ms = SAVE_TIMEOUT_MS};
    TRY(run_program(&r, text, &t->why[f]));
    struct sv copy = arena_dup(a, str_sv(text));
    if (copy.p == NULL)
        return E_NOMEM;
    return ipt_state_read(a, copy, &t->state[f], &t->why[f]);
}

/* iptables-legacy-save prints nothing, and no error, when it may not read the list of tables. */
static bool hidden(const struct ipt_tools *t, enum ipt_family f, const struct str *text)
{
    const char *names =
        f == IPT_V4 ? "/proc/self/net/ip_tables_names" : "/proc/self/net/ip6_tables_names";
    return text->n == 0 && strcmp(t->name, "legacy") == 0 && access(names, F_OK) == 0 &&
           access(names, R_OK) != 0;
}

enum err ipt_tools_read(struct ipt_tools *t, enum ipt_family f, struct arena *a)
{
    struct str text;
    enum err e;
    t->readable[f] = false;
    t->state[f] = (struct ipt_state){.ours = {.a = a}};
    if (t->save[f][0] == '\0') {
        snprintf(t->why[f].msg, sizeof(t->why[f].msg), "there is no %s program for %s", t->name,
                 ipt_family_name(f));
        return OK;
    }
    str_init(&text, SAVE_MAX);
    e = read_state(t, f, a, &text);
    if (e == OK && hidden(t, f, &text))
        e = diag_fail(&t->why[f], E_IO, "this user may not read the tables");
    str_fini(&text);
    t->readable[f] = e == OK;
    return e == E_NOMEM ? e : OK;
}

static bool holds_ours(const struct ipt_tools *t)
{
    return !ipt_set_empty(&t->state[IPT_V4].ours) || !ipt_set_empty(&t->state[IPT_V6].ours);
}

static bool holds_any(const struct ipt_tools *t)
{
    return t->state[IPT_V4].foreign > 0 || t->state[IPT_V6].foreign > 0;
}

static bool works(const struct ipt_tools *t)
{
    return t->readable[IPT_V4];
}

size_t ipt_tools_choose(const struct ipt_toolbox *box)
{
    static bool (*const reasons[])(const struct ipt_tools *) = {holds_ours, holds_any, works};
    for (size_t r = 0; r < ARRAY_LEN(reasons); r++)
        for (size_t i = 0; i < box->n; i++)
            if (reasons[r](&box->at[i]))
                return i;
    return 0;
}

/* Positions in messages, and the limits of a text. Called by the reading half; pure. */
#include "config/reflect/reflect_int.h"
#include <stdarg.h>
#include <stdio.h>

enum err text_fail(const struct reflect_text *in, uint32_t line, uint32_t column, enum err e,
                   struct diag *d, const char *fmt, ...)
{
    char reason[sizeof d->msg];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(reason, sizeof reason, fmt, ap) < 0)
        reason[0] = '\0';
    va_end(ap);
    return diag_fail(d, e, "%s:%u:%u: %s", in->file, line, column, reason);
}

struct reflect_text text_limits(const struct reflect_text *in)
{
    struct reflect_text t = *in;
    if (t.file == NULL)
        t.file = "<text>";
    if (t.max_bytes == 0)
        t.max_bytes = REFLECT_MAX_BYTES;
    if (t.max_depth == 0)
        t.max_depth = REFLECT_MAX_DEPTH;
    if (t.max_values == 0)
        t.max_values = REFLECT_MAX_VALUES;
    return t;
}

/* Where the reason begins in "FILE:LINE:COL: reason"; 0: no position stands there. */
static size_t skip_position(struct sv msg, const char *file)
{
    size_t at = strlen(file);
    if (!sv_starts(msg, sv_str(file)))
        return 0;
    for (int part = 0; part < 2; part++) {
        size_t from = at + 1;
        if (at >= msg.n || msg.p[at] != ':')
            return 0;
        for (at = from; at < msg.n && msg.p[at] >= '0' && msg.p[at] <= '9'; at++)
            ;
        if (at == from)
            return 0;
    }
    return sv_starts(sv_skip(msg, at), SV(": ")) ? at + 2 : 0;
}

void reflect_explain(const struct diag *d, const char *file, struct str *out)
{
    struct sv msg = sv_str(d->msg);
    size_t reason = skip_position(msg, file == NULL ? "<text>" : file);

    str_add(out, sv_of(msg.p, reason));
    if (d->path[0] != '\0')
        str_addf(out, "%s: ", d->path);
    str_add(out, sv_skip(msg, reason));
}

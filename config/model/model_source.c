/* Data sources: bytes given inline, in a file or in the environment, read once while the
 * configuration loads. Main thread. */
#include "config/model/model_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static enum err check_size(size_t n, size_t max, struct diag *d)
{
    if (n > max)
        return diag_fail(d, E_LIMIT, "response body size is %zu bytes; maximum is %zu", n, max);
    return OK;
}

/* The file's size, known before its bytes are read; a device or a fifo has none. */
static enum err check_file(const char *path, size_t max, size_t *size, struct diag *d)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return diag_fail(d, E_NOTFOUND, "file %s does not exist", path);
    if (!S_ISREG(st.st_mode))
        return diag_fail(d, E_PARSE, "Invalid path: %s", path);
    if ((uint64_t)st.st_size > max)
        return diag_fail(d, E_LIMIT, "file %s size is %llu bytes; maximum is %zu", path,
                         (unsigned long long)st.st_size, max);
    *size = (size_t)st.st_size;
    return OK;
}

static enum err read_file(struct model_build *b, const char *path, size_t max, struct sv *out,
                          struct diag *d)
{
    size_t size = 0;
    TRY(check_file(path, max, &size, d));
    char *p = arena_alloc(b->arena, size + 1, 1);
    if (p == NULL)
        return model_no_memory(d);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return diag_fail(d, E_IO, "unable to read file: %s", path);
    size_t n = fread(p, 1, size, f);
    bool failed = ferror(f) != 0;
    (void)fclose(f);
    if (failed)
        return diag_fail(d, E_IO, "unable to read file: %s", path);
    *out = sv_of(p, n);
    return OK;
}

enum err model_data_source(struct model_build *b, const Envoy__Config__Core__V3__DataSource *m,
                           size_t max, struct sv *out, struct diag *d)
{
    struct sv bytes = SV_NONE;
    switch (m->specifier_case) {
    case ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_FILENAME:
        return model_at(read_file(b, m->filename, max, out, d), d, "filename");
    case ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES:
        bytes = sv_of((const char *)m->inline_bytes.data, m->inline_bytes.len);
        break;
    case ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING:
        bytes = sv_str(m->inline_string);
        break;
    case ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_ENVIRONMENT_VARIABLE: {
        const char *value = getenv(m->environment_variable);
        if (value == NULL)
            return model_at(diag_fail(d, E_NOTFOUND, "Environment variable doesn't exist: %s",
                                      m->environment_variable),
                            d, "environment_variable");
        /* Ours to keep: the environment may change. */
        bytes = arena_dup(b->arena, sv_str(value));
        if (bytes.p == NULL)
            return model_no_memory(d);
        break;
    }
    default:
        return diag_fail(d, E_PARSE, "Unexpected DataSource::specifier_case(): 0");
    }
    TRY(check_size(bytes.n, max, d));
    *out = bytes;
    return OK;
}

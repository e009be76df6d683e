#pragma once
/* What configuration callbacks of the data plane find in model_build.env, and small help for
 * reading messages. Main thread. */
#include "config/model/model.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/stats.h"

struct env {
    struct stats *stats;
    struct alog_writer *alog; /* NULL in validate mode: no file is opened */
    struct sv node_id, node_cluster;
    struct sv local_ip; /* this host's address as others know it */
};

static inline struct env *env_of(const struct model_build *b)
{
    return b->env;
}

/* NULL gives the empty view. */
static inline struct any_view any_view_of(const Google__Protobuf__Any *a)
{
    if (a == NULL)
        return (struct any_view){NULL, NULL, 0};
    return (struct any_view){a->type_url, a->value.data, a->value.len};
}

static inline bool bool_value(const Google__Protobuf__BoolValue *b, bool dflt)
{
    return b != NULL ? (bool)b->value : dflt;
}

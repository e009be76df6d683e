#pragma once
/* From the command line's idea of a configuration to a snapshot: reads the file, merges
 * --config-yaml over it, checks it, applies the node's overrides, builds the model. Main thread, at
 * start-up. */
#include "config/model/model.h"
#include <stdio.h>

enum {
    LOAD_FILE_MAX = 64 << 20,   /* bytes of the file */
    LOAD_ARENA_MAX = 512 << 20, /* bytes of the messages and the model */
};

/* Strings are borrowed; NULL and "" mean not given. */
struct load_input {
    const char *path;   /* .yaml and .yml are YAML, .json is JSON, anything else by its content */
    const char *yaml;   /* merged over the file */
    bool allow_unknown; /* fields nobody knows are skipped */
    const char *node_id, *node_cluster, *node_zone;
};

/* On failure d->msg is what Envoy says, as far as the words are the same, and d->path the field. */
MUST enum err load_snapshot(const struct load_input *in, const struct model_registry *registry,
                            void *env, struct snap **out, struct diag *d);

/* The whole of --mode validate: prints "configuration 'PATH' OK" and a newline on out, or the
 * critical log line "error initializing configuration 'PATH': REASON". Returns the exit code, 0
 * or 1. */
int load_validate(const struct load_input *in, const struct model_registry *registry, void *env,
                  FILE *out);

/* "REASON (FIELD)": the text of a failed load for people. d stays as it is. */
void load_explain(const struct diag *d, char *out, size_t room);

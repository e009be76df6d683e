#pragma once
/* Hash map from byte strings to pointers: open addressing, grows, keeps its own copies of the keys.
 * For cold or read-mostly tables. Not thread-safe for writes; concurrent reads of an unchanging map
 * are fine. */
#include "base/sv.h"

struct map;

struct map *map_new(void); /* NULL: no memory */
void map_free(struct map **m);
/* E_CONFLICT when the key is there already (the old value stays). */
MUST enum err map_add(struct map *m, struct sv key, void *value);
/* Adds or replaces; *old (may be NULL) receives the former value or NULL. */
MUST enum err map_set(struct map *m, struct sv key, void *value, void **old);
/* NULL when absent. */
void *map_get(const struct map *m, struct sv key);
/* Returns the removed value or NULL. */
void *map_remove(struct map *m, struct sv key);
size_t map_count(const struct map *m);
/* Iteration in insertion order: start with *at = 0; false at the end. The map must not change
 * meanwhile. */
bool map_next(const struct map *m, size_t *at, struct sv *key, void **value);

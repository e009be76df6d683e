#pragma once
/* From rules that are there to rules that are wanted: reads what iptables-save prints, compares,
 * and writes what iptables-restore must be fed. Pure; main thread of weft-iptables and tests only.
 */
#include "base/str.h"
#include "iptables/set.h"

/* What stands in one address family of a network namespace. */
struct ipt_state {
    struct ipt_set ours;
    size_t foreign; /* rules of others, in any table */
};

/* Texts are borrowed from `save`, which must outlive *out. E_PARSE for a text that is not
 * iptables-save's, E_NOMEM. */
MUST enum err ipt_state_read(struct arena *a, struct sv save, struct ipt_state *out,
                             struct diag *d);

/* Appends to *out the input of one `iptables-restore --noflush` that turns have into want; nothing
 * when they are the same. Chains and jumps that are right already are not touched; rules of others
 * never are. */
void ipt_plan(const struct ipt_set *have, const struct ipt_set *want, struct str *out);

/* Both have the same chains with as many rules, and as many jumps to each: they differ in spelling
 * at most. */
bool ipt_set_similar(const struct ipt_set *a, const struct ipt_set *b);

/* The mark and routing table that an installed tproxy mode uses. False: there is none. */
bool ipt_state_tproxy(const struct ipt_set *s, uint32_t *mark, uint32_t *table);

#pragma once
/* Rules as data: a set of chains and rules of one address family, and the pure function from
 * options to it.
 *
 * A rule's text is what iptables-save prints after "-A CHAIN ", so that sets read back and sets
 * wanted compare as bytes. Pure; main thread of weft-iptables and tests only. */
#include "iptables/options.h"

enum ipt_table { IPT_RAW, IPT_MANGLE, IPT_NAT, IPT_TABLES };

/* Our chains. Those of nat named INGRESS and EGRESS are also App Mesh's. */
enum ipt_chain {
    IPT_DNS_OUT,
    IPT_DNS_IN,
    IPT_INVALID,
    IPT_DIVERT,
    IPT_TPROXY_IN,
    IPT_TPROXY_OUT,
    IPT_INGRESS,
    IPT_EGRESS,
    IPT_SELF,
    IPT_DNS,
    IPT_CHAINS
};

struct ipt_chain_name {
    enum ipt_table table;
    struct sv name;
};
extern const struct ipt_chain_name ipt_chain_names[IPT_CHAINS];
const char *ipt_table_name(enum ipt_table t);
const char *ipt_family_name(enum ipt_family f); /* "ipv4", "ipv6" */
/* IPT_CHAINS when it is none of ours. */
enum ipt_chain ipt_chain_find(enum ipt_table t, struct sv name);

struct ipt_rule {
    enum ipt_table table;
    enum ipt_chain owner; /* IPT_CHAINS: a jump into one of ours from somebody else's chain */
    struct sv chain, text;
    size_t place; /* of a jump: its number in its chain, counted from 1; 0: the end */
};

/* Grows in the arena. `chains` says which of ours exist, empty ones included. */
struct ipt_set {
    struct arena *a;
    struct ipt_rule *rules;
    size_t n, room;
    bool chains[IPT_CHAINS];
};

void ipt_set_init(struct ipt_set *s, struct arena *a);
/* Marks the owner chain as existing. Texts are borrowed. E_NOMEM. */
MUST enum err ipt_set_add(struct ipt_set *s, struct ipt_rule rule);
/* No chain of ours and no jump to one. */
bool ipt_set_empty(const struct ipt_set *s);

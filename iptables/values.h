#pragma once
/* Readers of single option values: numbers, ports, address blocks, interface names. Whole-string
 * and strict. Pure; used by options.c and tests. The message in d quotes the value; the caller puts
 * the name in front. */
#include "iptables/options.h"

MUST enum err ipt_value_port(struct sv s, uint16_t *out, struct diag *d); /* 1..65535 */
MUST enum err ipt_value_id(struct sv s, struct ipt_id *out,
                           struct diag *d); /* a uid or gid, not (uint32_t)-1 */
/* 1..UINT32_MAX, decimal or 0x hexadecimal. */
MUST enum err ipt_value_u32(struct sv s, uint32_t *out, struct diag *d);
MUST enum err ipt_value_bool(struct sv s, bool *out, struct diag *d); /* 1 t true 0 f false */

/* Comma lists; blanks around elements are ignored, an empty text is an empty list, an empty element
 * is an error. Exact repetitions are dropped. E_NOMEM when the arena is full. */
MUST enum err ipt_value_ports(struct arena *a, struct sv s, struct ipt_port_list *out,
                              struct diag *d);
MUST enum err ipt_value_cidrs(struct arena *a, struct sv s, struct ipt_cidr_list *out,
                              struct diag *d);
MUST enum err ipt_value_interfaces(struct arena *a, struct sv s, struct ipt_name_list *out,
                                   struct diag *d);

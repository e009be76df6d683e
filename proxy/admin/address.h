#pragma once
/* Socket addresses as messages. */
#include "base/arena.h"
#include "envoy/config/core/v3/address.pb-c.h"
#include "net/addr.h"

/* NULL: no memory. A unix address, which the schema has no field for, becomes an empty message. */
MUST Envoy__Config__Core__V3__Address *admin_address_message(const struct addr *addr,
                                                             struct arena *a);

/* Socket addresses as messages; see address.h. */
#include "proxy/admin/address.h"

Envoy__Config__Core__V3__Address *admin_address_message(const struct addr *addr, struct arena *a)
{
    char text[ADDR_TEXT_MAX];
    Envoy__Config__Core__V3__Address *m = ARENA_NEW(a, Envoy__Config__Core__V3__Address);
    Envoy__Config__Core__V3__SocketAddress *s =
        ARENA_NEW(a, Envoy__Config__Core__V3__SocketAddress);
    struct sv ip = arena_dup(a, sv_of(text, addr_format_ip(addr, text, sizeof(text))));

    if (m == NULL || s == NULL || ip.p == NULL)
        return NULL;
    envoy__config__core__v3__address__init(m);
    envoy__config__core__v3__socket_address__init(s);
    if (addr->sa.sa_family == AF_UNIX)
        return m;
    s->address = (char *)(uintptr_t)ip.p;
    s->port_specifier_case = ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    s->port_value = addr_port(addr);
    m->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    m->socket_address = s;
    return m;
}

/* weft: the sidecar proxy. Envoy's command line, Envoy's configuration. */
#define LOG_COMPONENT LOGC_MAIN
#include "base/log.h"
#include "proxy/options.h"
#include "proxy/server.h"
#include <stdio.h>

static int start_log(const struct options *o)
{
    if (log_open(o->log_path[0] != '\0' ? o->log_path : NULL, o->log_format) != OK) {
        fprintf(stderr, "weft: cannot open the log '%s'\n", o->log_path);
        return 1;
    }
    log_set_all(o->log_level);
    for (size_t i = 0; i < o->n_levels; i++)
        log_set_level(o->levels[i].component, o->levels[i].level);
    return 0;
}

int main(int argc, char **argv)
{
    struct options o;
    struct options_end end;
    if (!options_parse(argc, argv, options_cpus(), &o, &end)) {
        int code = options_end_print(&end);
        options_end_fini(&end);
        return code;
    }
    options_end_fini(&end);
    if (start_log(&o) != 0)
        return 1;
    int code = o.mode == OPTIONS_VALIDATE ? server_validate(&o) : server_run(&o);
    log_close();
    return code;
}

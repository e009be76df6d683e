/* Writes a finished stream to the access logs. */
#include "proxy/http/hcm_int.h"

void stream_log(struct stream *s)
{
    const struct hcm_conf *conf = s->conf;
    if (conf->n_logs == 0)
        return;
    uint64_t now_wall = clock_wall_us(s->w->loop.clock);
    s->info.start_wall_us = now_wall - (s->info.end_us - s->info.start_us);
    loggers_write(conf->logs, conf->n_logs, &s->info, now_wall, s->w->index);
}

/* /logging: lists the loggers and changes their levels. */
#include "base/log.h"
#include "proxy/admin/admin_int.h"

/* The component whose name follows `last` in the alphabet; LOGC_COUNT: none. */
static enum log_component next_by_name(const char *last)
{
    enum log_component found = LOGC_COUNT;
    for (int i = 0; i < LOGC_COUNT; i++) {
        enum log_component c = (enum log_component)i;
        if (strcmp(log_component_name(c), last) > 0 &&
            (found == LOGC_COUNT || strcmp(log_component_name(c), log_component_name(found)) < 0))
            found = c;
    }
    return found;
}

static void list_loggers(struct str *out)
{
    const char *last = "";

    str_add(out, SV("active loggers:\n"));
    for (enum log_component c; (c = next_by_name(last)) != LOGC_COUNT; last = log_component_name(c))
        str_addf(out, "  %s: %s\n", log_component_name(c), log_level_name(log_get_level(c)));
}

static void refuse(struct admin_reply *re, const char *why)
{
    admin_refuse(re, 400,
                 "error: %s\n\n"
                 "usage: /logging?<name>=<level> (change single level)\n"
                 "usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n"
                 "usage: /logging?level=<level> (change all levels)\n"
                 "usage: /logging?group=<group_name>:<level> (change group of loggers)\n"
                 "levels: trace debug info warning error critical off \n",
                 why);
    list_loggers(&re->body);
}

/* The short form that files and flags may use is not a level here. */
static enum err parse_level(struct sv name, enum log_level *out)
{
    return sv_eq(name, SV("warn")) ? E_NOTFOUND : log_level_parse(name, out);
}

struct change {
    enum log_component component;
    enum log_level level;
};

/* name:level. NULL, or what is wrong. */
static const char *parse_change(struct sv text, struct change *out)
{
    size_t colon = sv_find(text, ':', 0);
    if (colon == SIZE_MAX || colon == 0 || colon + 1 == text.n)
        return "empty logger name or empty logger level";
    if (parse_level(sv_skip(text, colon + 1), &out->level) != OK)
        return "unknown logger level";
    if (log_component_parse(sv_of(text.p, colon), &out->component) != OK)
        return "unknown logger name";
    return NULL;
}

/* All or nothing. */
static const char *change_paths(struct sv paths)
{
    enum log_level level[LOGC_COUNT];
    bool changed[LOGC_COUNT] = {false};
    struct sv part;

    while (sv_split(&paths, ',', &part)) {
        struct change c;
        const char *why = part.n == 0 ? NULL : parse_change(part, &c);
        if (why != NULL)
            return why;
        if (part.n == 0)
            continue;
        level[c.component] = c.level;
        changed[c.component] = true;
    }
    for (int i = 0; i < LOGC_COUNT; i++) {
        if (changed[i])
            log_set_level((enum log_component)i, level[i]);
    }
    return NULL;
}

static const char *change(const struct admin_query_param *p)
{
    enum log_component component;
    enum log_level level;

    if (sv_eq(p->name, SV("paths")))
        return change_paths(p->value);
    if (sv_eq(p->name, SV("group")))
        return "group parameter requires fine-grain logging to be enabled";
    bool all = sv_eq(p->name, SV("level"));
    if (p->value.n == 0)
        return NULL;
    if (parse_level(p->value, &level) != OK)
        return "unknown logger level";
    if (all) {
        log_set_all(level);
        return NULL;
    }
    if (log_component_parse(p->name, &component) != OK)
        return "unknown logger name";
    log_set_level(component, level);
    return NULL;
}

void admin_run_logging(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    const char *why = NULL;

    (void)a;
    if (rq->n_params > 1)
        why = "invalid number of parameters";
    else if (rq->n_params == 1)
        why = change(&rq->param[0]);
    if (why != NULL)
        refuse(re, why);
    else
        list_loggers(&re->body);
}

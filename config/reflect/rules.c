/* Applies the value rules to a message. Called by the model and by whoever unpacks an Any; pure.
 *
 * The texts are those of the validators that upstream generates, since people search for them. */
#include "config/reflect/rules.h"
#include "config/reflect/reflect_int.h"
#include "config/reflect/rules_int.h"
#include "google/protobuf/duration.pb-c.h"
#include <inttypes.h>
#include <stdio.h>

#define SECOND INT64_C(1000000000)

/* One step from a message down to the message that broke a rule. */
struct frame {
    const char *type; /* short name */
    const ProtobufCFieldDescriptor *field;
    struct sv key; /* of a map; p is NULL elsewhere */
    size_t index;
};

struct check {
    struct diag *d;
    struct frame frames[REFLECT_MAX_DEPTH];
    unsigned depth;
};

static enum err check_message(struct check *c, const ProtobufCMessage *m);

/* ---- texts ---- */

/* stats_flush_interval -> StatsFlushInterval */
static void add_camel(struct str *out, const char *name)
{
    for (bool upper = true; *name != '\0'; name++) {
        if (*name != '_')
            str_addc(out,
                     upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
        upper = *name == '_';
    }
}

static void add_index(struct str *out, const struct frame *f)
{
    if (f->key.p != NULL)
        str_addf(out, "[%.*s]", SVF(f->key));
    else if (f->field->label == PROTOBUF_C_LABEL_REPEATED && f->index != SIZE_MAX)
        str_addf(out, "[%zu]", f->index);
}

static void add_frame(struct str *out, const struct frame *f)
{
    str_addf(out, "%sValidationError.", f->type);
    add_camel(out, f->field->name);
    add_index(out, f);
    str_add(out, SV(": "));
}

/* The whole chain of messages, or as many of the inner ones as fit. The last frame is the broken
 * field; a oneof has none, and its reason says its name. */
static void explain(struct check *c, struct str *out, unsigned frames, const char *reason)
{
    for (unsigned skip = 0; skip <= frames; skip++) {
        str_clear(out);
        str_add(out, SV("Proto constraint validation failed ("));
        if (skip != 0)
            str_add(out, SV("... | caused by "));
        for (unsigned i = skip; i < frames; i++) {
            add_frame(out, &c->frames[i]);
            if (i < c->depth)
                str_add(out, SV("embedded message failed validation | caused by "));
        }
        str_addf(out, "%s)", reason);
        if (out->n < sizeof c->d->msg)
            return;
    }
}

static void add_path(struct check *c, unsigned frames)
{
    struct str index;

    str_init(&index, 0);
    while (frames-- > 0) {
        str_clear(&index);
        add_index(&index, &c->frames[frames]);
        diag_prefix(c->d, "%s%.*s", c->frames[frames].field->name, SVF(str_sv(&index)));
    }
    str_fini(&index);
}

/* at: the broken field; NULL: the rule is one of the message, not of a field. */
static enum err fail_at(struct check *c, const struct frame *at, const char *reason)
{
    unsigned frames = c->depth;
    struct str text;

    if (c->d == NULL)
        return E_PARSE;
    if (at != NULL)
        c->frames[frames++] = *at;
    str_init(&text, 0);
    explain(c, &text, frames, reason);
    enum err e = diag_fail(c->d, E_PARSE, "%.*s", SVF(str_sv(&text)));
    str_fini(&text);
    add_path(c, frames);
    return e;
}

static enum err fail(struct check *c, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                     const char *reason)
{
    return fail_at(
        c, &(struct frame){.type = m->descriptor->short_name, .field = f, .index = SIZE_MAX},
        reason);
}

/* ---- the rules ---- */

/* Upstream prints bounds of durations as Go does. */
static void print_bound(int64_t bound, bool is_duration, char out[32])
{
    if (!is_duration)
        snprintf(out, 32, "%" PRId64, bound);
    else if (bound != 0 && bound % (60 * SECOND) == 0)
        snprintf(out, 32, "%" PRId64 "m0s", bound / (60 * SECOND));
    else if (bound % SECOND == 0)
        snprintf(out, 32, "%" PRId64 "s", bound / SECOND);
    else
        snprintf(out, 32, "%" PRId64 "ms", bound / (SECOND / 1000));
}

static enum err fail_range(struct check *c, const ProtobufCMessage *m,
                           const ProtobufCFieldDescriptor *f, const struct rule *r,
                           bool is_duration)
{
    char reason[128], min[32], max[32];

    print_bound(r->min, is_duration, min);
    print_bound(r->max, is_duration, max);
    if (r->low != NONE && r->high != NONE)
        snprintf(reason, sizeof reason, "value must be inside range %c%s, %s%c",
                 r->low == OPEN ? '(' : '[', min, max, r->high == OPEN ? ')' : ']');
    else if (r->low != NONE)
        snprintf(reason, sizeof reason, "value must be greater than %s%s",
                 r->low == OPEN ? "" : "or equal to ", min);
    else
        snprintf(reason, sizeof reason, "value must be less than %s%s",
                 r->high == OPEN ? "" : "or equal to ", max);
    return fail(c, m, f, reason);
}

static int64_t duration_nanos(const ProtobufCMessage *m)
{
    const Google__Protobuf__Duration *d = (const Google__Protobuf__Duration *)m;
    return d->seconds * SECOND + d->nanos; /* check_duration has bounded it */
}

static int64_t integer(const ProtobufCFieldDescriptor *f, const void *slot)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
        return *(const int32_t *)slot;
    case PROTOBUF_C_TYPE_UINT32:
        return *(const uint32_t *)slot;
    case PROTOBUF_C_TYPE_INT64:
        return *(const int64_t *)slot;
    default:
        BUG_ON(true); /* the table has a range for a type that nobody has had yet */
        return 0;
    }
}

static enum err check_range(struct check *c, const ProtobufCMessage *m,
                            const ProtobufCFieldDescriptor *f, const struct rule *r)
{
    const ProtobufCFieldDescriptor *number = f;
    const ProtobufCMessage *owner = m;
    bool is_duration = false;
    int64_t v;

    if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        owner = slot_message(field_peek(m, f));
        if (owner == NULL)
            return OK;
        is_duration = wkt_of(owner->descriptor) == WKT_DURATION;
        number = owner->descriptor->fields;
    }
    v = is_duration ? duration_nanos(owner) : integer(number, field_peek(owner, number));
    bool low = r->low == NONE || (r->low == OPEN ? v > r->min : v >= r->min);
    bool high = r->high == NONE || (r->high == OPEN ? v < r->max : v <= r->max);
    return low && high ? OK : fail_range(c, m, f, r, is_duration);
}

static size_t count_chars(struct sv s)
{
    size_t n = 0;
    for (; s.n != 0; n++)
        (void)utf8_next(&s);
    return n;
}

static enum err check_length(struct check *c, const struct rule *r, struct sv s,
                             const struct frame *at)
{
    char reason[96];

    if (count_chars(s) >= (size_t)r->min)
        return OK;
    snprintf(reason, sizeof reason, "value length must be at least %" PRId64 " characters", r->min);
    return fail_at(c, at, reason);
}

static enum err check_text(struct check *c, const ProtobufCMessage *m,
                           const ProtobufCFieldDescriptor *f, const struct rule *r)
{
    const struct frame at = {.type = m->descriptor->short_name, .field = f, .index = SIZE_MAX};
    return check_length(c, r, slot_string(field_peek(m, f)), &at);
}

static enum err check_keys(struct check *c, const ProtobufCMessage *m,
                           const ProtobufCFieldDescriptor *f, const struct rule *r)
{
    for (size_t i = 0; i < field_count(m, f); i++) {
        const ProtobufCMessage *entry = slot_message(field_element(m, f, i));
        struct sv key = slot_string(field_peek(entry, entry->descriptor->fields));
        const struct frame at = {.type = m->descriptor->short_name, .field = f, .key = key};
        TRY(check_length(c, r, key, &at));
    }
    return OK;
}

static enum err check_min_items(struct check *c, const ProtobufCMessage *m,
                                const ProtobufCFieldDescriptor *f, const struct rule *r)
{
    char reason[96];

    if (field_count(m, f) >= (size_t)r->min)
        return OK;
    snprintf(reason, sizeof reason, "value must contain at least %" PRId64 " item(s)", r->min);
    return fail(c, m, f, reason);
}

static enum err check_header_value(struct check *c, const ProtobufCMessage *m,
                                   const ProtobufCFieldDescriptor *f)
{
    bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
    size_t n = list ? field_count(m, f) : 1;

    for (size_t i = 0; i < n; i++) {
        const struct frame at = {.type = m->descriptor->short_name, .field = f, .index = i};
        struct sv s = slot_string(list ? field_element(m, f, i) : field_peek(m, f));
        if (sv_find(s, '\r', 0) != SIZE_MAX || sv_find(s, '\n', 0) != SIZE_MAX)
            return fail_at(c, &at, "value does not match regex pattern \"^[^\\x00\\n\\r]*$\"");
    }
    return OK;
}

static enum err check_enum(struct check *c, const ProtobufCMessage *m,
                           const ProtobufCFieldDescriptor *f)
{
    int32_t v = *(const int32_t *)field_peek(m, f);
    if (protobuf_c_enum_descriptor_get_value(f->descriptor, v) != NULL)
        return OK;
    return fail(c, m, f, "value must be one of the defined enum values");
}

static enum err check_oneof(struct check *c, const ProtobufCMessage *m,
                            const ProtobufCFieldDescriptor *member, const struct rule *r)
{
    char reason[128];

    if (field_oneof_set(m, member) != NULL)
        return OK;
    snprintf(reason, sizeof reason, "field: \"%s\", reason: is required", r->field);
    return fail_at(c, NULL, reason);
}

static enum err check_rule(struct check *c, const ProtobufCMessage *m, const struct rule *r)
{
    const char *name = r->kind == RULE_ONEOF ? r->member : r->field;
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);

    BUG_ON(f == NULL);
    /* Members of a oneof are there only when set. */
    if (r->kind != RULE_ONEOF && (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        !field_is_set(m, f))
        return OK;
    switch (r->kind) {
    case RULE_MIN_LEN:
        return check_text(c, m, f, r);
    case RULE_MIN_ITEMS:
        return check_min_items(c, m, f, r);
    case RULE_KEY_MIN_LEN:
        return check_keys(c, m, f, r);
    case RULE_RANGE:
        return check_range(c, m, f, r);
    case RULE_ENUM:
        return check_enum(c, m, f);
    case RULE_REQUIRED:
        return field_is_set(m, f) ? OK : fail(c, m, f, "value is required");
    case RULE_ONEOF:
        return check_oneof(c, m, f, r);
    case RULE_HEADER_VALUE:
        return check_header_value(c, m, f);
    }
    return OK;
}

/* ---- the walk ---- */

/* Envoy's own check of every duration, with its own texts. */
static enum err check_duration(struct check *c, const ProtobufCMessage *m)
{
    const Google__Protobuf__Duration *d = (const Google__Protobuf__Duration *)m;
    const char *reason = NULL;

    if (d->seconds < 0 || d->nanos < 0)
        reason = "Invalid duration: Expected positive duration";
    else if (d->nanos >= SECOND)
        reason = "Invalid duration: Duration out-of-range according to Protobuf";
    else if (d->seconds >= INT64_MAX / SECOND)
        reason = "Invalid duration: Duration out-of-range";
    if (reason == NULL)
        return OK;
    enum err e = diag_fail(c->d, E_PARSE, "%s: seconds: %" PRId64 " nanos: %" PRId32, reason,
                           d->seconds, d->nanos);
    if (c->d != NULL)
        add_path(c, c->depth);
    return e;
}

static enum err check_inner(struct check *c, const ProtobufCMessage *m, const struct frame *frame)
{
    if (m == NULL)
        return OK;
    if (c->depth + 1 == ARRAY_LEN(c->frames))
        return diag_fail(c->d, E_LIMIT, "more than %zu levels of messages", ARRAY_LEN(c->frames));
    c->frames[c->depth++] = *frame;
    TRY(check_message(c, m));
    c->depth--;
    return OK;
}

static enum err check_element(struct check *c, const ProtobufCMessage *m,
                              const ProtobufCFieldDescriptor *f, size_t i)
{
    const ProtobufCMessage *element = slot_message(field_element(m, f, i));
    struct frame frame = {.type = m->descriptor->short_name, .field = f, .index = i};

    if (!field_is_map(f))
        return check_inner(c, element, &frame);
    const ProtobufCFieldDescriptor *key = &element->descriptor->fields[0], *value = key + 1;
    if (value->type != PROTOBUF_C_TYPE_MESSAGE)
        return OK;
    if (key->type == PROTOBUF_C_TYPE_STRING)
        frame.key = slot_string(field_peek(element, key));
    return check_inner(c, slot_message(field_peek(element, value)), &frame);
}

static enum err check_field(struct check *c, const ProtobufCMessage *m,
                            const ProtobufCFieldDescriptor *f)
{
    if (f->type != PROTOBUF_C_TYPE_MESSAGE || !field_is_set(m, f))
        return OK;
    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        return check_inner(c, slot_message(field_peek(m, f)),
                           &(struct frame){.type = m->descriptor->short_name, .field = f});
    for (size_t i = 0; i < field_count(m, f); i++)
        TRY(check_element(c, m, f, i));
    return OK;
}

static enum err check_message(struct check *c, const ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *type = m->descriptor;
    enum wkt wkt = wkt_of(type);
    size_t n;

    if (wkt == WKT_DURATION)
        return check_duration(c, m);
    if (wkt != WKT_NONE)
        return OK;
    /* Inner messages first: ranges rely on durations that fit. */
    for (unsigned i = 0; i < type->n_fields; i++)
        TRY(check_field(c, m, &type->fields[i]));
    const struct rule *rules = rules_find(type->name, &n);
    for (size_t i = 0; i < n; i++)
        TRY(check_rule(c, m, &rules[i]));
    return OK;
}

enum err rules_check(const ProtobufCMessage *m, struct diag *d)
{
    struct check c = {.d = d};
    return check_message(&c, m);
}

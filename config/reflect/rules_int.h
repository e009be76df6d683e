#pragma once
/* The form of the rules: rules_table.c declares them, rules.c applies them. */
#include "base/compiler.h"

enum rule_kind {
    RULE_MIN_LEN,      /* a text of at least min characters */
    RULE_MIN_ITEMS,    /* a list of at least min elements */
    RULE_KEY_MIN_LEN,  /* a map whose keys have at least min characters */
    RULE_RANGE,        /* a number, wrapped number, or duration in nanoseconds */
    RULE_ENUM,         /* only declared values */
    RULE_REQUIRED,     /* a message that must be there */
    RULE_ONEOF,        /* `field` names the oneof; `member` one of its fields */
    RULE_HEADER_VALUE, /* a text, or a list of texts, without NUL, CR and LF */
};

enum rule_bound { NONE, OPEN, CLOSED };

struct rule {
    const char *message; /* full name */
    const char *field;
    enum rule_kind kind;
    enum rule_bound low, high;
    int64_t min, max;
    const char *member;
};

/* The rules of one message: the first, and their number in *n. */
const struct rule *rules_find(const char *message, size_t *n);

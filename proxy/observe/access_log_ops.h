#pragma once
/* The rows of the operator table, and the functions for those that take parameters. Private to this
 * folder. */
#include "proxy/observe/access_log_int.h"

enum alog_params { PARAMS_NONE, PARAMS_MAY, PARAMS_MUST };

struct alog_command;
typedef enum err alog_compile_fn(struct alog_builder *b, const struct alog_token *t,
                                 const struct alog_command *c);

struct alog_command {
    const char *name;
    uint8_t params; /* enum alog_params; NONE forbids a limit as well */
    bool limit;
    uint8_t code; /* enum alog_code, for compile functions that take it from here */
    uint8_t form;
    uint16_t offset, end_offset;
    alog_compile_fn *compile; /* NULL: one operator from the fields above */
};

#define AT(field) offsetof(struct stream_info, field)

/* One operator from the row's fields. */
alog_compile_fn alog_compile_plain;
alog_compile_fn alog_compile_time;
alog_compile_fn alog_compile_header;
alog_compile_fn alog_compile_path;
alog_compile_fn alog_compile_query_param;
alog_compile_fn alog_compile_query_params;
alog_compile_fn alog_compile_details;
alog_compile_fn alog_compile_grpc;
alog_compile_fn alog_compile_server_name;
alog_compile_fn alog_compile_duration;
alog_compile_fn alog_compile_environment;
alog_compile_fn alog_compile_hostname;
alog_compile_fn alog_compile_nothing;

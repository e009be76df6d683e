/* How an error is told. */
#include "tests/unit/config/reflect_support.h"
#include <stdio.h>

T(reflect_text, explain)
{
    static const struct {
        const char *path, *msg, *file, *want;
    } rows[] = {
        {"a.b[0]", "f.yaml:3:14: no",           "f.yaml",           "f.yaml:3:14: a.b[0]: no"     },
        {"",       "f.yaml:3:14: no",           "f.yaml",           "f.yaml:3:14: no"             },
        {"a",      "no",                        "f.yaml",           "a: no"                       },
        {"",       "no",                        "f.yaml",           "no"                          },
        {"a",      "<text>:1:2: no",            NULL,               "<text>:1:2: a: no"           },
        {"a",      "odd: 1:2: 3.yaml:3:14: no", "odd: 1:2: 3.yaml", "odd: 1:2: 3.yaml:3:14: a: no"},
        {"a",      "f.yaml:x:14: no",           "f.yaml",           "a: f.yaml:x:14: no"          },
        {"a",      "f.yaml:3: no",              "f.yaml",           "a: f.yaml:3: no"             },
        {"a",      "f.yaml:3:14 no",            "f.yaml",           "a: f.yaml:3:14 no"           },
        {"a",      "f.yaml",                    "f.yaml",           "a: f.yaml"                   },
        {"a",      "f.yaml:",                   "f.yaml",           "a: f.yaml:"                  },
        {"a",      "",                          "f.yaml",           "a: "                         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        setup(&f);
        snprintf(f.diag.path, sizeof f.diag.path, "%s", rows[i].path);
        snprintf(f.diag.msg, sizeof f.diag.msg, "%s", rows[i].msg);
        reflect_explain(&f.diag, rows[i].file, &f.out);
        T_EXPECT_SV(str_sv(&f.out), sv_str(rows[i].want), "");
        teardown(&f);
    }
}

#pragma once
/* Regular expressions that operators type into admin pages: PCRE2 with limits on matching, so that
 * no pattern can keep the main thread busy. Envoy's are RE2, without back references and
 * look-around, which are refused here too; its error texts are kept for the usual mistakes. */
#include "base/sv.h"

struct text_match;

enum { TEXT_MATCH_MAX_PATTERN = 4096 };

/* whole: the pattern must cover the text from end to end; otherwise it may be found anywhere.
 * E_PARSE: d->msg says what is wrong, such as "missing ): (a"; E_NOMEM. */
MUST enum err text_match_new(struct sv pattern, bool whole, struct text_match **out,
                             struct diag *d);
void text_match_free(struct text_match **m);
/* False also when matching ran into a limit. */
bool text_match_is(const struct text_match *m, struct sv text);

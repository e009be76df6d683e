#pragma once
/* The frame of the admin's HTML pages. */
#include "base/str.h"

void html_begin(struct str *out);
void html_end(struct str *out);
/* Text as HTML content or inside a quoted attribute. */
void html_escape(struct str *out, struct sv text);

#pragma once
/* Texts of floating point numbers as Envoy's pages write them. Pure. */
#include "base/compiler.h"
#include <stdbool.h>

enum { NUMBER_TEXT_MAX = 64 };

/* The shortest text that reads back as v, without an exponent below 10^16: 105000,
 * 253.33333333333334, nan. */
size_t number_plain(double v, char out[NUMBER_TEXT_MAX]);
/* The same digits, with an exponent where that is shorter: 1e+05, but 30000. For JSON; v is finite.
 */
size_t number_short(double v, char out[NUMBER_TEXT_MAX]);

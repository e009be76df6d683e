#pragma once
/* The value rules of the schema: what a field that parsed must still satisfy (lengths, ranges,
 * presence). Pure, any thread. The data is rules_table.c; tests/e2e/test_descriptors.py compares it
 * with upstream's. */
#include "base/err.h"
#include <protobuf-c/protobuf-c.h>

/* Checks m and the messages in it, but not into an Any: whoever unpacks that checks it.
 * E_PARSE with d->path the field and d->msg Envoy's text, such as
 * "Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message
 * failed validation | caused by ...: value length must be at least 1 characters)". Also refuses
 * durations that are negative or too long, as Envoy does for every Duration of its configuration.
 */
MUST enum err rules_check(const ProtobufCMessage *m, struct diag *d);

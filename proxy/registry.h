#pragma once
/* The extensions of the data plane. */
#include "config/model/model.h"

extern const struct model_registry proxy_registry;

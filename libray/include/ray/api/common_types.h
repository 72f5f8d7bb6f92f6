#pragma once

/// Small types that several headers share: ray::internal::LangType and the names of metadata that
/// go with it. They stand where the cross-language types are.

#include "ray/api/xlang_function.h"

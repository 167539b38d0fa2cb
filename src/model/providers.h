// The providers of real models, all in one include for whoever makes models from names.
#pragma once

#include "model/bedrock_provider.h"
#include "model/openai_provider.h"

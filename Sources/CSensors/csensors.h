#pragma once
#include <sensors/error.h>
#include <sensors/sensors.h>

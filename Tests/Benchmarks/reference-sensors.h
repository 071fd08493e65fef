/* The sensor group of reference-file-read.c: whatever libsensors finds. */
#ifndef REFERENCE_SENSORS_H
#define REFERENCE_SENSORS_H

#include "proc-text.h"

#include <sensors/sensors.h>

enum { SENSOR = 46 };

static void send_sensor(const sensors_chip_name *chip, const sensors_feature *feature) {
    char name[256];
    double value;
    const sensors_subfeature *part;
    uint8_t alarm = 255;
    uint64_t measured = ABSENT;
    int next = 0;
    char *label = sensors_get_label(chip, feature);
    sensors_snprintf_chip_name(name, sizeof name, chip);
    while ((part = sensors_get_all_subfeatures(chip, feature, &next))) {
        if (!(part->flags & SENSORS_MODE_R) || sensors_get_value(chip, part->number, &value) < 0) continue;
        bool is_alarm = (part->type & 0x80) != 0;
        if (is_alarm) alarm = alarm == 1 || value != 0;
        else if (measured == ABSENT) measured = (uint64_t)(int64_t)(value * 1e6);
    }
    unsigned char *at = begin_body();
    put_text(&at, name, strlen(name), 64), put_text(&at, feature->name, strlen(feature->name), 32);
    put_text(&at, label ? label : "", label ? strlen(label) : 0, 64);
    put8(&at, (uint8_t)feature->type), put64(&at, measured);
    for (int i = 0; i < 5; i++) put64(&at, ABSENT);
    put8(&at, alarm);
    for (int i = 0; i < 6; i++) put8(&at, 255);
    send_body(SENSOR, at);
    free(label);
}

/* The machines that are measured have no chips; then both programs only look whether there are any. */
static void sample_sensors(void) {
    static int state; /* 0 not asked, 1 initialized, 2 there are none */
    if (state == 0) state = access("/sys/class/hwmon", F_OK) == 0 && sensors_init(NULL) == 0 ? 1 : 2;
    if (state == 2) return;
    const sensors_chip_name *chip;
    const sensors_feature *feature;
    for (int next = 0; (chip = sensors_get_detected_chips(NULL, &next));)
        for (int number = 0; (feature = sensors_get_features(chip, &number));) send_sensor(chip, feature);
}

#endif

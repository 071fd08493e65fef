/* Files of procfs and sysfs that stay open, and walking over their text. */
#ifndef PROC_TEXT_H
#define PROC_TEXT_H

#include "collector.h"

#define ABSENT UINT64_MAX
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *procfs = "/proc";
__attribute__((unused)) static const char *sysfs = "/sys";

struct file {
    char path[160];
    int descriptor; /* 0: not opened yet */
};

static inline void set_path(struct file *file, const char *root, const char *folder, const char *name, const char *rest) {
    if (!file->path[0]) snprintf(file->path, sizeof file->path, "%s%s%s%s", root, folder, name, rest);
}

static char *text; /* the file that was read last, with a NUL behind it */
static size_t text_capacity;

/* Reads a file from its start; opens it if it is not open, or if it is another one by now. -1 if there is none. */
static inline ssize_t read_file(struct file *file) {
    for (int attempt = 0; attempt < 2; attempt++) {
        bool was_open = file->descriptor > 0;
        if (!was_open) file->descriptor = open(file->path, O_RDONLY | O_CLOEXEC);
        if (file->descriptor < 0) return file->descriptor = 0, -1;
        size_t length = 0;
        ssize_t more;
        for (;;) {
            if (length + 1 >= text_capacity) {
                text_capacity = text_capacity ? 2 * text_capacity : 16384;
                if (!(text = realloc(text, text_capacity))) fail("realloc");
            }
            more = pread(file->descriptor, text + length, text_capacity - length - 1, (off_t)length);
            if (more <= 0) break;
            length += (size_t)more;
        }
        if (more == 0) return text[length] = '\0', (ssize_t)length;
        if (errno == EINVAL) return -1; /* how sysfs says that there is no value now */
        close(file->descriptor), file->descriptor = 0;
        if (!was_open) return -1;
    }
    return -1;
}

static inline const char *skip_blanks(const char *p) {
    while (*p == ' ' || *p == '\t') p++;
    return p;
}

static inline const char *word_end(const char *p) {
    while (*p != ' ' && *p != '\t' && *p != '\n' && *p) p++;
    return p;
}

/* Skips so many words. */
static inline const char *skip_words(const char *p, int count) {
    while (count-- > 0) p = word_end(skip_blanks(p));
    return p;
}

static inline const char *next_line(const char *p) {
    const char *end = strchr(p, '\n');
    return end ? end + 1 : p + strlen(p);
}

/* The number that is the next word, ABSENT if there is none; *at moves behind it. */
static inline uint64_t next_number(const char **at) {
    const char *p = skip_blanks(*at);
    uint64_t value = 0;
    if (*p < '0' || *p > '9') return ABSENT;
    while (*p >= '0' && *p <= '9') value = 10 * value + (uint64_t)(*p++ - '0');
    *at = p;
    return value;
}

static inline uint64_t file_number(struct file *file) {
    if (read_file(file) <= 0) return ABSENT;
    const char *p = text;
    return next_number(&p);
}

/* A key and where its value belongs, for files of keys and numbers. */
struct key {
    const char *name;
    uint64_t *value, unit;
};

static inline struct key *find_key(struct key *keys, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (!strncmp(keys[i].name, name, length) && keys[i].name[length] == '\0') return &keys[i];
    return NULL;
}

/* Takes the values of all lines `key number`, whatever is behind it. */
static inline void take_lines(struct key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) *keys[i].value = ABSENT;
    for (const char *line = text; *line; line = next_line(line)) {
        const char *end = word_end(line), *p = end;
        struct key *key = find_key(keys, count, line, (size_t)(end - line));
        uint64_t value = key ? next_number(&p) : ABSENT;
        if (value != ABSENT) *key->value = value * key->unit;
    }
}

#endif

/* The honest C program of the shape of dbus-systemd-signals: the states of systemd's units, as its signals tell them. */
#include "collector.h"

#include <dbus/dbus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER SYSTEMD ".Manager"
#define UNITS "/org/freedesktop/systemd1/unit/"

enum { UNIT_STATE = 80, BUS = 0 };

static const char *const rules[] = {
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" SYSTEMD "'",
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.login1'",
    "type='signal',sender='" SYSTEMD "',interface='" MANAGER "',member='JobRemoved'",
    "type='signal',sender='" SYSTEMD "',interface='" MANAGER "',member='Reloading'",
    "type='signal',sender='" SYSTEMD "',interface='" MANAGER "',member='StartupFinished'",
    "type='signal',sender='" SYSTEMD "',interface='" MANAGER "',member='UnitFilesChanged'",
    "type='signal',sender='" SYSTEMD "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
    "path_namespace='/org/freedesktop/systemd1/unit',arg0='" SYSTEMD ".Service'",
    "type='signal',sender='" SYSTEMD "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
    "path_namespace='/org/freedesktop/systemd1/unit',arg0='" SYSTEMD ".Unit'",
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.login1.Manager',member='PrepareForSleep'",
    "type='signal',sender='org.freedesktop.login1',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'",
};

/* The units that are not inactive, and what was told of them. */
static struct unit { char name[257], active[33], sub[33], result[33]; uint32_t status, pid; } *units;
static size_t unit_count;
static DBusConnection *bus;

static struct unit *find_unit(const char *name, bool create) {
    for (size_t i = 0; i < unit_count; i++)
        if (!strcmp(units[i].name, name)) return &units[i];
    if (!create) return NULL;
    units = realloc(units, (unit_count + 1) * sizeof *units);
    struct unit *unit = &units[unit_count++];
    *unit = (struct unit){.status = UINT32_MAX, .pid = UINT32_MAX};
    snprintf(unit->name, sizeof unit->name, "%.256s", name);
    return unit;
}

/* `ssh_2eservice` is ssh.service. */
static void unescape(const char *path, char *name, size_t capacity) {
    size_t length = 0;
    while (*path && length + 1 < capacity) {
        unsigned byte;
        if (*path == '_' && sscanf(path + 1, "%2x", &byte) == 1) name[length++] = (char)byte, path += 3;
        else name[length++] = *path++;
    }
    name[length] = '\0';
}

static void tell(const struct unit *unit, const char *old_active, const char *old_sub) {
    unsigned char *at = begin_body();
    put_text(&at, unit->name, strlen(unit->name), 256), put_text(&at, unit->active, strlen(unit->active), 32);
    put_text(&at, unit->sub, strlen(unit->sub), 32), put_text(&at, old_active, strlen(old_active), 32);
    put_text(&at, old_sub, strlen(old_sub), 32), put_text(&at, unit->result, strlen(unit->result), 32);
    put8(&at, 0), put32(&at, unit->status), put32(&at, unit->pid), put32(&at, UINT32_MAX);
    put8(&at, 0), put32(&at, 0), put32(&at, 0);
    send_body(UNIT_STATE, at);
}

static void take_text(DBusMessageIter *value, char *text, size_t capacity) {
    const char *string;
    if (dbus_message_iter_get_arg_type(value) != DBUS_TYPE_STRING) return;
    dbus_message_iter_get_basic(value, &string);
    snprintf(text, capacity, "%s", string);
}

static void take_number(DBusMessageIter *value, uint32_t *number) {
    int type = dbus_message_iter_get_arg_type(value);
    if (type == DBUS_TYPE_INT32 || type == DBUS_TYPE_UINT32) dbus_message_iter_get_basic(value, number);
}

static void take_properties(DBusMessage *message) {
    DBusMessageIter all, list, entry, value;
    char name[257], old_active[33], old_sub[33];
    const char *path = dbus_message_get_path(message), *key;
    if (!path || strncmp(path, UNITS, sizeof UNITS - 1) || !dbus_message_iter_init(message, &all)) return;
    unescape(path + sizeof UNITS - 1, name, sizeof name);
    struct unit *unit = find_unit(name, true);
    strcpy(old_active, unit->active), strcpy(old_sub, unit->sub);
    dbus_message_iter_next(&all);
    for (dbus_message_iter_recurse(&all, &list); dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_DICT_ENTRY;
         dbus_message_iter_next(&list)) {
        dbus_message_iter_recurse(&list, &entry);
        dbus_message_iter_get_basic(&entry, &key);
        dbus_message_iter_next(&entry);
        dbus_message_iter_recurse(&entry, &value);
        if (!strcmp(key, "ActiveState")) take_text(&value, unit->active, sizeof unit->active);
        else if (!strcmp(key, "SubState")) take_text(&value, unit->sub, sizeof unit->sub);
        else if (!strcmp(key, "Result")) take_text(&value, unit->result, sizeof unit->result);
        else if (!strcmp(key, "ExecMainStatus")) take_number(&value, &unit->status);
        else if (!strcmp(key, "ExecMainPID")) take_number(&value, &unit->pid);
    }
    bool failed = !strcmp(unit->active, "failed"), had_failed = !strcmp(old_active, "failed");
    bool told = !strcmp(unit->active, "active") || !strcmp(unit->active, "inactive") || !strcmp(unit->sub, "auto-restart");
    if (strcmp(unit->active, old_active) && (failed || had_failed || told)) tell(unit, old_active, old_sub);
    if (!strcmp(unit->active, "inactive")) *unit = units[--unit_count];
}

/* The array of all units: name, description, load state, active state, sub state and more. */
static void take_list(DBusMessage *message) {
    DBusMessageIter all, list, fields;
    if (!dbus_message_iter_init(message, &all) || dbus_message_iter_get_arg_type(&all) != DBUS_TYPE_ARRAY) return;
    for (dbus_message_iter_recurse(&all, &list); dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT;
         dbus_message_iter_next(&list)) {
        char name[257] = "", active[33] = "", sub[33] = "";
        dbus_message_iter_recurse(&list, &fields);
        take_text(&fields, name, sizeof name);
        for (int i = 0; i < 3; i++) dbus_message_iter_next(&fields);
        take_text(&fields, active, sizeof active);
        dbus_message_iter_next(&fields);
        take_text(&fields, sub, sizeof sub);
        if (!strcmp(active, "inactive")) continue;
        struct unit *unit = find_unit(name, true);
        strcpy(unit->active, active), strcpy(unit->sub, sub);
    }
}

static dbus_uint32_t call(const char *destination, const char *path, const char *interface, const char *member,
                          const char *argument) {
    dbus_uint32_t serial = 0;
    DBusMessage *message = dbus_message_new_method_call(destination, path, interface, member);
    if (argument) dbus_message_append_args(message, DBUS_TYPE_STRING, &argument, DBUS_TYPE_INVALID);
    dbus_connection_send(bus, message, &serial);
    dbus_message_unref(message);
    return serial;
}

int main(int count, char **arguments) {
    const char *address = option(count, arguments, "--address", "unix:path=/run/dbus/system_bus_socket");
    DBusError error = DBUS_ERROR_INIT;
    int descriptor;
    if (count % 2 == 0) usage("reference-dbus [--queue-prefix /NAME.] [--address ADDRESS]");
    begin("dbus-systemd-signals", count, arguments);
    if (!(bus = dbus_connection_open_private(address, &error)) || !dbus_bus_register(bus, &error))
        fprintf(stderr, "%s\n", error.message), exit(69);
    dbus_connection_set_exit_on_disconnect(bus, FALSE);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", rules[i]);
    call(SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "Subscribe", NULL);
    dbus_uint32_t listing = call(SYSTEMD, "/org/freedesktop/systemd1", MANAGER, "ListUnits", NULL);
    dbus_connection_flush(bus);
    dbus_connection_get_unix_fd(bus, &descriptor);
    watch(descriptor, EPOLLIN, BUS);
    notify("READY=1");
    do {
        DBusMessage *message;
        if (!dbus_connection_read_write(bus, 0)) return 1;
        while ((message = dbus_connection_pop_message(bus))) {
            if (dbus_message_is_signal(message, "org.freedesktop.DBus.Properties", "PropertiesChanged"))
                take_properties(message);
            else if (dbus_message_get_reply_serial(message) == listing) take_list(message);
            dbus_message_unref(message);
        }
    } while (next_ready(NULL) >= 0);
    return 0;
}

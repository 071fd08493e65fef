// What the bus shall send us: D-Bus Specification, "Match Rules".

extension SystemdSignals {
  var matchRules: [StaticString] {
    // Who owns a name comes first, so that none of its signals is missed.
    var rules: [StaticString] = [
      """
      type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',\
      member='NameOwnerChanged',arg0='org.freedesktop.systemd1'
      """,
      """
      type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',\
      member='NameOwnerChanged',arg0='org.freedesktop.login1'
      """,
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='JobRemoved'
      """,
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='Reloading'
      """,
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='StartupFinished'
      """,
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='UnitFilesChanged'
      """,
      // A service's own properties come before the state that they explain.
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',\
      path_namespace='/org/freedesktop/systemd1/unit',arg0='org.freedesktop.systemd1.Service'
      """,
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',\
      path_namespace='/org/freedesktop/systemd1/unit',arg0='org.freedesktop.systemd1.Unit'
      """,
      """
      type='signal',sender='org.freedesktop.login1',\
      interface='org.freedesktop.login1.Manager',member='PrepareForSleep'
      """,
      """
      type='signal',sender='org.freedesktop.login1',\
      interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'
      """,
    ]
    guard options.filter.all else { return rules }
    rules.append(
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='JobNew'
      """)
    rules.append(
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='UnitNew'
      """)
    rules.append(
      """
      type='signal',sender='org.freedesktop.systemd1',\
      interface='org.freedesktop.systemd1.Manager',member='UnitRemoved'
      """)
    return rules
  }
}

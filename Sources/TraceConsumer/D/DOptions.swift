/// The options of the d engine: libdtrace's own, but for those that the engine needs for itself.
enum DOptions {
  /// The most useful ones; libdtrace has more and does not list them.
  static let known = [
    "aggsize", "bufsize", "cpp", "cpu", "define", "destructive", "dynvarsize", "incdir", "libdir",
    "lockmem", "maxframes", "nspec", "printsize", "scratchsize", "specsize", "stackframes",
    "strsize", "syslibdir", "ustackframes", "zdefs",
  ]

  /// The rates belong to `consume` and the walks; without its library libdtrace ends the process.
  static let reserved: Set = ["aggrate", "core", "nolibs", "statusrate", "switchrate"]

  /// What libdtrace says of a name that it does not know.
  static let unknownName = "Invalid option name"

  /// Those of dtrace(8), and rates at which nobody waits.
  static let defaults = [
    ("bufsize", "4m"), ("aggsize", "4m"), ("statusrate", "10ms"), ("switchrate", "1ms"),
  ]
}

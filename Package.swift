// swift-tools-version: 6.2
import PackageDescription

// Whether this builds regular Swift (tests, host tools) or Embedded Swift (the programs for a
// device) is decided on the command line, by `--toolset cmake/toolset.<architecture>.json`; see
// build.sh. Nothing here depends on it.

/// What Embedded Swift cannot do is an error in the regular build too; so is every other warning.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error), .treatWarning("EmbeddedRestrictions", as: .error),
]

/// Adding a collector adds a line here, its cases in Sources/Records/Record.swift and its folder.
let collectors: [Target] = [
  .collector("cyclic-sysinfo"),
  .collector("cyclic-file-read", modules: ["CSensors"], libraries: ["sensors"]),
  .collector("epoll-psi"),
  .collector("inotify-coredump", modules: ["CSystemd"], libraries: ["systemd"]),
  .collector("inotify-pacct"),
  .collector("dlt-proc-watch"),
  .collector("dbus-systemd-signals", modules: ["CDBus"], libraries: ["dbus-1"]),
  .collector(
    "trace-consumer", modules: ["BPFObjects", "Bpftrace", "CTrace"], libraries: ["bpf"],
    exclude: ["bpf"]),
]

let package = Package(
  name: "stats-recording",
  products: [
    // Regular Swift, for servers and workstations; no program for a device uses it.
    .library(name: "TraceConsumer", targets: ["TraceConsumer"])
  ],
  targets: collectors + [
    .target(name: "CLinux"),
    // The regular build finds its headers with pkg-config, that for a device with the toolset.
    .systemLibrary(name: "CDBus", pkgConfig: "dbus-1"),
    .systemLibrary(name: "CMosquitto"),
    .systemLibrary(name: "CSensors"),
    .systemLibrary(name: "CSystemd"),

    .target(name: "Records", swiftSettings: strict),
    .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "Daemon", dependencies: ["CLinux", "Linux", "Records"], swiftSettings: strict),

    .executableTarget(
      name: "posix-mq-to-mqtt-bridge",
      dependencies: ["CLinux", "CMosquitto", "CSystemd", "Daemon", "Linux", "Records"],
      swiftSettings: strict,
      // Embedded Swift ignores the `link` line of a module map.
      linkerSettings: ["mosquitto", "systemd", "ssl", "crypto"].map { .linkedLibrary($0) }),

    .target(name: "CTrace"),
    .target(name: "Bpftrace", swiftSettings: strict),
    .target(name: "CBPF", linkerSettings: [.linkedLibrary("bpf")]),
    .target(name: "BPFObjects", dependencies: ["CBPF", "CLinux"], swiftSettings: strict),
    .target(
      name: "TraceConsumer", dependencies: ["BPFObjects", "Bpftrace", "CTrace"],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    // Run by the tests in a system that has libdtrace.
    .executableTarget(
      name: "d-program", dependencies: ["TraceConsumer"], path: "Tests/DProgram",
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .testTarget(
      name: "TraceConsumerTests",
      dependencies: ["BPFObjects", "TraceConsumer", "TestSupport", "d-program"],
      exclude: ["Programs"]),

    .target(name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport"),
    // Built like a device program; build.sh checks what it prints.
    .executableTarget(
      name: "random-records",
      dependencies: ["CLinux", "Daemon", "Linux", "Records", "TestSupport"],
      path: "Tests/RandomRecords", swiftSettings: strict),
    .testTarget(
      name: "RecordsTests", dependencies: ["Records", "TestSupport"], exclude: ["Golden"]),
    .testTarget(name: "LinuxTests", dependencies: ["CLinux", "Linux", "TestSupport"]),
    .testTarget(
      name: "DaemonTests", dependencies: ["CLinux", "Daemon", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "CyclicSysinfoTests",
      dependencies: ["cyclic-sysinfo", "CLinux", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "CyclicFileReadTests",
      dependencies: ["cyclic-file-read", "CLinux", "Daemon", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "EpollPsiTests",
      dependencies: ["epoll-psi", "CLinux", "Daemon", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "InotifyPacctTests",
      dependencies: ["inotify-pacct", "CLinux", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "DLTProcWatchTests",
      dependencies: ["dlt-proc-watch", "CLinux", "Daemon", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "DBusSystemdSignalsTests",
      dependencies: ["dbus-systemd-signals", "CDBus", "CLinux", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "BridgeTests",
      dependencies: [
        "posix-mq-to-mqtt-bridge", "CLinux", "Daemon", "Linux", "Records", "TestSupport",
      ]),
    .testTarget(
      name: "InotifyCoredumpTests",
      dependencies: ["inotify-coredump", "CLinux", "Daemon", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "ScriptParsingTests",
      dependencies: ["trace-consumer", "Linux", "Records", "TestSupport"]),
    .testTarget(
      name: "IntegrationTests",
      dependencies: ["random-records", "CLinux", "Records", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

extension Target {
  /// A daemon that watches one source; `libraries` are what its source needs beside glibc.
  static func collector(
    _ name: String, modules: [Target.Dependency] = [], libraries: [String] = [],
    exclude: [String] = []
  ) -> Target {
    .executableTarget(
      name: name, dependencies: ["CLinux", "Daemon", "Linux", "Records"] + modules,
      exclude: exclude, swiftSettings: strict, linkerSettings: libraries.map { .linkedLibrary($0) })
  }
}

// swift-tools-version: 6.2
import PackageDescription

// The parsers under libFuzzer, https://llvm.org/docs/LibFuzzer.html; fuzz.sh builds and runs it. A
// package of its own, so that nothing of it comes near a device: the modules are compiled anew, with
// the instrumentation, and the programs as libraries.

let instrumented: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])]

let package = Package(
  name: "Fuzz",
  targets: [
    .target(name: "CLinux", path: "Sources/CLinux"),
    .systemLibrary(name: "CDBus", path: "Sources/CDBus", pkgConfig: "dbus-1"),
    .systemLibrary(name: "CMosquitto", path: "Sources/CMosquitto"),
    .systemLibrary(name: "CSensors", path: "Sources/CSensors"),
    .systemLibrary(name: "CSystemd", path: "Sources/CSystemd"),
    .module("Records", dependencies: []),
    .module("Linux", dependencies: ["CLinux"]),
    .module("Daemon", dependencies: ["CLinux", "Linux", "Records"]),
    .program("cyclic-file-read", "CSensors"),
    .program("dbus-systemd-signals", "CDBus"),
    .program("dlt-proc-watch"),
    .program("epoll-psi"),
    .program("inotify-coredump", "CSystemd"),
    .program("inotify-pacct"),
    .program("posix-mq-to-mqtt-bridge", "CMosquitto", "CSystemd"),
    .executableTarget(
      name: "fuzz-parsers",
      dependencies: [
        "CDBus", "Daemon", "Linux", "Records", "cyclic-file-read", "dbus-systemd-signals",
        "dlt-proc-watch", "epoll-psi", "inotify-coredump", "inotify-pacct",
        "posix-mq-to-mqtt-bridge",
      ],
      path: "Parsers",
      // Debian's default linker, gold, fails on debug information of this compiler.
      linkerSettings: [
        .unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"]),
        .linkedLibrary("crypto"), .linkedLibrary("dbus-1"), .linkedLibrary("mosquitto"),
        .linkedLibrary("sensors"), .linkedLibrary("ssl"), .linkedLibrary("systemd"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

extension Target {
  static func module(_ name: String, dependencies: [Target.Dependency]) -> Target {
    .target(
      name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: instrumented)
  }

  static func program(_ name: String, _ library: Target.Dependency...) -> Target {
    .target(
      name: name, dependencies: ["CLinux", "Daemon", "Linux", "Records"] + library,
      path: "Sources/\(name)", exclude: ["main.swift"], swiftSettings: instrumented)
  }
}

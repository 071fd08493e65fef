// swift-tools-version: 6.2
import PackageDescription

// The host tool. A package of its own, so that whoever builds for a device fetches and builds none
// of what only a server needs, and the tests of the device programs do not wait for it.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "stats-recording-tools",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.27.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CMosquitto", path: "Modules/CMosquitto"),
    .systemLibrary(name: "CZlib", path: "Modules/CZlib"),
    // The wire format and the list of all fields, the same sources as on the device.
    .target(name: "Records", path: "Modules/Records", swiftSettings: strict),
    .target(name: "CTrace", path: "Modules/CTrace"),
    .target(name: "CBPF", path: "Modules/CBPF", linkerSettings: [.linkedLibrary("bpf")]),
    .target(
      name: "BPFObjects", dependencies: ["CBPF", "CLinux"], path: "Modules/BPFObjects",
      swiftSettings: strict),
    .target(name: "Bpftrace", path: "Modules/Bpftrace", swiftSettings: strict),
    .target(
      name: "TraceConsumer", dependencies: ["BPFObjects", "Bpftrace", "CTrace"],
      path: "Modules/TraceConsumer",
      swiftSettings: strict),
    .executableTarget(
      name: "stats-recording",
      dependencies: [
        "CMosquitto", "CZlib", "Records", "TraceConsumer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "Program",
      // The page of `serve`: one program, whose page cannot be of another version.
      resources: [.embedInCode("Serve/Page")], swiftSettings: strict),

    // The rig of the device programs' tests: brokers, subscribers, the programs as they were built.
    .target(name: "CLinux", path: "Modules/CLinux"),
    .target(name: "Linux", dependencies: ["CLinux"], path: "Modules/Linux"),
    .target(name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport"),
    .target(
      name: "DeviceRig", dependencies: ["CLinux", "Records", "TestSupport"], path: "Tests/Rig",
      // What only the device programs' tests use.
      exclude: [
        "FakeDaemon.swift", "FaultRig.swift", "FaultTool.swift",
        "InstalledSystem.swift", "MemoryLimit.swift", "NotifySocket.swift", "OwnThread.swift",
        "Package.swift", "PacctOutput.swift", "Pressure.swift", "QueueReader.swift",
        "SystemdListener.swift", "Tracing.swift", "Valgrind.swift",
      ]),
    .testTarget(
      name: "StatsRecordingTests",
      dependencies: ["DeviceRig", "Records", "TraceConsumer", "stats-recording"],
      path: "Tests/StatsRecordingTests", exclude: ["Screens"]),
  ],
  swiftLanguageModes: [.v6]
)

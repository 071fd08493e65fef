import Foundation
import Testing

/// What is in the packages, for each architecture.
@Suite(.needsPackages, .needs(command: "readelf"), .needs(command: "dpkg-deb"))
struct PackageTests {
  private static let machines: [Rig.Architecture: String] = [
    .amd64: "Advanced Micro Devices X86-64", .arm64: "AArch64", .armhf: "ARM",
  ]

  /// trace-consumer has a limit of its own, what one program should have: it came when the eight others had
  /// used up theirs, and a device that traces nothing does not run it.
  /// 150 KB of 1,024 bytes, as the benchmark counts them.
  private static let tracingLimit = 150 * 1024

  @Test(arguments: Rig.Architecture.allCases)
  func everyProgramIsStrippedAndHardened(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let package = try Package.built(architecture)
    #expect(package.fields["Architecture"] == "\(architecture)")
    try package.unpack(into: rig.folder)
    var size = 0
    for program in InstalledSystem.programs {
      let file = rig.folder.appending(path: "usr/bin/\(program)").path()
      let own = try #require(FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
      if program == "trace-consumer" {
        print("trace-consumer for \(architecture): \(own) bytes")
        #expect(own <= Self.tracingLimit)
      } else {
        size += own
      }
      let header = try Package.run("readelf", "--wide", "--file-header", file)
      // A shared object with an interpreter: position-independent.
      #expect(header.contains { $0.contains("Type:") && $0.contains("DYN") })
      let machine = try #require(header.first { $0.contains("Machine:") })
      #expect(machine.hasSuffix(" " + (Self.machines[architecture] ?? "")))
      let segments = try Package.run("readelf", "--wide", "--segments", file)
      #expect(segments.contains { $0.contains("INTERP") })
      #expect(segments.contains { $0.contains("GNU_RELRO") })
      let stack = try #require(segments.first { $0.contains("GNU_STACK") }, "\(program)")
      #expect(stack.contains(" RW ") && !stack.contains("E"))
      // No segment may be written to and run.
      #expect(!segments.contains { $0.contains("LOAD") && $0.contains("RWE") })
      let dynamic = try Package.run("readelf", "--wide", "--dynamic", file)
      #expect(dynamic.contains { $0.contains("(FLAGS)") && $0.contains("BIND_NOW") })
      #expect(!dynamic.contains { $0.contains("RPATH") || $0.contains("RUNPATH") })
      let sections = try Package.run("readelf", "--wide", "--sections", file)
      #expect(!sections.contains { $0.contains(".symtab") || $0.contains(".debug_") })
      #expect(sections.contains { $0.contains(".note.gnu.build-id") })
    }
    print("installed programs for \(architecture): \(size) bytes")
    #expect(size <= 1_000_000)
  }

  @Test(arguments: Rig.Architecture.allCases)
  func theDebugSymbolsBelongToThePrograms(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let package = try Package.built(architecture)
    let symbols = try Package.built(architecture, "stats-recording-dbgsym")
    #expect(symbols.fields["Depends"] == "stats-recording (= \(package.version))")
    try package.unpack(into: rig.folder.appending(path: "programs"))
    try symbols.unpack(into: rig.folder.appending(path: "symbols"))
    var identities: Set<String> = []
    for program in InstalledSystem.programs {
      let notes = try Package.run(
        "readelf", "--notes", rig.folder.appending(path: "programs/usr/bin/\(program)").path())
      let line = try #require(notes.first { $0.contains("Build ID: ") })
      let identity = String(try #require(line.split(separator: " ").last))
      identities.insert(identity)
      let file = rig.folder.appending(
        path: "symbols/usr/lib/debug/.build-id/\(identity.prefix(2))/\(identity.dropFirst(2)).debug"
      )
      let sections = try Package.run("readelf", "--wide", "--sections", file.path())
      #expect(sections.contains { $0.contains(".debug_info") }, "\(program)")
    }
    #expect(
      Set(symbols.fields["Build-Ids"]?.split(separator: " ").map(String.init) ?? []) == identities)
  }

  @Test(arguments: Rig.Architecture.allCases)
  func itDependsOnWhatTheProgramsUse(_ architecture: Rig.Architecture) throws {
    let depends = try #require(try Package.built(architecture).fields["Depends"])
    let names = depends.split(separator: ", ").map { $0.prefix { $0 != " " } }
    #expect(
      names.sorted() == [
        "libbpf1", "libc6", "libdbus-1-3", "libmosquitto1", "libsensors5", "libssl3", "libsystemd0",
        "systemd",
      ])
    // Versions come from the symbols that are used, so none is missing.
    #expect(depends.matches(of: /\(>= [0-9]/).count == names.count + 1)
    // What Debian 13 calls it.
    #expect(depends.contains("| libssl3t64 ("))
  }

  @Test func everyFileIsListedAndEveryConfigurationFileIsKnown() throws {
    let rig = try Rig()
    try Package.built(.amd64).unpack(into: rig.folder)
    let check = try rig.run([
      "/bin/sh", "-c", "cd \"$1\" && md5sum --quiet --check DEBIAN/md5sums", "sh",
      rig.folder.path(),
    ])
    #expect(check.status == 0 && check.output == [] && check.log == [])
    let control = { (name: String) in
      try String(contentsOf: rig.folder.appending(path: "DEBIAN/\(name)"), encoding: .utf8)
        .split(separator: "\n").map(String.init)
    }
    let listed = try control("md5sums").map { "/" + $0.dropFirst(34) }
    let files = try Package.run(
      "find", rig.folder.path(), "-type", "f", "-not", "-path", "*/DEBIAN/*"
    )
    .map { String($0.dropFirst(rig.folder.path().count)) }
    .filter { $0.hasPrefix("/etc/") || $0.hasPrefix("/usr/") }
    #expect(listed.sorted() == files.sorted())
    #expect(
      try control("conffiles").sorted()
        == InstalledSystem.programs.map { "/etc/stats-recording/\($0).conf" }.sorted())
    // The target has them all, and the socket all queues.
    let unit = { (name: String) in
      try String(
        contentsOf: rig.folder.appending(path: "usr/lib/systemd/system/\(name)"), encoding: .utf8)
    }
    let target = try unit("stats-recording.target")
    for program in InstalledSystem.programs {
      #expect(
        target.contains(" \(program).service")
          || target.contains("=\(program).service"), "\(program)")
    }
    let queues = try unit("posix-mq-to-mqtt-bridge.socket").split(separator: "\n")
      .filter { $0.hasPrefix("ListenMessageQueue=") }
    #expect(
      queues.sorted()
        == InstalledSystem.collectors.map { "ListenMessageQueue=/stats-recording.\($0)" }.sorted())
  }
}

import Foundation
import Testing

/// Building and installing as those do who know CMake.
@Suite(.serialized, .needsPackages, .needs(command: "cmake"))
struct CMakeTests {
  private func configure(_ rig: Rig, _ options: String...) throws -> (build: String, status: Int32)
  {
    let build = rig.folder.appending(path: "build").path()
    let source = Machine.packageRoot.appending(path: "cmake").path()
    let command = try #require(Machine.command("cmake"))
    let result = try rig.run([command, "-S", source, "-B", build] + options, within: 60)
    return (build, result.status)
  }

  @Test(arguments: [nil, Rig.Architecture.arm64])
  func itInstallsWhatThePackageHas(_ architecture: Rig.Architecture?) throws {
    let rig = try Rig()
    let options = architecture.map {
      Machine.packageRoot.appending(path: "cmake/toolchain.\($0).cmake").path()
    }
    let (build, status) = try configure(
      rig, options.map { "-DCMAKE_TOOLCHAIN_FILE=\($0)" } ?? "-DSTATS_ENABLE_TESTING=ON")
    try #require(status == 0)
    // Installing builds what is not built; once is enough to see that building works.
    if architecture == nil { try Package.run("cmake", "--build", build, within: 600) }
    let image = rig.folder.appending(path: "image").path()
    let install = try ChildProcess(
      [try #require(Machine.command("cmake")), "--install", build], name: "cmake",
      in: rig.folder, environment: ["DESTDIR": image])
    #expect(try install.wait(within: 600) == 0, "\(install.log)")

    let package = rig.folder.appending(path: "package").path()
    try Package.run(
      "dpkg-deb", "--extract", Package.built(architecture ?? .amd64).path, package)
    // The package's own papers are its alone.
    let difference = try rig.run([
      #require(Machine.command("diff")), "--recursive", image, package,
    ])
    #expect(difference.output == ["Only in \(package)/usr/share: doc"])
    if architecture == nil {
      let tests = try Package.run("ctest", "--test-dir", build, "--show-only")
      #expect(tests.contains { $0.contains("Test #1: stats-recording") })
    }
  }

  @Test func anotherPrefixIsRefused() throws {
    #expect(try configure(Rig(), "-DCMAKE_INSTALL_PREFIX=/opt").status != 0)
  }

  @Test func everyArchitectureHasAToolchainFile() throws {
    for architecture in Rig.Architecture.allCases {
      let file = Machine.packageRoot.appending(path: "cmake/toolchain.\(architecture).cmake")
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(text.contains("set(STATS_ARCHITECTURE \(architecture))"))
    }
  }
}

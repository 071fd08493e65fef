import Foundation
import Testing

/// A Debian package as ./build.sh made it, taken apart.
struct Package {
  let path: String
  let fields: [String: String]

  /// The one of this architecture in debs/.
  static func built(
    _ architecture: Rig.Architecture, _ name: String = "stats-recording"
  ) throws -> Package {
    let folder = Machine.packageRoot.appending(path: "debs").path()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix("\(name)_") && $0.hasSuffix("_\(architecture).deb") }
    try #require(names.count == 1, "one \(name) for \(architecture) in debs/: ./build.sh --all")
    return try Package("\(folder)/\(names[0])")
  }

  init(_ path: String) throws {
    self.path = path
    let lines = try Self.run("dpkg-deb", "--field", path)
    fields = Dictionary(
      lines.filter { !$0.hasPrefix(" ") }.compactMap { line in
        line.firstIndex(of: ":").map { (String(line[..<$0]), String(line[$0...].dropFirst(2))) }
      }, uniquingKeysWith: { $1 })
  }

  var version: String { fields["Version"] ?? "" }

  /// Everything in it, with the control files in DEBIAN.
  func unpack(into folder: URL) throws {
    try Self.run("dpkg-deb", "--raw-extract", path, folder.path())
  }

  /// The same with another version number, and a line more in a configuration file, as an older or
  /// newer release would have it.
  func release(_ version: String, in folder: URL) throws -> Package {
    let root = folder.appending(path: "unpacked-\(version)")
    try unpack(into: root)
    try Self.edit(root.appending(path: "DEBIAN/control")) {
      $0.replacingOccurrences(of: "Version: \(self.version)", with: "Version: \(version)")
    }
    try Self.edit(root.appending(path: "etc/stats-recording/epoll-psi.conf")) {
      $0 + "# as of \(version)\n"
    }
    let path = folder.appending(path: "stats-recording_\(version)_amd64.deb").path()
    try Self.run("dpkg-deb", "--root-owner-group", "--build", root.path(), path)
    return try Package(path)
  }

  static func edit(_ file: URL, _ change: (String) -> String) throws {
    try change(String(contentsOf: file, encoding: .utf8))
      .write(to: file, atomically: false, encoding: .utf8)
  }

  /// Runs a command to its end, which must be a good one.
  @discardableResult
  static func run(_ command: String..., within seconds: Double = 60) throws -> [String] {
    let rig = try Rig()
    let path = try #require(Machine.command(command[0]), "\(command[0]) is not installed")
    let result = try rig.run([path] + command.dropFirst(), within: seconds)
    try #require(result.status == 0, "\(command): \(result.log.joined(separator: "\n"))")
    return result.output
  }
}

extension Trait where Self == ConditionTrait {
  static var needsPackages: Self {
    .needs("needs debs/*.deb: ./build.sh --all makes them") {
      Rig.Architecture.allCases.allSatisfy { (try? Package.built($0)) != nil }
    }
  }
}

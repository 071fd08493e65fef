import Foundation
import Testing

@testable import DeviceRig

extension Rig {
  /// Starts the host tool on the rig's broker.
  func tool(_ command: String, _ arguments: String...) throws -> ChildProcess {
    try ChildProcess(
      [Self.toolPath(), command, "--host", "127.0.0.1", "--port", "\(broker().port)"] + arguments,
      name: "stats-recording", in: folder)
  }

  /// The program that stands beside the tests.
  static func toolPath() throws -> String {
    let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "stats-recording").path()
    try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
    return path
  }
}

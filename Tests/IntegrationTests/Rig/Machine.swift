import Foundation
import Testing

/// What this machine has for the tests.
enum Machine {
  /// Where a test must not be left out: there what it needs is installed before.
  static let isContinuousIntegration = ProcessInfo.processInfo.environment["CI"] == "true"

  static let isRoot = geteuid() == 0

  /// The host tool's package has this file behind a link.
  static let packageRoot = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The path of an installed command, also of those that only root has in its PATH.
  static func command(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"])
      .map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static let numbers = Counter()

  /// A name that no other test of this or another run has.
  static func uniqueName() -> String {
    "st\(getpid())n\(numbers.next())"
  }
}

/// Counts, from any thread.
final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0

  func next() -> Int {
    lock.withLock {
      value += 1
      return value
    }
  }
}

extension Trait where Self == ConditionTrait {
  /// Leaves the test out, by name and with the reason, where a command is not installed. With
  /// CI=true it runs, and fails for want of it.
  static func needs(command: String) -> Self {
    .enabled("needs \(command), which is not installed") {
      Machine.isContinuousIntegration || Machine.command(command) != nil
    }
  }

  static var needsRoot: Self {
    .enabled("needs root") { Machine.isContinuousIntegration || Machine.isRoot }
  }

  /// Something else that a machine may lack; `reason` says what and how to get it. It is looked for
  /// everywhere, since looking may be what brings it.
  static func needs(_ reason: String, _ isThere: @escaping @Sendable () -> Bool) -> Self {
    .enabled(Comment(rawValue: reason)) { isThere() || Machine.isContinuousIntegration }
  }
}

/// Waits for something that another process does; asks every few milliseconds, for a bounded time.
func eventually(
  _ what: String, within seconds: Double = 10, every pause: Double = 0.005,
  _ condition: () throws -> Bool,
  fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
) throws {
  let deadline = Date(timeIntervalSinceNow: seconds)
  while true {
    if try condition() { return }
    guard Date() < deadline else { break }
    usleep(UInt32(pause * 1e6))
  }
  Issue.record(
    "not within \(seconds) s: \(what)",
    sourceLocation: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: 1))
  throw NotInTime(what: what)
}

struct NotInTime: Error {
  let what: String
}

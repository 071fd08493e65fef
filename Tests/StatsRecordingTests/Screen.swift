import Foundation
import Testing

@testable import DeviceRig

/// A terminal that a test looks at: tmux(1) with one pane.
final class Screen {
  private let socket: String
  private let rig: Rig

  /// Runs a command of the shell in it.
  init(
    _ rig: Rig, _ command: String, width: Int = 100, height: Int = 30,
    term: String = "screen-256color"
  ) throws {
    self.rig = rig
    socket = rig.folder.appending(path: "tmux-\(Machine.uniqueName())").path()
    // `-u`: UTF-8 whatever the locale of the tests.
    let result = try rig.run([
      try #require(Machine.command("tmux"), "tmux is not installed"), "-u", "-S", socket, "-f",
      "/dev/null", "new-session", "-d", "-x", "\(width)", "-y", "\(height)", "--",
      "/usr/bin/env", "TERM=\(term)", "LC_ALL=C.UTF-8", "TZ=UTC", "/bin/sh", "-c", command,
    ])
    try #require(result.status == 0, "tmux: \(result.log)")
  }

  deinit { _ = try? tmux("kill-server") }

  @discardableResult
  func tmux(_ arguments: String...) throws -> [String] {
    let tmux = try #require(Machine.command("tmux"))
    return try rig.run([tmux, "-u", "-S", socket] + arguments).output
  }

  /// The rows, without spaces at their ends.
  var rows: [String] { get throws { try tmux("capture-pane", "-p") } }

  /// The same with the sequences for colors.
  var coloredRows: [String] { get throws { try tmux("capture-pane", "-p", "-e") } }

  func press(_ keys: String...) throws { for key in keys { try tmux("send-keys", key) } }

  func resize(_ width: Int, _ height: Int) throws {
    try tmux("resize-window", "-x", "\(width)", "-y", "\(height)")
  }

  /// What tmux knows of the pane: `alternate_on`, `cursor_flag`, `pane_pid`.
  func state(_ name: String) throws -> String {
    try tmux("display-message", "-p", "#{\(name)}").first ?? ""
  }

  /// Waits until the rows are so; returns them.
  func eventually(
    _ what: String, within seconds: Double = 10, _ condition: ([String]) -> Bool
  ) throws -> [String] {
    var rows: [String] = []
    do {
      try DeviceRig.eventually(what, within: seconds) {
        rows = try self.rows
        return condition(rows)
      }
    } catch {
      Issue.record("the screen:\n\(rows.joined(separator: "\n"))")
      throw error
    }
    return rows
  }
}

extension [String] {
  func has(_ text: String) -> Bool { contains { $0.contains(text) } }
}

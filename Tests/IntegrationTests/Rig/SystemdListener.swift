import Foundation
import Testing

/// dbus-systemd-signals in a booted system; its records are what it prints.
final class SystemdListener {
  let process: ChildProcess

  init(_ system: BootedSystem, _ options: String...) throws {
    process = try system.program("dbus-systemd-signals", ["--print"] + options)
    let process = process
    try eventually("it listens") { process.output.contains { $0.contains("snapshot") } }
  }

  var records: [[String: Any]] {
    process.output.compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  func states(_ unit: String) -> [[String: Any]] {
    records.filter { $0["kind"] as? String == "unit_state" && $0["unit"] as? String == unit }
  }

  /// `failed/failed` and so on, one after the other.
  func course(_ unit: String) -> [String] {
    states(unit).map { "\($0["active_state"]!)/\($0["sub_state"]!)" }
  }

  func events(_ event: String) -> [[String: Any]] {
    records.filter { $0["event"] as? String == event }
  }

  func stop() throws {
    #expect(try process.stop() == 0)
    #expect(process.log == [])
  }
}

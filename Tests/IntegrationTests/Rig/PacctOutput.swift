import CLinux
import Foundation
import Testing

/// What inotify-pacct printed or left behind.
extension InotifyPacctTests {
  static func ownFiles(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasPrefix("inotify-pacct.acct.") }
  }

  static func size(of folder: String) -> Int {
    ownFiles(folder).reduce(0) { sum, name in
      sum + ((try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")).count) ?? 0)
    }
  }

  /// Whether it has told what was there and waits.
  static func isWatching(_ collector: ChildProcess) -> Bool {
    collector.log.contains { $0.contains("reading ") }
  }

  static func exits(
    _ collector: ChildProcess, _ name: String? = nil
  ) throws -> [[String: Any]] {
    try collector.output.filter { $0.contains("\"kind\":\"process_exit\"") }.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.filter { name == nil || $0["comm"] as? String == name }
  }

  static func sum(_ key: String, of name: String, in collector: ChildProcess) throws -> Int {
    try collector.output.filter { $0.contains("\"comm\":\"\(name)\"") }.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.reduce(0) { $0 + ($1[key] as? Int ?? 0) }
  }

  func expectBurst(_ collector: ChildProcess, _ count: Int) throws {
    let exits = try Self.exits(collector)
    #expect(exits.count == count + 1)
    for (number, exit) in exits.dropLast().enumerated() where number % 10 != 9 {
      guard exit["exit_code"] as? Int == number % 7 else {
        Issue.record("process \(number) has exit code \(exit["exit_code"] ?? "none")")
        return
      }
    }
    #expect(Set(exits.map { $0["pid"] as! Int }).count == exits.count)
  }

  func members(_ line: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  /// The line that dump-acct(8) 6.6.4 prints for it.
  func dumpAcctLine(_ exit: [String: Any]) throws -> String {
    let number = { (key: String) in (exit[key] as? NSNumber)?.doubleValue ?? -1 }
    let ticks = { (key: String) in String(format: "%9.2f", (number(key) * 100).rounded()) }
    let integer = { (key: String, width: Int) in String(format: "%\(width)d", Int(number(key))) }
    let flag = { (key: String, letter: String) in exit[key] as? Bool == true ? letter : " " }
    let name = (exit["comm"] as! String).utf8.count
    let comm = (exit["comm"] as! String) + String(repeating: " ", count: max(0, 16 - name))
    let flags =
      flag("superuser", "S") + flag("forked_without_exec", "F") + " " + flag("core_dumped", "D")
      + flag("killed_by_signal", "X")
    let tty = exit["tty"] as! String
    var time = time_t(number("start_time_seconds"))
    var parts = tm()
    gmtime_r(&time, &parts)
    var date = [CChar](repeating: 0, count: 64)
    strftime(&date, date.count, "%a %b %e %H:%M:%S %Y", &parts)
    return [
      comm, "v3", ticks("user_seconds"), ticks("system_seconds"), ticks("elapsed_seconds"),
      integer("user_id", 6), integer("group_id", 6),
      String(format: "%9.2f", number("virtual_memory_bytes") / 1024),
      String(format: "%9.2f", number("ac_io")), integer("pid", 8), integer("parent_pid", 8), flags,
      integer("exit_code", 8),
      (tty.isEmpty ? "__" : tty).padding(
        toLength: 8, withPad: " ", startingAt: 0),
      date.withUnsafeBufferPointer { String(cString: $0.baseAddress!) },
    ].joined(separator: "|")
  }
}

import Foundation
import Linux

@testable import Daemon

/// A command line and a configuration file, by NUL apart, of a program that asks for one of each.
func options(_ bytes: [UInt8]) -> CInt {
  let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
  var arguments = parts.dropFirst().prefix(20).map { Text($0) }
  guard write(Array(parts[0]), to: configuration) else { return -1 }
  arguments.append("--config")
  arguments.append(Text(Array("/proc/self/fd/\(configuration)".utf8)))

  var options = Options("fuzzed", arguments: arguments)
  let interval = options.interval(
    "interval", default: .seconds(1), atLeast: .seconds(1), atMost: .seconds(60), "how often")
  let pulse = options.intervalOrOff(
    "pulse", default: .seconds(5), atLeast: .seconds(1), atMost: .seconds(60), "how often, or off")
  let number = options.number("number", default: 3, in: 1...9, "how many")
  let name = options.text("name", "TEXT", "who")
  let units = options.texts("unit", "GLOB", "which")
  _ = options.flag("flag", "whether")
  let output = OutputOptions(&options)
  let answer = options.answer("Tries options.")

  expect(1...60 ~= interval.nanoseconds / 1_000_000_000, "an interval out of its range")
  expect(1...60 ~= (pulse ?? .seconds(1)).nanoseconds / 1_000_000_000, "a pulse out of its range")
  expect(1...9 ~= number, "a number out of its range")
  expect((name?.bytes.count ?? 0) <= bytes.count, "a name of more than there was")
  expect(units.count <= 20 + parts[0].count, "more units than there were")
  guard let answer else {
    expect(output.queuePrefix.starts(with: "/"), "a prefix that is none")
    return 0
  }
  expect(answer.status == 0 || answer.status == 2, "another status")
  // One line, whatever was given.
  let line = answer.text.readable.bytes
  expect(!line.isEmpty, "a mistake without words")
  expect(!line.contains { $0 < 0x20 }, "a control character in the log")
  expect(String(validating: line, as: UTF8.self) != nil, "a line that is not UTF-8")
  return 0
}

/// A file without a name, opened by its number.
private let configuration: CInt = {
  var path = Array("/dev/shm/fuzz-options-XXXXXX".utf8CString)
  let file = mkstemp(&path)
  guard file >= 0 else { fatalError("mkstemp: \(String(cString: strerror(errno)))") }
  unlink(path)
  return file
}()

private func write(_ bytes: [UInt8], to file: CInt) -> Bool {
  ftruncate(file, 0) == 0 && pwrite(file, bytes, bytes.count, 0) == bytes.count
}

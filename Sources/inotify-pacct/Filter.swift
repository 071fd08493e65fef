import Linux
import Daemon
import Records

/// Which processes are told of one by one.
struct Filter {
  var onlyFailed = false
  var minimumCPUHundredths: UInt64 = 0
  var users: [UInt32] = []
  /// Names of 16 bytes each, filled up with NULs.
  private var commands: [UInt8] = []

  func passes(_ exit: ProcessExit) -> Bool {
    if onlyFailed && !exit.isEvent { return false }
    if exit.userHundredths + exit.systemHundredths < minimumCPUHundredths { return false }
    if !users.isEmpty && !users.contains(exit.userID) { return false }
    if commands.isEmpty { return true }
    for start in stride(from: 0, to: commands.count, by: Self.nameSize) {
      var index = 0
      while index < Self.nameSize && commands[start + index] == exit.command[index] { index += 1 }
      if index == Self.nameSize { return true }
    }
    return false
  }

  private static let nameSize = 16

  /// Tells of this command name too, of which the kernel keeps 15 bytes.
  mutating func add(command: Text) {
    let bytes = command.bytes
    for index in 0..<Self.nameSize {
      commands.append(index < min(bytes.count, Self.nameSize - 1) ? bytes[index] : 0)
    }
  }
}

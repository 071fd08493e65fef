import Daemon
import Linux
import Records

/// What inotify-pacct can be told.
final class PacctOptions {
  let path: Text
  let fromStart: Bool
  let statePath: Text?
  let assumesOn: Bool
  let owns: Bool
  let ownFolder: Text
  let ownSize: UInt64
  var filter = Filter()
  /// 0: no summaries.
  let summaryInterval: Interval
  let summaryOnly: Bool
  let checkInterval: Interval
  let procfs: Text

  init(_ options: inout Options) {
    path = options.text("file", "PATH", default: Self.defaultPath, "the accounting file to follow")
    fromStart = options.flag(
      "from-start", "at the first start also tell what the file holds already")
    let stateFolder = folder(inEnvironment: "STATE_DIRECTORY")
    statePath =
      options.text(
        "state-file", "PATH",
        "keep the position here for the next start [$STATE_DIRECTORY/inotify-pacct.state]")
      ?? stateFolder.map { "\($0)/inotify-pacct.state" }
    assumesOn = options.flag(
      "assume-on", "do not end a child to see whether it is recorded, for files of elsewhere")
    owns = options.flag("own", "turn accounting on, into files in memory that do not grow")
    let runFolder = folder(inEnvironment: "RUNTIME_DIRECTORY") ?? "/run/stats-recording"
    ownFolder =
      options.text(
        "own-folder", "DIR", "where these files are [$RUNTIME_DIRECTORY or /run/stats-recording]")
      ?? runFolder
    ownSize = Self.size(&options)

    filter.onlyFailed = options.flag(
      "only-failed", "tell only of processes with an exit code or signal")
    let minimum = options.interval(
      "minimum-cpu", default: .seconds(0), atLeast: .seconds(0), atMost: .seconds(86_400),
      "tell only of processes that used so much CPU time")
    filter.minimumCPUHundredths = (minimum.nanoseconds + 9_999_999) / 10_000_000
    for text in options.texts("uid", "UID", "tell only of processes of this user; repeatable") {
      guard let user = text.number, user < UInt64(UInt32.max) else {
        options.fail("--uid \(text): not a user id; write a number")
        continue
      }
      filter.users.append(UInt32(user))
    }
    for text in options.texts("comm", "NAME", "tell only of this command name; repeatable") {
      filter.add(command: text)
    }
    summaryInterval = options.interval(
      "summary", default: .seconds(0), atLeast: .seconds(0), atMost: .seconds(86_400),
      "add up all processes by name, and tell so often; 0s: never")
    summaryOnly = options.flag("summary-only", "tell of no single process")
    if summaryOnly && summaryInterval.nanoseconds == 0 {
      options.fail("--summary-only needs --summary TIME")
    }
    checkInterval = options.interval(
      "check", default: .seconds(30), atLeast: Interval(nanoseconds: 100_000_000),
      atMost: .seconds(3600), "time between looks for a full disk and accounting that is off")
    procfs = options.text("procfs", "DIR", default: "/proc", "where proc(5) is mounted")
  }

  static let defaultPath: Text = "/var/log/account/pacct"

  /// Bytes, or with K or M so many times 1024 or 1024 times that.
  private static func size(_ options: inout Options) -> UInt64 {
    let given = options.text(
      "own-size", "SIZE", "go on in a new file when one has so many bytes; 64K, 1M [1M]")
    guard let given else { return 1 << 20 }
    var digits = given.bytes
    var shift: UInt64 = 0
    if digits.last == UInt8(ascii: "K") { shift = 10 }
    if digits.last == UInt8(ascii: "M") { shift = 20 }
    if shift > 0 { digits.removeLast() }
    if let number = digits.span.decimal, number <= (1 << 30) >> shift, (number << shift) >= 4096 {
      return number << shift
    }
    options.fail("--own-size \(given): not a size from 4K to 1024M")
    return 1 << 20
  }
}

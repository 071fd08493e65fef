import Linux

/// Where the kernel sends core dumps: /proc/sys/kernel/core_pattern, core(5).
///
/// ```
/// core                                                        in the process's folder
/// /var/lib/systemd/coredump/core.%e.%u.…                      a file
/// |/lib/systemd/systemd-coredump %P %u %g %s %t 9223… %h %d   to a program
/// ```
enum CorePattern: Equatable {
  /// To systemd-coredump, or into the folder.
  case leadsHere
  /// Somewhere else; the pattern.
  case leadsElsewhere(Text)
  /// It cannot be read.
  case unknown

  /// The pattern of a machine. `folder` has no slash at the end.
  static func read(procfs: Text, folder: Text) -> CorePattern {
    guard let bytes = try? readFile("\(procfs)/sys/kernel/core_pattern", limit: 1024) else {
      return .unknown
    }
    return CorePattern(parsing: bytes.span, folder: folder.bytes)
  }

  init(parsing bytes: Span<UInt8>, folder: [UInt8]) {
    var end = bytes.count
    while end > 0 && bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    if end > 0 && bytes[0] == UInt8(ascii: "|") {
      var last = 1
      while last < end && bytes[last] != UInt8(ascii: " ") { last += 1 }
      var first = last
      while first > 1 && bytes[first - 1] != UInt8(ascii: "/") { first -= 1 }
      if equals(bytes.extracting(first..<last), "systemd-coredump") {
        self = .leadsHere
        return
      }
    } else if end > folder.count && bytes[folder.count] == UInt8(ascii: "/") {
      var same = 0
      while same < folder.count && bytes[same] == folder[same] { same += 1 }
      if same == folder.count {
        self = .leadsHere
        return
      }
    }
    let pattern = (0..<end).map { bytes[$0] }
    self = .leadsElsewhere(Text(pattern))
  }
}

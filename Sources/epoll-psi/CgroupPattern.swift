import CLinux
import Records

/// Which cgroups to watch: a path below the root of cgroup v2, in each part of which `*`, `?` and
/// `[…]` stand for what fnmatch(3) says: `system.slice/*.service`.
struct CgroupPattern: Sendable {
  /// Each a C string.
  private let parts: [[CChar]]
  let text: String

  /// Reads a path as systemctl and /proc/PID/cgroup show it, with or without a slash in front.
  ///
  /// nil if it has no part, or the part `..` or `.`.
  init?(parsing text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"))
    guard !parts.isEmpty else { return nil }
    for part in parts where part.elementsEqual("..".utf8) || part.elementsEqual(".".utf8) {
      return nil
    }
    self.parts = parts.map { part in part.map { CChar(bitPattern: $0) } + [0] }
    self.text = text
  }

  var count: Int { parts.count }

  /// Whether a name fits the part; a part without wildcards fits itself alone, like any other.
  func matches(_ name: UnsafePointer<CChar>, part: Int) -> Bool {
    fnmatch(parts[part], name, FNM_PERIOD) == 0
  }
}

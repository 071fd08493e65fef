import CLinux
import Linux
import Records

/// Which cgroups to watch: a path below the root of cgroup v2, in each part of which `*`, `?` and
/// `[…]` stand for what fnmatch(3) says: `system.slice/*.service`.
struct CgroupPattern: Sendable {
  /// Each a C string.
  private let parts: [[CChar]]

  /// Reads a path as systemctl and /proc/PID/cgroup show it, with or without a slash in front.
  ///
  /// nil if it has no part, or the part `..` or `.`.
  init?(parsing text: Text) {
    var names: [[CChar]] = []
    for part in epoll_psi.parts(text, separator: UInt8(ascii: "/")) where !part.isEmpty {
      if part == ".." || part == "." { return nil }
      names.append(part.c)
    }
    if names.isEmpty { return nil }
    parts = names
  }

  var count: Int { parts.count }

  /// Whether a name fits the part; a part without wildcards fits itself alone, like any other.
  func matches(_ name: UnsafePointer<CChar>, part: Int) -> Bool {
    fnmatch(parts[part], name, FNM_PERIOD) == 0
  }
}

import CLinux
import Foundation
import Testing

/// Processes that read a file again and again, and may not keep it in memory.
final class MemoryLimit {
  private let folder: String
  private let readers: [ChildProcess]

  /// The memory controller of the first version, or of the second where it is on for the root's
  /// children.
  private static var root: (folder: String, limit: String)? {
    let first = "/sys/fs/cgroup/memory"
    if access(first + "/memory.limit_in_bytes", W_OK) == 0
      || access(first + "/cgroup.procs", W_OK) == 0
    {
      return (first, "memory.limit_in_bytes")
    }
    let second = "/sys/fs/cgroup"
    let controllers = try? String(
      contentsOfFile: second + "/cgroup.subtree_control", encoding: .utf8)
    return controllers?.contains("memory") == true && access(second, W_OK) == 0
      ? (second, "memory.max") : nil
  }

  static var isThere: Bool { Machine.isRoot && root != nil }

  /// The folder of a new group that may have so much; it is the caller's.
  static func group(_ name: String, bytes: Int) throws -> String {
    let root = try #require(Self.root)
    let group = root.folder + "/" + name
    try #require(mkdir(group, 0o755) == 0)
    try "\(bytes)".write(toFile: group + "/" + root.limit, atomically: false, encoding: .utf8)
    return group
  }

  init(_ rig: Rig) throws {
    let group = try Self.group(rig.name, bytes: 20 << 20)
    folder = group
    let file = rig.folder.appending(path: "large").path()
    let dd = try #require(Machine.command("dd"))
    for options in [
      ["if=/dev/urandom", "of=\(file)", "bs=1M", "count=100", "conv=fdatasync"],
      // Out of the memory of who wrote it.
      ["of=\(file)", "oflag=nocache", "conv=notrunc,fdatasync", "count=0"],
    ] { try #require(rig.run([dd, "status=none"] + options).status == 0) }
    readers = try (0..<2).map { _ in
      try ChildProcess(
        [
          "/bin/sh", "-c",
          "echo $$ > \(group)/cgroup.procs; while :; do \(dd) if=\(file) of=/dev/null bs=1M status=none; done",
        ], name: "reader", in: rig.folder)
    }
  }

  deinit { stop() }

  func stop() {
    for reader in readers { reader.kill() }
    try? eventually("\(folder) is empty") { rmdir(folder) == 0 || errno == ENOENT }
  }
}

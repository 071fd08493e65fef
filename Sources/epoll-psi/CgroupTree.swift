import CLinux
import Linux
import Records

/// The cgroups that fit some patterns, and word of it when others come or go.
///
/// A cgroup comes with mkdir(2) and goes with rmdir(2), of which inotify(7) tells in cgroup v2 as
/// anywhere else: each folder in which a part of a pattern is looked for is watched.
struct CgroupTree: ~Copyable {
  struct Match {
    let path: CgroupPath
    let folder: Path
    let inode: UInt64
  }

  private let root: Path
  private let patterns: [CgroupPattern]
  /// Non-blocking; ready for reading when something came or went. nil: nobody wants to know.
  let changes: FileDescriptor?
  /// The first folder that could not be watched, since the last scan began.
  private(set) var unwatched: SystemError?

  /// Errors: those of inotify_init1(2).
  init(root: Path, _ patterns: [CgroupPattern], follows: Bool) throws(SystemError) {
    self.root = root
    self.patterns = patterns
    guard follows, !patterns.isEmpty else {
      changes = nil
      return
    }
    let raw = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    if raw < 0 { throw SystemError("inotify_init1") }
    changes = FileDescriptor(owning: raw)
  }

  /// Where cgroup v2 is: the whole of /sys/fs/cgroup, or beside v1 as systemd mounts it.
  static func root(_ given: String?) -> Path? {
    for root in given.map({ [$0] }) ?? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
      let path = Path(root)
      // Only the second version has this file.
      if access(path.appending("cgroup.controllers").forC, F_OK) == 0 { return path }
    }
    return nil
  }

  /// Forgets what was told up to now: the next scan will see it.
  borrowing func takeChanges() {
    switch changes {
    case .some(let changes):
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
        while read(changes.raw, buffer.baseAddress, buffer.count) > 0 {}
      }
    case .none: return
    }
  }

  /// All cgroups that fit now, each once.
  mutating func scan() -> [Match] {
    unwatched = nil
    var matches: [Match] = []
    for index in patterns.indices {
      descend(index, part: 0, folder: root, path: CgroupPath(), &matches)
    }
    return matches
  }

  private mutating func descend(
    _ pattern: Int, part: Int, folder: Path, path: CgroupPath, _ matches: inout [Match]
  ) {
    if part == patterns[pattern].count {
      guard let inode = folder.folderInode else { return }
      if !matches.contains(where: { $0.inode == inode }) {
        matches.append(Match(path: path, folder: folder, inode: inode))
      }
      return
    }
    // Before it is read, so that nothing comes in between unseen.
    watch(folder)
    guard let stream = opendir(folder.forC) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      guard entry.pointee.d_type == DT_DIR else { continue }
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          guard patterns[pattern].matches(name, part: part) else { return }
          let bytes = UnsafeBufferPointer(start: name, count: strlen(name))
          bytes.withMemoryRebound(to: UInt8.self) { bytes in
            var folder = folder
            folder.append(bytes.span)
            var path = path
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path.append(bytes.span)
            descend(pattern, part: part + 1, folder: folder, path: path, &matches)
          }
        }
      }
    }
  }

  private mutating func watch(_ folder: Path) {
    let failed =
      switch changes {
      case .some(let changes):
        // The same folder again changes nothing.
        inotify_add_watch(changes.raw, folder.forC, UInt32(IN_CREATE | IN_DELETE | IN_ONLYDIR)) < 0
      case .none: false
      }
    let errno = clinux_errno()
    // A folder that has just gone will be no part of the next scan.
    if failed && errno != ENOENT && unwatched == nil {
      unwatched = SystemError("inotify_add_watch", errno: errno, folder.description)
    }
  }
}

/// Every trigger of every cgroup has a descriptor: takes as many as the hard limit allows.
///
/// systemd.exec(5) on LimitNOFILE=: right for a program without select(2). What cannot be opened all
/// the same is told where it happens.
func allowMoreDescriptors() {
  let descriptors = Int32(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  guard getrlimit(descriptors, &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  _ = setrlimit(descriptors, &limit)
}

import CLinux
import Linux
import Records

/// The cgroups that fit some patterns, and word of it when others come or go.
///
/// A cgroup comes with mkdir(2) and goes with rmdir(2), of which inotify(7) tells in cgroup v2 as
/// anywhere else: each folder in which a part of a pattern is looked for is watched.
struct CgroupTree: ~Copyable {
  private let root: Text
  private let patterns: [CgroupPattern]
  /// nil: nobody wants to know.
  private var changes: Inotify?
  /// The first folder that could not be watched, since the last scan began.
  private(set) var unwatched: SystemError?

  /// Errors: those of inotify_init1(2).
  init(root: Text, _ patterns: [CgroupPattern], follows: Bool) throws(SystemError) {
    self.root = root
    self.patterns = patterns
    guard follows, !patterns.isEmpty else {
      changes = nil
      return
    }
    changes = try Inotify()
  }

  /// What to wait for, ready for reading when something came or went; nil if it is not followed.
  var descriptor: Int32? {
    switch changes {
    case .some(let changes): changes.descriptor.raw
    case .none: nil
    }
  }

  /// Where cgroup v2 is: the whole of /sys/fs/cgroup, or beside v1 as systemd mounts it.
  static func root(_ given: Text?) -> Text? {
    if let given { return given.ifCgroupRoot }
    return Text("/sys/fs/cgroup").ifCgroupRoot ?? Text("/sys/fs/cgroup/unified").ifCgroupRoot
  }

  /// Forgets what was told up to now: the next scan will see it.
  mutating func takeChanges() throws(SystemError) {
    while try changes?.next() != nil {}
  }

  /// All cgroups that fit now, each once.
  mutating func scan() -> [Place] {
    unwatched = nil
    var places: [Place] = []
    for pattern in patterns { descend(pattern, part: 0, folder: root, &places) }
    return places
  }

  private mutating func descend(
    _ pattern: CgroupPattern, part: Int, folder: Text, _ places: inout [Place]
  ) {
    if part == pattern.count {
      guard let place = Place.find(folder: folder, root: root) else { return }
      if places.first(inode: place.inode) == nil { places.append(place) }
      return
    }
    // Before it is read, so that nothing comes in between unseen.
    watch(folder)
    guard let stream = opendir(folder.c) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      guard entry.pointee.d_type == DT_DIR else { continue }
      withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          guard pattern.matches(name, part: part) else { return }
          descend(pattern, part: part + 1, folder: folder.appending(name), &places)
        }
      }
    }
  }

  private mutating func watch(_ folder: Text) {
    do throws(SystemError) {
      // The same folder again changes nothing.
      _ = try changes?.addWatch(folder, [.created, .deleted, .onlyFolder])
    } catch {
      // A folder that has just gone will be no part of the next scan.
      if error.errno != ENOENT && unwatched == nil { unwatched = error }
    }
  }
}

extension Text {
  /// Only the second version of cgroups has this file.
  fileprivate var ifCgroupRoot: Text? {
    access(appending("cgroup.controllers").c, F_OK) == 0 ? self : nil
  }
}

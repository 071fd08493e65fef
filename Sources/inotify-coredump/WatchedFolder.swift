import CLinux
import Linux

/// A folder that is followed by its path: it may be missing, come, go, and be replaced by another.
///
/// Watches the folder and every folder above it that exists: inotify(7) follows inodes, not paths.
/// What it cannot see: another file system mounted over the path, and a symbolic link in the path
/// whose target is replaced above its last part.
struct WatchedFolder: ~Copyable {
  enum Event {
    /// Something happened to this name, which stands in ``name(_:)``'s bytes.
    case file(Range<Int>, isClosed: Bool)
    /// The folder is there, or there is another one: look at everything in it.
    case appeared
    /// The folder is not there any more.
    case gone
    /// More happened than could be told: look at everything in it.
    case overflow
  }

  private struct Ancestor {
    let path: Text
    /// The name of the next folder on the way.
    let next: [UInt8]
    var watch: Int32 = -1
  }

  /// Without a slash at the end.
  let path: Text
  private var inotify: Inotify
  private var ancestors: [Ancestor]
  private var watch: Int32 = -1

  /// Watches the folder of an absolute path, or waits for it. Errors: those of inotify(7).
  init(_ path: Text) throws(SystemError) {
    var inotify = try Inotify()
    let (folder, ancestors) = Self.ancestors(of: path)
    var watching = (ancestors: ancestors, folder: Int32(-1))
    try Self.follow(folder, &inotify, &watching.ancestors, &watching.folder)
    self.path = folder
    self.inotify = inotify
    self.ancestors = watching.ancestors
    watch = watching.folder
  }

  var exists: Bool { watch >= 0 }
  var descriptor: Int32 { inotify.descriptor.raw }

  /// The next event that means something, or nil if nothing has happened since.
  mutating func next() throws(SystemError) -> Event? {
    while let event = try inotify.next() {
      if event.mask.contains(.overflow) {
        try refresh()
        return .overflow
      }
      let ended: InotifyMask = [.ignored, .selfDeleted, .selfMoved, .unmounted]
      let hasEnded = !event.mask.isDisjoint(with: ended)
      if event.watch == watch && !hasEnded {
        if event.mask.contains(.isFolder) || event.name.isEmpty { continue }
        let closed: InotifyMask = [.closedAfterWriting, .movedTo]
        return .file(event.name, isClosed: !event.mask.isDisjoint(with: closed))
      }
      guard event.watch == watch || concerns(event, hasEnded) else { continue }
      let before = watch
      try refresh()
      if watch != before { return exists ? .appeared : .gone }
    }
    return nil
  }

  /// The bytes of a name, until the next event is taken.
  func name(_ range: Range<Int>) -> [UInt8] { [UInt8](inotify.bytes[range]) }

  private func concerns(_ event: InotifyEvent, _ hasEnded: Bool) -> Bool {
    guard let ancestor = ancestors.first(where: { $0.watch == event.watch }) else { return false }
    return hasEnded || [UInt8](inotify.bytes[event.name]) == ancestor.next
  }

  private mutating func refresh() throws(SystemError) {
    try Self.follow(path, &inotify, &ancestors, &watch)
  }

  /// Watches what the path leads through now. From the top: what comes into being meanwhile is seen
  /// by the watch above it.
  private static func follow(
    _ path: Text, _ inotify: inout Inotify, _ ancestors: inout [Ancestor], _ watch: inout Int32
  ) throws(SystemError) {
    let above: InotifyMask = [
      .created, .movedTo, .movedFrom, .deleted, .selfDeleted, .selfMoved, .onlyFolder,
    ]
    for index in ancestors.indices {
      let before = ancestors[index].watch
      ancestors[index].watch = try add(ancestors[index].path, above, &inotify)
      if before >= 0 && before != ancestors[index].watch { inotify.removeWatch(before) }
    }
    let before = watch
    watch = try add(
      path, [.created, .movedTo, .closedAfterWriting, .selfDeleted, .selfMoved, .onlyFolder],
      &inotify)
    if before >= 0 && before != watch { inotify.removeWatch(before) }
  }

  /// The number of the watch; -1 if there is no such folder, or it may not be read.
  private static func add(
    _ path: Text, _ mask: InotifyMask, _ inotify: inout Inotify
  ) throws(SystemError) -> Int32 {
    do throws(SystemError) {
      return try inotify.addWatch(path, mask)
    } catch {
      if [ENOENT, ENOTDIR, EACCES, ELOOP].contains(error.errno) { return -1 }
      throw error
    }
  }

  /// The path without superfluous slashes, and the folders above it, the root first.
  private static func ancestors(of path: Text) -> (Text, [Ancestor]) {
    var ancestors: [Ancestor] = []
    var above = Text()
    var part: [UInt8] = []
    for byte in path.bytes + [UInt8(ascii: "/")] {
      if byte != UInt8(ascii: "/") {
        part.append(byte)
      } else if !part.isEmpty {
        ancestors.append(Ancestor(path: above.isEmpty ? "/" : above, next: part))
        above = Text("\(above)/\(Text(part))")
        part = []
      }
    }
    return (above, ancestors)
  }

  /// Calls `body` with the name of everything in the folder.
  ///
  /// Errors: those of opendir(3) and readdir(3).
  func eachName(_ body: (Span<UInt8>) -> Void) throws(SystemError) {
    guard let stream = opendir(path.c) else { throw SystemError("opendir", path) }
    defer { closedir(stream) }
    while let entry = clinux_readdir(stream) {
      withUnsafeBytes(of: &entry.pointee.d_name) {
        let name = $0.bindMemory(to: UInt8.self)
        body(name.span.extracting(first: name.firstIndex(of: 0) ?? name.count))
      }
    }
    if clinux_errno() != 0 { throw SystemError("readdir", path) }
  }

  /// The path of a file in the folder, ended by a NUL.
  func filePath(_ name: [UInt8]) -> [UInt8] {
    path.bytes + [UInt8(ascii: "/")] + name + [0]
  }
}

import CLinux

/// Tells what happens to files and folders: inotify(7), never blocking; closed when its owner goes.
///
/// Take the events with ``next()`` until it is nil; the name of the one taken last stands in
/// ``bytes``. The buffer is used again and again.
public struct Inotify: ~Copyable {
  public let descriptor: FileDescriptor
  /// What read(2) gave last: `inotify.bytes.span.extracting(event.name)` is the event's name.
  public private(set) var bytes: [UInt8]
  private var pending = 0..<0

  /// Errors: those of inotify_init1(2), such as EMFILE where a user has too many.
  public init() throws(SystemError) {
    descriptor = FileDescriptor(
      owning: try check(inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)), "inotify_init1"))
    bytes = [UInt8](repeating: 0, count: 4096)
  }

  /// Watches a path from now on; returns the number that its events will have.
  ///
  /// A path that is watched already has the same number, and this mask instead of the one before.
  /// Errors: those of inotify_add_watch(2), such as ENOENT, ENOTDIR with ``InotifyMask/onlyFolder``,
  /// and ENOSPC where a user has too many.
  public borrowing func addWatch(
    _ path: Text, _ mask: InotifyMask
  ) throws(SystemError) -> Int32 {
    try check(inotify_add_watch(descriptor.raw, path.c, mask.rawValue), "inotify_add_watch", path)
  }

  /// Ends a watch; one that the kernel has ended already is no error. inotify_rm_watch(2)
  public borrowing func removeWatch(_ watch: Int32) {
    _ = inotify_rm_watch(descriptor.raw, watch)
  }

  /// The next event, or nil if nothing has happened since.
  ///
  /// Errors: those of read(2); EBADMSG if what the kernel gave are not events.
  public mutating func next() throws(SystemError) -> InotifyEvent? {
    if pending.isEmpty {
      let count = read(descriptor.raw, &bytes, bytes.count)
      if count < 0 {
        let errno = clinux_errno()
        if errno == EAGAIN || errno == EINTR { return nil }
        throw SystemError("read", errno: errno, "inotify")
      }
      pending = 0..<Int(count)
      if pending.isEmpty { return nil }
    }
    guard let event = InotifyEvent(parsing: bytes.span.extracting(pending), at: pending.lowerBound)
    else {
      pending = 0..<0
      throw SystemError("read", errno: EBADMSG, "inotify")
    }
    pending = event.end..<pending.upperBound
    return event
  }
}

/// Something that happened to a watched file or folder.
public struct InotifyEvent: Equatable, Sendable {
  /// The number of the watch; -1 with ``InotifyMask/overflow``.
  public let watch: Int32
  public let mask: InotifyMask
  /// The same number in ``InotifyMask/movedFrom`` and ``InotifyMask/movedTo`` of one rename.
  public let cookie: UInt32
  /// Where the name in the watched folder stands, without the NULs behind it; empty if there is none.
  public let name: Range<Int>
  /// Where the next event begins.
  public let end: Int

  /// Reads the event that `bytes` begin with; nil if it is not whole. inotify(7):
  ///
  /// ```
  /// struct inotify_event {
  ///   int      wd;       watch
  ///   uint32_t mask;     what happened
  ///   uint32_t cookie;   joins the events of one rename
  ///   uint32_t len;      size of name, with its NULs
  ///   char     name[];   ends with one NUL or more, unless len is 0
  /// };                   in the machine's byte order
  /// ```
  ///
  /// `offset` is where `bytes` stand in the buffer that ``name`` and ``end`` count in.
  public init?(parsing bytes: Span<UInt8>, at offset: Int = 0) {
    guard bytes.count >= Self.headerSize else { return nil }
    func word(_ index: Int) -> UInt32 {
      bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
    }
    let length = word(3)
    guard length <= UInt32(clamping: bytes.count - Self.headerSize) else { return nil }
    watch = Int32(bitPattern: word(0))
    mask = InotifyMask(rawValue: word(1))
    cookie = word(2)
    let limit = Self.headerSize + Int(length)
    var last = Self.headerSize
    while last < limit && bytes[last] != 0 { last += 1 }
    name = (offset + Self.headerSize)..<(offset + last)
    end = offset + limit
  }

  static let headerSize = 16
}

/// What to tell of, and what happened: inotify(7).
public struct InotifyMask: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  private init(_ value: Int32) { rawValue = UInt32(bitPattern: value) }

  /// IN_MODIFY: written to, or made shorter.
  public static let modified = InotifyMask(IN_MODIFY)
  /// IN_ATTRIB: mode, owner, times, extended attributes or the number of links changed.
  public static let attributesChanged = InotifyMask(IN_ATTRIB)
  /// IN_CLOSE_WRITE: who could write to it has closed it.
  public static let closedAfterWriting = InotifyMask(IN_CLOSE_WRITE)
  /// IN_MOVED_FROM: renamed; this was the name.
  public static let movedFrom = InotifyMask(IN_MOVED_FROM)
  /// IN_MOVED_TO: renamed; this is the name.
  public static let movedTo = InotifyMask(IN_MOVED_TO)
  /// IN_CREATE: made in the folder, or linked into it.
  public static let created = InotifyMask(IN_CREATE)
  /// IN_DELETE: a name was removed from the folder.
  public static let deleted = InotifyMask(IN_DELETE)
  /// IN_DELETE_SELF: what is watched was removed.
  public static let selfDeleted = InotifyMask(IN_DELETE_SELF)
  /// IN_MOVE_SELF: what is watched has another name now.
  public static let selfMoved = InotifyMask(IN_MOVE_SELF)

  /// IN_ONLYDIR: watch it only if it is a folder.
  public static let onlyFolder = InotifyMask(IN_ONLYDIR)
  /// IN_DONT_FOLLOW: watch a symbolic link itself.
  public static let withoutFollowing = InotifyMask(IN_DONT_FOLLOW)

  /// IN_ISDIR: what happened, happened to a folder.
  public static let isFolder = InotifyMask(IN_ISDIR)
  /// IN_IGNORED: the watch has ended.
  public static let ignored = InotifyMask(IN_IGNORED)
  /// IN_UNMOUNT: the file system is gone.
  public static let unmounted = InotifyMask(IN_UNMOUNT)
  /// IN_Q_OVERFLOW: so much happened that some of it is not told; look for yourself.
  public static let overflow = InotifyMask(IN_Q_OVERFLOW)
}

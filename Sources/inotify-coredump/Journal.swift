import CLinux
import CSystemd
import Linux

/// The journal's entries about core dumps, sd-journal(3): those that stand there and those to come.
struct Journal: ~Copyable {
  /// Where to begin.
  enum Start {
    /// Behind the last entry that is there.
    case end
    case beginning
    /// Behind the entry of this cursor, as ``cursor()`` gave it.
    case after([UInt8])
    /// At this time, microseconds since 1970.
    case time(UInt64)
  }

  private let journal: OpaquePointer
  /// Ready for reading when ``process()`` should be called: sd_journal_get_fd(3).
  let descriptor: Int32
  /// The entry that is current has not been given out by ``next()``.
  private var hasCurrent = false

  /// Opens this machine's journal, or the files of a folder, and goes to `start`.
  ///
  /// Errors: those of sd_journal_open(3) and sd_journal_get_fd(3); ENOENT if there is no journal.
  init(directory: Text?, _ start: Start) throws(SystemError) {
    let place = directory ?? "/var/log/journal"
    if directory == nil && !isFolder("/var/log/journal") && !isFolder("/run/log/journal") {
      throw SystemError("sd_journal_open", errno: ENOENT, place)
    }
    var opened: OpaquePointer?
    let result =
      directory.map { sd_journal_open_directory(&opened, $0.c, 0) }
      ?? sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY))
    try Self.check(result, "sd_journal_open", place)
    guard let opened else { throw SystemError("sd_journal_open", errno: ENOMEM, place) }
    do throws(SystemError) {
      // From here on new files of the journal are noticed, so it comes before everything else.
      let descriptor = try Self.check(sd_journal_get_fd(opened), "sd_journal_get_fd", place)
      try Self.check(
        sd_journal_add_match(opened, Self.match.utf8Start, Self.match.utf8CodeUnitCount),
        "sd_journal_add_match")
      // A dump in the journal itself may have hundreds of megabytes; nobody here needs them.
      try Self.check(
        sd_journal_set_data_threshold(opened, 8192), "sd_journal_set_data_threshold")
      hasCurrent = try Self.go(opened, start)
      journal = opened
      self.descriptor = descriptor
    } catch {
      sd_journal_close(opened)
      throw error
    }
  }

  deinit { sd_journal_close(journal) }

  /// SD_MESSAGE_COREDUMP of sd-messages(3).
  private static let match: StaticString = "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1"

  /// Returns whether the current entry is one to give out.
  private static func go(_ journal: OpaquePointer, _ start: Start) throws(SystemError) -> Bool {
    switch start {
    case .end:
      try check(sd_journal_seek_tail(journal), "sd_journal_seek_tail")
      // On the last entry itself: sd_journal_next(3) after seek_tail alone would give it out, and
      // of several that come at once only the last.
      if try check(sd_journal_previous(journal), "sd_journal_previous") > 0 { return false }
      try check(sd_journal_seek_head(journal), "sd_journal_seek_head")
      return false
    case .beginning:
      try check(sd_journal_seek_head(journal), "sd_journal_seek_head")
      return false
    case .time(let time):
      try check(sd_journal_seek_realtime_usec(journal, time), "sd_journal_seek_realtime_usec")
      return false
    case .after(let cursor):
      let text = cursor.map { CChar(bitPattern: $0) } + [0]
      try check(sd_journal_seek_cursor(journal, text), "sd_journal_seek_cursor")
      // The entry itself or, if that is gone, the one behind it.
      return try check(sd_journal_next(journal), "sd_journal_next") > 0
        && sd_journal_test_cursor(journal, text) == 0
    }
  }

  /// Takes in what ``descriptor`` told: sd_journal_process(3).
  borrowing func process() throws(SystemError) {
    try Self.check(sd_journal_process(journal), "sd_journal_process")
  }

  /// Whether there are any files of a journal, so that entries can be expected.
  var hasFiles: Bool {
    var bytes: UInt64 = 0
    return sd_journal_get_usage(journal, &bytes) >= 0 && bytes > 0
  }

  /// Goes to the next entry; false if there is none yet.
  ///
  /// Errors: those of sd_journal_next(3), such as EBADMSG where a file is damaged.
  mutating func next() throws(SystemError) -> Bool {
    if hasCurrent {
      hasCurrent = false
      return true
    }
    return try Self.check(sd_journal_next(journal), "sd_journal_next") > 0
  }

  /// The value of a field of the current entry, if it has it; long ones may be cut.
  borrowing func withField<Result>(
    _ name: StaticString, _ body: (Span<UInt8>) -> Result
  ) -> Result? {
    var data: UnsafeRawPointer?
    var length = 0
    let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    guard sd_journal_get_data(journal, name, &data, &length) >= 0, let data else { return nil }
    // NAME=value
    let start = strlen(name) + 1
    guard length >= start else { return nil }
    let bytes = UnsafeRawBufferPointer(start: data + start, count: length - start)
    return body(bytes.bindMemory(to: UInt8.self).span)
  }

  /// What finds the current entry again.
  borrowing func cursor() throws(SystemError) -> [UInt8] {
    var text: UnsafeMutablePointer<CChar>?
    try Self.check(sd_journal_get_cursor(journal, &text), "sd_journal_get_cursor")
    defer { free(text) }
    guard let text else { return [] }
    return (0..<strlen(text)).map { UInt8(bitPattern: text[$0]) }
  }

  /// libsystemd returns errors as negative errno.
  @discardableResult
  private static func check(
    _ result: Int32, _ call: StaticString, _ subject: Text = ""
  ) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(call, errno: -result, subject) }
    return result
  }
}

/// Whether a folder is there, also behind a link: stat(2).
func isFolder(_ path: Text) -> Bool {
  var status = stat()
  return stat(path.c, &status) == 0 && status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
}

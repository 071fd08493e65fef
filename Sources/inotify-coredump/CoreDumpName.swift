import Records

/// The name of a dump's file.
///
/// ```
/// core.COMM.UID.BOOTID.PID.TIMESTAMP[.zst|.lz4|.xz]
/// core.Web\x20Content.1000.43908254216b467b81453543fe292e1a.4711.1795228999000000.zst
/// ```
///
/// BOOTID is 32 hexadecimal digits. TIMESTAMP counts microseconds: the kernel's seconds and six
/// zeros. In COMM systemd writes `\`, `.`, `/`, blanks, control characters and what is not ASCII as
/// `\x` and two digits. A kernel that writes the file itself, by a core_pattern of this form,
/// escapes nothing: so the name is read from its end, and COMM may hold dots.
///
/// The names under which systemd writes at first begin with `.#`: they are not dumps.
struct CoreDumpName: Equatable {
  let key: CoreDumpKey
  let uid: UInt32
  let comm: FixedText<40>
  let compression: CoreDump.Compression

  /// nil if it is not the name of a dump.
  init?(parsing name: Span<UInt8>) {
    guard Self.isLikeADump(name) else { return nil }
    var end = name.count
    /// The part behind the last dot; nil if only `core.` is left.
    func part(_ end: inout Int) -> Range<Int>? {
      var start = end
      while start > 5 && name[start - 1] != UInt8(ascii: ".") { start -= 1 }
      guard start > 5 else { return nil }
      defer { end = start - 1 }
      return start..<end
    }

    guard var last = part(&end) else { return nil }
    compression = Self.compression(name.extracting(last))
    if compression != .none {
      guard let next = part(&end) else { return nil }
      last = next
    }
    guard let time = crashTime(parsing: name.extracting(last)),
      let pidPart = part(&end), let pid: UInt32 = decimalValue(name.extracting(pidPart)), pid > 0,
      let bootPart = part(&end), bootPart.count == 32,
      let boot = BootID(parsing: name.extracting(bootPart)),
      let uidPart = part(&end), let uid: UInt32 = decimalValue(name.extracting(uidPart)),
      end >= 5
    else { return nil }
    key = CoreDumpKey(boot: boot, pid: pid, time: time)
    self.uid = uid
    comm = Self.unescaped(name.extracting(5..<end))
  }

  /// Whether it begins with `core.`: then, if it is no dump's name, that is worth a word.
  static func isLikeADump(_ name: Span<UInt8>) -> Bool {
    begins(name, with: "core.") && name.count > 5
  }

  private static func compression(_ ending: Span<UInt8>) -> CoreDump.Compression {
    if equals(ending, "zst") { return .zstandard }
    if equals(ending, "lz4") { return .lz4 }
    if equals(ending, "xz") { return .xz }
    return .none
  }

  /// Turns `\x2e` back into `.`; a backslash that begins nothing of the kind is itself.
  static func unescaped(_ text: Span<UInt8>) -> FixedText<40> {
    var result = FixedText<40>()
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "\\"), index + 3 < text.count,
        text[index + 1] == UInt8(ascii: "x"),
        let high = hexadecimalValue(text[index + 2]), let low = hexadecimalValue(text[index + 3])
      {
        result.append(high << 4 | low)
        index += 4
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }
}

extension CoreDump {
  /// What a name alone tells.
  init(_ name: CoreDumpName) {
    self.init()
    setKey(name.key)
    uid = name.uid
    comm = name.comm
    compression = name.compression
  }

  mutating func setKey(_ key: CoreDumpKey) {
    var text: [UInt8] = []
    key.boot.appendText(to: &text)
    crashBootID = FixedText(text.span)
    pid = key.pid
    crashTimeMicroseconds = key.time
  }
}

func equals(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
  bytes.count == text.utf8CodeUnitCount && begins(bytes, with: text)
}

func begins(_ bytes: Span<UInt8>, with text: StaticString) -> Bool {
  text.withUTF8Buffer {
    guard bytes.count >= $0.count else { return false }
    for index in 0..<$0.count where bytes[index] != $0[index] { return false }
    return true
  }
}

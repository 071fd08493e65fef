/// A line of /proc/self/mountinfo: where its parts stand in the text.
///
/// ```
/// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
///       (3)  (4)   (5)   (6)        (7)        (8)  (9)       (10)
/// ```
///
/// proc_pid_mountinfo(5): (3) major:minor of the device, (4) what of the file system is mounted, (5)
/// where, (6) options of the mount, (7) any number of tags, then a hyphen, (8) type, (9) source, (10)
/// options of the file system. Space, tab, newline, backslash and # are written as `\040`.
struct Mount: Equatable {
  /// Major number in the upper, minor in the lower half.
  let device: UInt64
  let root: Range<Int>
  let point: Range<Int>
  let type: Range<Int>
  let source: Range<Int>
  /// Of the file system: a mount of it may be read-only where the file system is not, as those of
  /// a sandbox are.
  let isReadOnly: Bool

  init(parsing line: Range<Int>, of text: Span<UInt8>) throws(ParseError) {
    var rest = line
    _ = text.nextWord(&rest)
    _ = text.nextWord(&rest)
    guard let device = text.nextWord(&rest).flatMap({ Self.deviceNumber($0, text) }) else {
      throw ParseError("has a line without the number of a device")
    }
    guard let root = text.nextWord(&rest), let point = text.nextWord(&rest),
      text.nextWord(&rest) != nil
    else { throw ParseError("has a line without a mount point") }
    var tag = text.nextWord(&rest)
    while let other = tag, !text.holds(other, "-") { tag = text.nextWord(&rest) }
    guard let type = text.nextWord(&rest), let next = text.nextWord(&rest) else {
      throw ParseError("has a line without a type")
    }
    // A source may be empty: then one column is left, and it is the options.
    let last = text.nextWord(&rest)
    let options = last ?? next
    self.device = device
    self.root = root
    self.point = point
    self.type = type
    source = last == nil ? next.lowerBound..<next.lowerBound : next
    isReadOnly = text.holds(options, "ro") || text.starts(options, with: "ro,")
  }

  private static func deviceNumber(_ word: Range<Int>, _ text: Span<UInt8>) -> UInt64? {
    guard let colon = word.first(where: { text[$0] == UInt8(ascii: ":") }),
      let major = text.number(word.lowerBound..<colon),
      let minor = text.number((colon + 1)..<word.upperBound),
      major <= UInt32.max, minor <= UInt32.max
    else { return nil }
    return major << 32 | minor
  }

  /// The whole file system is mounted here, not a folder of it somewhere else.
  func isWhole(_ text: Span<UInt8>) -> Bool { text.holds(root, "/") }

  /// Shows the bytes of a part one by one, with their escapes decoded.
  @inline(never)
  static func forEachByte(
    of part: Range<Int>, in text: Span<UInt8>, _ body: (UInt8) -> Void
  ) {
    var index = part.lowerBound
    while index < part.upperBound {
      if text[index] == UInt8(ascii: "\\"), index + 3 < part.upperBound,
        let byte = octal(text, index + 1)
      {
        body(byte)
        index += 4
      } else {
        body(text[index])
        index += 1
      }
    }
  }

  private static func octal(_ text: Span<UInt8>, _ index: Int) -> UInt8? {
    var number = 0
    for place in index..<(index + 3) {
      let digit = text[place] &- UInt8(ascii: "0")
      guard digit < 8 else { return nil }
      number = number * 8 + Int(digit)
    }
    return UInt8(exactly: number)
  }
}

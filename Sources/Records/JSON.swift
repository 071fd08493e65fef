/// Writes flat JSON objects into a buffer that is used again and again.
///
/// Whatever bytes come in, valid UTF-8 and valid JSON (RFC 8259) come out. Numbers are written from
/// integers alone, so that every architecture writes the same bytes.
public struct JSON: Sendable {
  /// What was written since ``begin()``.
  public internal(set) var bytes: [UInt8] = []

  public init() {
    bytes.reserveCapacity(2048)
  }

  /// Forgets what was written and opens an object.
  public mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(UInt8(ascii: "{"))
  }

  public mutating func end() {
    bytes.append(UInt8(ascii: "}"))
  }

  /// A key and its value, which takes at most `room` bytes. A key is a name of our own making, which
  /// needs no escapes; before a suffix a hyphen, as in a program's name, becomes `_`.
  @inline(__always)
  private mutating func member(
    _ name: StaticString, _ suffix: StaticString, room: Int, _ value: (inout BytePlace) -> Void
  ) {
    let isFirst = bytes.last == UInt8(ascii: "{")
    bytes.extend(name.utf8CodeUnitCount + suffix.utf8CodeUnitCount + 4 + room) { place in
      var place = place
      place.put(key: name, suffix, isFirst: isFirst)
      value(&place)
      return place
    }
  }

  public mutating func member(_ name: StaticString, suffix: StaticString = "", _ value: Bool) {
    member(name, suffix, room: 5) { $0.put(value) }
  }

  /// A text of our own making.
  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", _ value: StaticString
  ) {
    value.withUTF8Buffer { member(name, suffix: suffix, text: $0.span) }
  }

  /// A text from outside: any bytes.
  @inline(never)
  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", text: Span<UInt8>
  ) {
    member(name, suffix, room: 6 * text.count + 2) { $0.put(jsonText: text) }
  }

  /// A text that was cut has a second key with `_cut` behind its name.
  @inline(never)
  public mutating func member<let capacity: Int>(
    _ name: StaticString, suffix: StaticString = "", cutSuffix: StaticString = "_cut",
    text: FixedText<capacity>
  ) {
    member(name, suffix: suffix, text: text.bytes.span.extracting(first: text.count))
    if text.isCut { member(name, suffix: cutSuffix, true) }
  }

  public mutating func member(_ name: StaticString, _ value: Int64, decimals: Int = 0) {
    member(name, "", room: BytePlace.roomForNumber) { $0.put(value, decimals: decimals) }
  }

  @inline(never)
  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", _ value: UInt64, decimals: Int = 0
  ) {
    member(name, suffix, room: BytePlace.roomForNumber) { $0.put(value, decimals: decimals) }
  }
}

extension BytePlace {
  @inline(never)
  fileprivate mutating func put(key name: StaticString, _ suffix: StaticString, isFirst: Bool) {
    if !isFirst { put(UInt8(ascii: ",")) }
    put(UInt8(ascii: "\""))
    let start = self
    put(name)
    if suffix.utf8CodeUnitCount > 0 {
      for index in 0..<name.utf8CodeUnitCount where start[index] == UInt8(ascii: "-") {
        start[index] = UInt8(ascii: "_")
      }
      put(suffix)
    }
    put("\":")
  }
}

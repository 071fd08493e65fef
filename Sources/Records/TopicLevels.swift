/// The part of a topic that names one thing of many: `/eth0`, `/disk/mmcblk0`.
///
/// Names come from outside and may hold any byte. A level never contains what MQTT 5 gives a meaning
/// (4.7: `/`, `+`, `#`) or forbids (1.5.4: NUL and bytes that are not UTF-8), nor what it advises
/// against and brokers refuse (control characters and noncharacters): each such byte becomes `_`, and
/// so does an empty name.
public struct TopicLevels: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {
    bytes.reserveCapacity(256)
  }

  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// Puts these levels before those that are appended.
  public mutating func begin(with prefix: [UInt8]) {
    removeAll()
    bytes += prefix
  }

  /// A NUL behind the levels, as C wants it.
  public mutating func terminate() { bytes.append(0) }

  /// A word of our own making.
  public mutating func append(_ name: StaticString) {
    append(word: name.utf8Start, name.utf8CodeUnitCount)
  }

  mutating func append(word: UnsafePointer<UInt8>, _ count: Int) {
    bytes.extend(count + 1) { place in
      var place = place
      place.put(UInt8(ascii: "/"))
      place.put(word, count)
      return place
    }
  }

  /// A name from outside.
  @inline(never)
  public mutating func append(_ name: Span<UInt8>) {
    bytes.extend(name.count + 2) { place in
      var place = place
      place.put(UInt8(ascii: "/"))
      if name.isEmpty { place.put(UInt8(ascii: "_")) }
      var index = 0
      while index < name.count {
        let length = name.topicCharacterLength(at: index)
        if length == 0 { place.put(UInt8(ascii: "_")) }
        for offset in 0..<length { place.put(name[index + offset]) }
        index += max(length, 1)
      }
      return place
    }
  }

  /// Each part of a path is a level, so that `cgroup/+/system.slice/#` is everything below that slice.
  mutating func append(path: Span<UInt8>) {
    var start = 0
    for index in 0...path.count where index == path.count || path[index] == UInt8(ascii: "/") {
      if index > start { append(path.extracting(start..<index)) }
      start = index + 1
    }
  }

  /// A number, such as a process id.
  public mutating func append(number: UInt32) {
    bytes.extend(1 + BytePlace.roomForNumber) { place in
      var place = place
      place.put(UInt8(ascii: "/"))
      place.put(UInt64(number))
      return place
    }
  }
}

extension Span<UInt8> {
  /// The length of the UTF-8 character at `index` if a level of a topic may hold it, or else 0.
  public func topicCharacterLength(at index: Int) -> Int {
    let length = validUTF8SequenceLength(at: index)
    let first = self[index]
    switch length {
    case 1:
      switch first {
      case UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "#"), 0..<0x20, 0x7F: return 0
      default: return 1
      }
    // U+0080 to U+009F.
    case 2: return first == 0xC2 && self[index + 1] < 0xA0 ? 0 : 2
    case 3:
      let rest = UInt16(self[index + 1]) << 8 | UInt16(self[index + 2])
      // U+FDD0 to U+FDEF, U+FFFE and U+FFFF.
      return first == 0xEF && (0xB790...0xB7AF ~= rest || rest >= 0xBFBE) ? 0 : 3
    // U+1FFFE, U+1FFFF, U+2FFFE and so on.
    case 4:
      let isLastOfPlane = self[index + 1] & 15 == 15 && self[index + 2] == 0xBF
      return isLastOfPlane && self[index + 3] >= 0xBE ? 0 : 4
    default: return 0
    }
  }
}

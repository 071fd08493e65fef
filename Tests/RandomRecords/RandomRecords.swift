import Records
import TestSupport

/// Records of all kinds with a well-formed header and a body of whatever bytes.
struct RandomRecords {
  private var random: SeededNumbers
  /// How long the body of each kind is at least.
  private var lengths: [(kind: UInt16, length: Int)] = []

  init(seed: UInt64) {
    random = SeededNumbers(seed: seed)
    for kind in RecordKind.allCases {
      let empty = Self.header(kind.rawValue, bodyLength: 0, numbers: [0, 0, 0, 0, 0])
      do throws(RecordError) {
        _ = try Record(decoding: empty, count: empty.count)
        lengths.append((kind: kind.rawValue, length: 0))
      } catch {
        guard case .truncated(let needed, _) = error else { continue }
        lengths.append((kind: kind.rawValue, length: needed))
      }
    }
  }

  mutating func next() -> [UInt8] {
    let (kind, length) = lengths[below(lengths.count)]
    let most = RecordHeader.maximumRecordSize - RecordHeader.encodedSize - length
    let extra = below(4) == 0 ? below(most + 1) : 0
    var record = Self.header(
      kind, bodyLength: length + extra, numbers: [number(), number(), number(), number(), number()])
    let end = record.count + length + extra
    switch below(4) {
    case 0: while record.count < end { record.append(UInt8(truncatingIfNeeded: random.next())) }
    case 1: while record.count < end { record += piece() }
    case 2: while record.count < end { record += below(3) == 0 ? piece() : [0] }
    default:
      let byte = UInt8(truncatingIfNeeded: random.next())
      while record.count < end { record.append(below(30) == 0 ? UInt8(below(256)) : byte) }
    }
    return [UInt8](record[..<end])
  }

  mutating func envelope() -> Envelope {
    Envelope(
      bootID: [UInt8](repeating: UInt8(ascii: "b"), count: 36),
      clock: ClockReading(
        bootTimeNanoseconds: number(), realTimeNanoseconds: Int64(bitPattern: number()),
        synchronized: below(2) == 0))
  }

  /// Numbers where something may overflow more often than elsewhere.
  private mutating func number() -> UInt64 {
    switch below(4) {
    case 0: UInt64(below(3))
    case 1: 0 &- UInt64(below(3))
    case 2: 1 << 63 &- UInt64(below(3))
    default: random.next()
    }
  }

  private mutating func piece() -> [UInt8] { Self.pieces[below(Self.pieces.count)] }

  private mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: (random.next() >> 33) % UInt64(bound))
  }

  /// What JSON, UTF-8, MQTT and terminals treat specially, whole and broken.
  private static let pieces: [[UInt8]] = [
    [0x00], [0x01], [0x09], [0x0A], [0x0D], [0x1B], [0x1F], [0x20], [0x7F],
    [0x22], [0x5C], [0x5C, 0x22], [0x5C, 0x75, 0x64, 0x38, 0x30, 0x30], [0x2F], [0x2F, 0x2F],
    [0x2B], [0x23], [0x24], [0x2E, 0x2E, 0x2F], [0x61], [0x41], [0x7B], [0x7D], [0x2C], [0x3A],
    // C1 controls, the last of two bytes, the line separator.
    [0xC2, 0x80], [0xC2, 0x9F], [0xC3, 0xA4], [0xDF, 0xBF], [0xE2, 0x80, 0xA8],
    // Around the surrogates, the surrogates, noncharacters, the last character and what is beyond.
    [0xED, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEE, 0x80, 0x80],
    [0xEF, 0xB7, 0x90], [0xEF, 0xBF, 0xBD], [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF],
    [0xF0, 0x9F, 0xBF, 0xBF], [0xF0, 0x9F, 0x90, 0x9F], [0xF4, 0x8F, 0xBF, 0xBF],
    [0xF4, 0x90, 0x80, 0x80],
    // Overlong, cut and never begun.
    [0xC0, 0x80], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xF0, 0x80, 0x80, 0xAF], [0xC2], [0xE2, 0x80],
    [0xF0, 0x9F, 0x90], [0x80], [0xBF], [0xFE], [0xFF],
  ]

  private static func header(_ kind: UInt16, bodyLength: Int, numbers: [UInt64]) -> [UInt8] {
    var bytes: [UInt8] = []
    append(UInt64(RecordHeader.magic), 4, to: &bytes)
    append(UInt64(RecordHeader.formatVersion), 2, to: &bytes)
    append(UInt64(RecordHeader.encodedSize), 2, to: &bytes)
    append(UInt64(kind), 2, to: &bytes)
    append(UInt64(bodyLength), 2, to: &bytes)
    append(numbers[0], 4, to: &bytes)
    for number in numbers { append(number, 8, to: &bytes) }
    return bytes
  }

  private static func append(_ number: UInt64, _ width: UInt64, to bytes: inout [UInt8]) {
    for index in 0..<width { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }
}

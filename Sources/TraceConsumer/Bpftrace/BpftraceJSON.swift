import Bpftrace

/// A value of bpftrace's JSON, which is not quite JSON: bytes beyond ASCII are written as
/// `\uffffffc3`, and an object may have the same name twice.
indirect enum BpftraceJSON: Equatable {
  case integer(Int64)
  case text([UInt8])
  case array([BpftraceJSON])
  case object([(name: [UInt8], value: BpftraceJSON)])
  case other

  static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left == right
    case (.text(let left), .text(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left.elementsEqual(right) { $0 == $1 }
    case (.other, .other): true
    default: false
    }
  }

  /// Nil for what is not one whole value.
  init?(parsing line: [UInt8]) {
    var reader = BpftraceJSONReader(line)
    guard let value = Self.value(&reader, depth: 0), reader.next == nil else { return nil }
    self = value
  }

  subscript(name: StaticString) -> BpftraceJSON? {
    guard case .object(let members) = self else { return nil }
    return name.withUTF8Buffer { name in members.first { $0.name.elementsEqual(name) }?.value }
  }

  var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }
  var text: String? {
    if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
  var members: [(name: [UInt8], value: BpftraceJSON)]? {
    if case .object(let members) = self { members } else { nil }
  }
  var elements: [BpftraceJSON]? {
    if case .array(let elements) = self { elements } else { nil }
  }
}

extension BpftraceJSON {
  private static func value(_ reader: inout BpftraceJSONReader, depth: Int) -> BpftraceJSON? {
    guard depth < 16, let next = reader.next else { return nil }
    switch next {
    case UInt8(ascii: "{"): return object(&reader, depth: depth + 1)
    case UInt8(ascii: "["): return array(&reader, depth: depth + 1)
    case UInt8(ascii: "\""): return reader.text().map { .text($0) }
    default:
      var number = reader
      if let integer = number.integer() {
        reader = number
        return .integer(integer)
      }
      return reader.value() == nil ? nil : .other
    }
  }

  private static func object(_ reader: inout BpftraceJSONReader, depth: Int) -> BpftraceJSON? {
    var members: [(name: [UInt8], value: BpftraceJSON)] = []
    guard reader.take(UInt8(ascii: "{")) else { return nil }
    if reader.take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      guard let name = reader.name(), let value = value(&reader, depth: depth) else { return nil }
      members.append((name, value))
    } while reader.take(UInt8(ascii: ","))
    return reader.take(UInt8(ascii: "}")) ? .object(members) : nil
  }

  private static func array(_ reader: inout BpftraceJSONReader, depth: Int) -> BpftraceJSON? {
    var elements: [BpftraceJSON] = []
    guard reader.take(UInt8(ascii: "[")) else { return nil }
    if reader.take(UInt8(ascii: "]")) { return .array(elements) }
    repeat {
      guard let value = value(&reader, depth: depth) else { return nil }
      elements.append(value)
    } while reader.take(UInt8(ascii: ","))
    return reader.take(UInt8(ascii: "]")) ? .array(elements) : nil
  }
}

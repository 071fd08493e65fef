/// A step on the way through a body's ``RecordBody/topic``.
///
/// A topic is written as its levels, `/` between them: a word as it is, `{field}` for the value of a
/// field, `{field/}` for one that is a path, each part of which is a level. Behind `|` stands what it
/// is where that path is empty: `cgroup/{resource}/{cgroup/}|{resource}`.
enum TopicPart {
  case word(UnsafePointer<UInt8>, count: Int)
  case value(field: Int)
  case path(field: Int)
  /// Where the text is empty so many parts are passed over.
  case unlessEmpty(field: Int, passOver: Int)
  case end
}

extension [TopicPart] {
  /// Appends the steps of a topic over the fields in `range`; a field that is not there is left out, and
  /// a test sees to it that there is none.
  mutating func append(_ topic: StaticString, _ fields: [FieldEntry], _ range: Range<Int>) {
    let bytes = UnsafeBufferPointer(start: topic.utf8Start, count: topic.utf8CodeUnitCount)
    let start = count
    var level = 0
    while level < bytes.count {
      var end = level
      while end < bytes.count && bytes[end] != UInt8(ascii: "|")
        && (bytes[end] != UInt8(ascii: "/") || end + 1 < bytes.count && bytes[end + 1] == 0x7D)
      {
        end += 1
      }
      if bytes[level] == UInt8(ascii: "{") {
        let isPath = bytes[end - 2] == UInt8(ascii: "/")
        let name = UnsafeBufferPointer(rebasing: bytes[(level + 1)..<(end - (isPath ? 2 : 1))])
        if let field = range.first(where: { fields[$0].isNamed(name.span) }) {
          append(isPath ? .path(field: field) : .value(field: field))
        }
      } else {
        append(.word(bytes.baseAddress! + level, count: end - level))
      }
      if end < bytes.count && bytes[end] == UInt8(ascii: "|"), case .path(let field)? = last {
        append(.end)
        insert(.unlessEmpty(field: field, passOver: count - start), at: start)
      }
      level = end + 1
    }
  }
}

extension Record {
  /// Adds the topic's levels behind the program's name.
  public func appendTopic(to topic: inout TopicLevels) {
    let tables = FieldTables.all
    let range = tables.topicRange(tables.place(of: kind))
    let body = bytes.span.extracting(Int(header.headerLength)...)
    var index = range.lowerBound
    while index < range.upperBound {
      switch tables.topicParts[index] {
      case .word(let start, let count): topic.append(word: start, count)
      case .value(let field):
        switch tables.value(of: tables.fields[field], in: body) {
        case .absent: topic.append(Span())
        case .number(let magnitude, _): topic.append(number: UInt32(truncatingIfNeeded: magnitude))
        case .boolean(let value): topic.append(value ? "true" : "false")
        case .word(let word): topic.append(word)
        case .text(let range, _): topic.append(body.extracting(range))
        }
      case .path(let field):
        if case .text(let range, _) = tables.value(of: tables.fields[field], in: body) {
          topic.append(path: body.extracting(range))
        }
      case .unlessEmpty(let field, let passOver):
        if case .text(let range, _) = tables.value(of: tables.fields[field], in: body),
          range.isEmpty
        {
          index += passOver
        }
      case .end: return
      }
      index += 1
    }
  }
}

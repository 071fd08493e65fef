extension BytePlace {
  /// The record as a point of InfluxDB's line protocol, without the newline:
  ///
  /// `<kind>,device=<id>,program=<program>[,<identity>=<value>…] <field>=<value>[,…] <nanoseconds>`
  ///
  /// The fields of nature identity are tags, in their order; an empty text is none. One that is called
  /// `device` or `program` has its kind's name before it, `disk_device`: a tag stands once. All others are
  /// fields: integers with `i`, those with decimals as in JSON, words and texts in quotes. Then the envelope:
  /// boot_id, instance, seq, dropped, clock_synced. The time is that of the JSON, in whole microseconds, so
  /// that whichever way a record takes, it is the same point. `tags` is what stands between kind and
  /// identities, see ``init(tagsOf:program:)``.
  mutating func put(
    line kind: RecordKind, _ header: RecordHeader, _ bytes: Span<UInt8>, _ tables: FieldTables,
    _ envelope: Envelope, tags: Span<UInt8>
  ) {
    put(kind.name)
    for index in tags.indices { put(tags[index]) }
    let body = bytes.extracting(Int(header.headerLength)...)
    let range = tables.fieldRange(tables.place(of: kind))
    for index in range where tables.fields[index].isIdentity {
      let field = tables.fields[index]
      put(tag: field, tables.value(of: field, in: body), kind, body)
    }
    put(UInt8(ascii: " "))
    for index in range {
      let field = tables.fields[index]
      if case .buckets = field.form {
        put(lineBuckets: field, in: body)
      } else {
        put(lineField: field, tables.value(of: field, in: body), body)
      }
    }
    put("boot_id=")
    put(lineText: envelope.bootID.span)
    put(",instance=")
    put(lineInteger: header.instance)
    put(",seq=")
    put(lineInteger: header.sequence)
    put(",dropped=")
    put(lineInteger: header.dropped)
    put(",clock_synced=")
    put(envelope.clock.synchronized)
    put(UInt8(ascii: " "))
    put(envelope.clock.time(of: header) / 1000 * 1000)
  }

  private mutating func put(
    tag field: FieldEntry, _ value: FieldValue, _ kind: RecordKind, _ body: Span<UInt8>
  ) {
    switch value {
    case .absent: return
    case .text(let range, _) where range.isEmpty: return
    case .text, .number, .boolean, .word: break
    }
    put(UInt8(ascii: ","))
    if field.isNamed("device") || field.isNamed("program") {
      put(kind.name)
      put(UInt8(ascii: "_"))
    }
    put(field.nameStart, Int(field.nameLength))
    put(UInt8(ascii: "="))
    switch value {
    case .absent: break
    case .number(let magnitude, let isNegative):
      put(magnitude: magnitude, isNegative: isNegative, field)
    case .boolean(let value): put(value)
    case .word(let word): put(word)
    case .text(let range, _): put(tagText: body.extracting(range))
    }
  }

  /// A text that was cut has a second field with `_cut` behind its name, also where it is a tag.
  @inline(__always)
  private mutating func put(
    lineField field: FieldEntry, _ value: FieldValue, _ body: Span<UInt8>
  ) {
    if field.isIdentity {
      if case .text(_, true) = value { put(lineKey: field, "_cut=true,") }
      return
    }
    switch value {
    case .absent: return
    case .number(let magnitude, let isNegative):
      put(lineKey: field)
      if field.decimals > 0 {
        put(magnitude: magnitude, isNegative: isNegative, field)
      } else {
        if isNegative { put(UInt8(ascii: "-")) }
        put(lineInteger: magnitude)
      }
    case .boolean(let value):
      put(lineKey: field)
      put(value)
    case .word(let word):
      put(lineKey: field)
      put(UInt8(ascii: "\""))
      put(word)
      put(UInt8(ascii: "\""))
    case .text(let range, let isCut):
      put(lineKey: field)
      put(lineText: body.extracting(range))
      if isCut {
        put(UInt8(ascii: ","))
        put(lineKey: field, "_cut=true")
      }
    }
    put(UInt8(ascii: ","))
  }

  private mutating func put(lineKey field: FieldEntry, _ end: StaticString = "=") {
    put(field.nameStart, Int(field.nameLength))
    put(end)
  }

  /// InfluxDB's integers have a sign: what is beyond its largest is its largest.
  mutating func put(lineInteger value: UInt64) {
    put(min(value, UInt64(Int64.max)))
    put(UInt8(ascii: "i"))
  }

  /// In quotes. A newline is `\n`: InfluxDB takes one within quotes, but VictoriaMetrics loses the line.
  private mutating func put(lineText text: Span<UInt8>) {
    put(UInt8(ascii: "\""))
    var index = 0
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        put(UInt8(ascii: "\\"))
        put(text[index])
        index += 1
      case UInt8(ascii: "\n"):
        put("\\n")
        index += 1
      default: index += put(character: text, at: index)
      }
    }
    put(UInt8(ascii: "\""))
  }

  /// The value of a tag. A backslash escapes what stands behind it and cannot be escaped itself: where it
  /// would stand before an escape or the end of the tag it becomes `_`. A newline becomes a space.
  mutating func put(tagText text: Span<UInt8>) {
    var index = 0
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: " "):
        put(UInt8(ascii: "\\"))
        put(text[index])
        index += 1
      case UInt8(ascii: "\n"):
        put("\\ ")
        index += 1
      case UInt8(ascii: "\\"):
        index += 1
        let isBeforeEscape =
          index == text.count || text[index] == UInt8(ascii: ",")
          || text[index] == UInt8(ascii: "=")
          || text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\n")
        put(isBeforeEscape ? UInt8(ascii: "_") : UInt8(ascii: "\\"))
      default: index += put(character: text, at: index)
      }
    }
  }
}

extension FieldEntry {
  fileprivate func isNamed(_ name: StaticString) -> Bool {
    name.withUTF8Buffer { isNamed($0.span) }
  }
}

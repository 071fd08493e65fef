extension BytePlace {
  /// The record as it is published: one flat object, the envelope first.
  ///
  /// | key | meaning |
  /// |---|---|
  /// | v | version of the payload |
  /// | kind | what the record is about |
  /// | time | Unix time in seconds, see ``ClockReading/time(of:)`` |
  /// | boot_id, instance, seq | identify the record: drop what comes twice, name what is missing |
  /// | dropped | records that found the queue full in this instance, up to this one |
  /// | clock_synced | whether NTP or another source has set the clock that `time` goes by |
  /// | topic | only in a batch: the levels of the topic that it would have alone, behind the program |
  mutating func put(
    json kind: RecordKind, _ header: RecordHeader, _ bytes: Span<UInt8>, _ tables: FieldTables,
    _ envelope: Envelope, topic: Span<UInt8>
  ) {
    put(jsonEnvelope: kind.name, header, envelope)
    if !topic.isEmpty {
      put(",\"topic\":")
      put(jsonText: topic)
    }
    let body = bytes.extracting(Int(header.headerLength)...)
    for index in tables.fieldRange(tables.place(of: kind)) {
      let field = tables.fields[index]
      if case .buckets = field.form {
        put(jsonBuckets: field, in: body)
      } else {
        put(jsonMember: field, tables.value(of: field, in: body), body)
      }
    }
    put(UInt8(ascii: "}"))
  }

  /// What all records begin with, and the brace before it.
  fileprivate mutating func put(
    jsonEnvelope kind: StaticString, _ header: RecordHeader, _ envelope: Envelope
  ) {
    put("{\"v\":1,\"kind\":\"")
    put(kind)
    put("\",\"time\":")
    put(envelope.clock.time(of: header) / 1000, decimals: 6)
    put(",\"boot_id\":")
    put(jsonText: envelope.bootID.span)
    put(",\"instance\":")
    put(header.instance)
    put(",\"seq\":")
    put(header.sequence)
    put(",\"dropped\":")
    put(header.dropped)
    put(",\"clock_synced\":")
    put(envelope.clock.synchronized)
  }

  /// What is absent has no key; a text that was cut has a second one with `_cut` behind its name.
  @inline(__always)
  fileprivate mutating func put(
    jsonMember field: FieldEntry, _ value: FieldValue, _ body: Span<UInt8>
  ) {
    switch value {
    case .absent: break
    case .number(let magnitude, let isNegative):
      put(jsonKey: field)
      put(magnitude: magnitude, isNegative: isNegative, field)
    case .boolean(let value):
      put(jsonKey: field)
      put(value)
    case .word(let word):
      put(jsonKey: field)
      put(UInt8(ascii: "\""))
      put(word)
      put(UInt8(ascii: "\""))
    case .text(let range, let isCut):
      put(jsonKey: field)
      put(jsonText: body.extracting(range))
      if isCut { put(jsonKey: field, "_cut\":true") }
    }
  }

  private mutating func put(jsonKey field: FieldEntry, _ end: StaticString = "\":") {
    put(",\"")
    put(field.nameStart, Int(field.nameLength))
    put(end)
  }
}

/// Writes the fields of a body whose type is known: a program with a few kinds needs no tables.
struct FieldsAsJSON: FieldVisitor {
  private let record: [UInt8]
  private let bodyStart: Int
  private var offset = 0
  private var json: [UInt8]

  /// Begins the object in the buffer, which it has until ``end()``. Out of line, as that, since the code for
  /// each kind has it: 350 bytes for each of 17 in cyclic-file-read.
  @inline(never)
  init(
    _ kind: StaticString, _ header: RecordHeader, _ record: [UInt8], _ envelope: Envelope,
    _ buffer: consuming [UInt8]
  ) {
    self.record = record
    bodyStart = Int(header.headerLength)
    json = buffer
    json.removeAll(keepingCapacity: true)
    json.extend(320 + 6 * envelope.bootID.count) { place in
      var place = place
      place.put(jsonEnvelope: kind, header, envelope)
      return place
    }
  }

  /// The object, now that all fields were visited.
  @inline(never)
  consuming func end() -> [UInt8] {
    json.append(UInt8(ascii: "}"))
    return json
  }

  /// What most fields are, without an argument that each of them would pass: 3 KB of cyclic-file-read.
  @inline(never)
  private mutating func put(_ name: StaticString, _ shape: FieldEntry.Shape) {
    put(name, shape, "")
  }

  @inline(never)
  private mutating func put(_ name: StaticString, _ shape: FieldEntry.Shape, _ word: StaticString) {
    let field = FieldEntry(name, shape, offset: offset)
    offset += field.width
    let record = record
    json.extend(field.room) { place in
      var place = place
      let body = record.span.extracting(bodyStart...)
      place.put(jsonMember: field, field.value(in: body) { _ in word }, body)
      return place
    }
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    put(field.name, FieldEntry.Shape(T.self, field))
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    put(field.name, FieldEntry.Shape(T.self, field))
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    put(field.name, FieldEntry.Shape(T.self, field, isOptional: true))
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) {
    put(field.name, FieldEntry.Shape(.boolean, field, size: 1))
  }
  @inline(__always)
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    put(field.name, FieldEntry.Shape(.boolean, field, size: 1, isOptional: true))
  }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    let word = (T(rawValue: record[bodyStart + offset]) ?? .unknown).name
    put(field.name, FieldEntry.Shape(.word, field, size: 1), word)
  }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    put(field.name, FieldEntry.Shape(.text, field, size: capacity))
  }
  mutating func buckets(_ field: Field, _ value: inout Buckets) {
    let shape = FieldEntry.Shape(.buckets, field, size: Buckets.bytesOnWire)
    let entry = FieldEntry(field.name, shape, offset: offset)
    offset += entry.width
    let record = record
    json.extend(entry.room) { place in
      var place = place
      place.put(jsonBuckets: entry, in: record.span.extracting(bodyStart...))
      return place
    }
  }
}

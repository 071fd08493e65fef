/// What the JSON of every record of this machine begins with.
public struct Envelope: Sendable {
  /// /proc/sys/kernel/random/boot_id: tells the sequences of one boot from those of another.
  public let bootID: [UInt8]
  /// The clock by which the time of a record is told; read it once for a batch.
  public var clock: ClockReading

  public init(bootID: [UInt8], clock: ClockReading) {
    self.bootID = bootID
    self.clock = clock
  }
}

extension JSON {
  /// The version of the payload: it changes when a key changes its meaning.
  public static let payloadVersion: UInt64 = 1

  /// Writes the record as it is published: one flat object, the envelope first.
  ///
  /// | key | meaning |
  /// |---|---|
  /// | v | version of the payload |
  /// | kind | what the record is about |
  /// | time | Unix time in seconds, see ``ClockReading/time(of:)`` |
  /// | boot_id, instance, seq | identify the record: drop what comes twice, name what is missing |
  /// | dropped | records that found the queue full in this instance, up to this one |
  /// | clock_synced | whether NTP or another source has set the clock that `time` goes by |
  public mutating func write(_ record: Record, _ envelope: Envelope) {
    begin(record.kind, record.header, envelope)
    var writing = FieldWriting(fields: FieldsAsJSON(record.bytes, record.header, take()))
    record.kind.withBody(&writing)
    self = writing.fields.json
  }

  /// The same for a program that knows which body it has: it needs no code for all the others.
  public mutating func write<Body: RecordBody>(
    _ type: Body.Type, _ bytes: [UInt8], _ header: RecordHeader, _ envelope: Envelope
  ) {
    begin(Body.kind, header, envelope)
    var writing = FieldWriting(fields: FieldsAsJSON(bytes, header, take()))
    writing.use(Body.self)
    self = writing.fields.json
  }

  /// Gives the buffer away: two owners of it would each have a copy.
  private mutating func take() -> JSON {
    let json = self
    self = JSON(empty: ())
    return json
  }

  private mutating func begin(_ kind: RecordKind, _ header: RecordHeader, _ envelope: Envelope) {
    begin()
    member("v", Self.payloadVersion)
    member("kind", kind.name)
    member("time", envelope.clock.time(of: header) / 1000, decimals: 6)
    member("boot_id", text: envelope.bootID.span)
    member("instance", header.instance)
    member("seq", header.sequence)
    member("dropped", header.dropped)
    member("clock_synced", envelope.clock.synchronized)
  }
}

private struct FieldWriting: BodyUse {
  var fields: FieldsAsJSON

  mutating func use<Body: RecordBody>(_ type: Body.Type) {
    // Only its list of fields is wanted, none of its values.
    var body = Body()
    body.visit(&fields)
    // Here, while nobody else holds the buffer.
    fields.json.end()
  }
}

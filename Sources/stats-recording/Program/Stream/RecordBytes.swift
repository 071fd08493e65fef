import Records

/// The payload of `--payload record`: records' own bytes, one after the other.
///
/// What the bytes do not tell is the same for all of them and stands in the message's user properties:
/// `boot_id`, `time_offset_ns`, `clock_synced`.
enum RecordBytes {
  static let magic = Array("SREC".utf8)

  static func records(
    _ message: Message, _ topic: RecordTopic
  ) throws(UnreadablePayload) -> [PublishedRecord] {
    let envelope = try envelope(message.userProperties)
    var (records, json, rest) = ([PublishedRecord](), JSON(), message.payload[...])
    while !rest.isEmpty {
      let bytes = Array(rest.prefix(length(rest)))
      do throws(RecordError) {
        let record = try Records.Record(decoding: bytes, count: bytes.count)
        json.write(record, envelope)
        var levels = TopicLevels()
        record.appendTopic(to: &levels)
        let place = String(decoding: levels.bytes.dropFirst(), as: UTF8.self)
        guard let members = (try? JSONValue(parsing: json.bytes))?.members,
          let published = PublishedRecord(members, topic: topic.with(place: place))
        else { throw RecordError.notARecord }
        records.append(published)
      } catch {
        throw UnreadablePayload(
          "no record at byte \(message.payload.count - rest.count): \(error); is this tool older?")
      }
      rest = rest.dropFirst(bytes.count)
    }
    return records
  }

  /// As the record's header says; what is no record is looked at as a whole, and refused.
  private static func length(_ rest: ArraySlice<UInt8>) -> Int {
    guard rest.count >= RecordHeader.encodedSize else { return rest.count }
    func number(_ offset: Int) -> Int {
      Int(rest[rest.startIndex + offset]) | Int(rest[rest.startIndex + offset + 1]) << 8
    }
    return max(RecordHeader.encodedSize, number(6) + number(10))
  }

  private static func envelope(
    _ properties: [String: String]
  ) throws(UnreadablePayload) -> Envelope {
    guard let boot = properties["boot_id"],
      let offset = properties["time_offset_ns"].flatMap(Int64.init)
    else {
      throw UnreadablePayload(
        "records without the user properties boot_id and time_offset_ns: did a broker of MQTT 3.1.1 pass them on?"
      )
    }
    // Only what the two clocks differ by is asked for.
    return Envelope(
      bootID: Array(boot.utf8),
      clock: ClockReading(
        bootTimeNanoseconds: 0, realTimeNanoseconds: offset,
        synchronized: properties["clock_synced"] == "true"))
  }
}

import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

struct CSVLayoutTests {
  private static let envelope =
    #""v":1,"kind":"core_dump","time":1795644575.5,"boot_id":"b","instance":7,"seq":1,"dropped":0,"clock_synced":true"#

  private func arrival(
    _ payload: String, topic: String = "stats/pi/inotify-coredump/dump/sh"
  ) throws -> Arrival {
    var clock = ArrivalClock()
    return try #require(
      Arrival.arrivals(
        stats_recording.Message(topic: topic, payload: Array(payload.utf8)), prefix: "stats",
        clock: &clock
      ).first)
  }

  /// Through a row of text and back.
  private func roundTrip(_ arrival: Arrival) throws -> (cells: [String: CSVCell], payload: String) {
    let layout = CSVLayout(kind: arrival.message.source.kind)
    var rows = CSVRows()
    rows.append(layout.header + layout.row(arrival))
    let (first, second, third) = (rows.next(), rows.next(), rows.next())
    let header = try CSVRows.cells(#require(first))
    let cells = try CSVRows.cells(#require(second))
    #expect(third == nil)
    #expect(rows.remainder == 0)
    let message = try CSVLayout(header: header).message(cells)
    #expect(message.source == arrival.message.source)
    #expect(message.received == arrival.message.received)
    #expect(message.time == arrival.message.time)
    return (
      Dictionary(uniqueKeysWithValues: zip(header.map(\.text), cells)),
      String(decoding: message.payload, as: UTF8.self)
    )
  }

  @Test func whatIsAbsentIsAnEmptyCellAndAnEmptyTextIsNot() throws {
    let payload = "{\(Self.envelope),\"comm\":\"sh\",\"pid\":5,\"truncated\":false,\"exe\":\"\"}"
    let (cells, back) = try roundTrip(arrival(payload))
    #expect(back == payload)
    #expect(cells["uid"] == .absent)
    #expect(cells["exe"] == CSVCell(bytes: [], isQuoted: true))
    #expect(cells["pid"]?.text == "5")
    #expect(cells["truncated"]?.text == "false")
    #expect(cells["more"]?.isAbsent == true)
    #expect(cells["topic_place"]?.text == "dump/sh")
  }

  @Test func aFieldOfALaterVersionGoesIntoMore() throws {
    let payload = "{\(Self.envelope),\"comm\":\"sh\",\"nice\":[1,null],\"colour\":\"red\"}"
    let (cells, back) = try roundTrip(arrival(payload))
    #expect(back == payload)
    #expect(cells["more"]?.text == #"{"nice":[1,null],"colour":"red"}"#)
  }

  @Test func aKindOfALaterVersionHasItsEnvelopeInColumns() throws {
    let payload = "{\(Self.envelope),\"x\":1}".replacing("core_dump", with: "weather")
    let (cells, back) = try roundTrip(arrival(payload))
    #expect(back == payload)
    #expect(cells["kind"]?.text == "weather")
    #expect(cells["more"]?.text == #"{"x":1}"#)
  }

  @Test func aTextThatWasCutSaysSoBesideIt() throws {
    let payload = "{\(Self.envelope),\"exe\":\"/x\",\"exe_cut\":true,\"command_line\":\"\"}"
    let (cells, back) = try roundTrip(arrival(payload))
    #expect(back == payload)
    #expect(cells["exe_cut"]?.text == "true")
    #expect(cells["more"]?.isAbsent == true)
  }

  @Test(arguments: [
    "{\(envelope),\"comm\":\"a,b\\\"c\\\\ \\u000a\\u001f\\u007f é😀\"}",
    // Not as a bridge writes: other digits, spaces, orders, escapes, names twice, null, NUL.
    "{ \(envelope) }",
    "{\(envelope),\"pid\":5.0,\"uid\":1e3}",
    "{\(envelope),\"uid\":1,\"pid\":2}",
    "{\(envelope),\"pid\":1,\"pid\":2}",
    "{\(envelope),\"comm\":\"\\u0041\"}",
    "{\(envelope),\"comm\":null,\"pid\":{\"a\":[]}}",
    "{\(envelope),\"comm\":\"\\u0000\"}",
    "{\(envelope),\"comm\":7,\"pid\":\"seven\"}",
    "{\(envelope),\"colour\":1,\"comm\":\"sh\"}",
    "{\"comm\":\"sh\",\(envelope)}",
    "{\(envelope.replacing("\"v\":1", with: "\"v\":2"))}",
    "{\(envelope.replacing("1795644575.5", with: "1795644575.50"))}",
    "{\(envelope.replacing("\"clock_synced\":true", with: "\"clock_synced\":null"))}",
    "{\(envelope.replacing("\"v\":1,", with: ""))}",
    "{\(envelope),\"v\":1}",
  ])
  func everyPayloadComesBackByteForByte(_ payload: String) throws {
    #expect(try roundTrip(arrival(payload)).payload == payload)
  }

  @Test(arguments: [
    #"{"v":1,"state":"offline","reason":"connection lost"}"#, "{}", "{ }", #"{"more":"x"}"#,
    #"{"v":1,"state":"online","time":1795644575.5,"boot_id":"b","clock_synced":true,"version":"1","x":[]}"#,
  ])
  func statusesComeBackByteForByte(_ payload: String) throws {
    #expect(try roundTrip(arrival(payload, topic: "stats/pi/status")).payload == payload)
  }

  @Test func severalRecordsInOneMessageAreWrittenAsOneEach() throws {
    let one = "{\(Self.envelope),\"pid\":1}"
    let two = "{\(Self.envelope.replacing("\"seq\":1", with: "\"seq\":2")),\"pid\":2}"
    var clock = ArrivalClock()
    let arrivals = try Arrival.arrivals(
      stats_recording.Message(
        topic: "stats/pi/inotify-coredump", payload: Array("[ \(one), \(two) ]".utf8)),
      prefix: "stats", clock: &clock)
    #expect(arrivals.map { String(decoding: $0.message.payload, as: UTF8.self) } == [one, two])
    #expect(arrivals[0].message.received < arrivals[1].message.received)
  }

  @Test(arguments: [
    "1,2", "x,\"core_dump\"", "\"1\",core_dump", String(repeating: ",", count: 31),
  ])
  func aRowThatIsNoneIsRefused(_ row: String) throws {
    let cells = try CSVRows.cells(Array(row.utf8)[...])
    #expect(throws: CSVError.self) { try CSVLayout(kind: "core_dump").message(cells) }
  }

  /// Python's csv module is a reader that is not ours.
  @Test(.needs(command: "python3")) func pythonReadsTheSameCells() throws {
    let rig = try Rig()
    let comm = "a,b\"c\nd é😀 'x'\\"
    var text: [UInt8] = []
    text.append(json: .text(comm))
    let payload = "{\(Self.envelope),\"comm\":\(String(decoding: text, as: UTF8.self)),\"pid\":5}"
    let layout = CSVLayout(kind: "core_dump")
    let file = rig.folder.appending(path: "x.csv")
    try Data(layout.header + layout.row(arrival(payload))).write(to: file)
    let python = try rig.run([
      #require(Machine.command("python3")), "-c",
      """
      import csv, json, sys
      rows = list(csv.DictReader(open(sys.argv[1], newline='')))
      print(json.dumps([len(rows), rows[0]['comm'], rows[0]['pid'], rows[0]['time'], rows[0]['uid']]))
      """, file.path(),
    ])
    #expect(python.status == 0, "\(python.log)")
    let seen = try JSONSerialization.jsonObject(with: Data(#require(python.output.first).utf8))
    let values = try #require(seen as? [Any])
    #expect(values[0] as? Int == 1)
    #expect(values[1...].map { $0 as? String } == [comm, "5", "1795644575.5", ""])
  }
}

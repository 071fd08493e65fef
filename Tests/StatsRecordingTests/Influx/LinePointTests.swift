import Foundation
import Records
import Testing

@testable import stats_recording

struct LinePointTests {
  private func line(_ change: (inout LinePoint) -> Void, measurement: String = "m") -> String {
    var point = LinePoint(measurement: measurement)
    change(&point)
    return String(decoding: point.line(nanoseconds: 7), as: UTF8.self)
  }

  @Test func everyTypeHasItsForm() {
    #expect(
      line {
        $0.tag("t", "v")
        $0.field("i", integer: Int64(-3))
        $0.field("u", integer: UInt64(5))
        $0.field("f", float: "0.50")
        $0.field("b", true)
        $0.field("s", text: "")
      } == "m,t=v i=-3i,u=5i,f=0.50,b=true,s=\"\" 7\n")
  }

  @Test func anIntegerThatIsTooGreatIsTheGreatest() {
    #expect(line { $0.field("u", integer: UInt64.max) } == "m u=9223372036854775807i 7\n")
  }

  @Test(arguments: [
    ("a,b=c d", #"a\,b\=c\ d"#), ("a\nb", #"a\ b"#), (#"dev-a\x2db.device"#, #"dev-a\x2db.device"#),
    (#"C:\"#, "C:_"), (#"a\\"#, #"a\_"#), (#"a\,b"#, #"a_\,b"#), ("ü", "ü"), ("\"", "\""),
  ])
  func tagsAreEscaped(_ value: String, _ written: String) {
    #expect(
      line {
        $0.tag("t", value)
        $0.field("f", true)
      } == "m,t=\(written) f=true 7\n")
  }

  @Test func anEmptyTagIsLeftOut() {
    #expect(
      line {
        $0.tag("t", "")
        $0.field("f", true)
      } == "m f=true 7\n")
  }

  @Test func textsAndNamesAreEscaped() {
    #expect(
      line({ $0.field("a b", text: "say \"\\,= \n") }, measurement: "x y,z=")
        == #"x\ y\,z= a\ b="say \"\\,= \n" 7"# + "\n")
  }

  @Test func linesOfABatchAreFoundAgain() {
    var batch = LineBatch()
    for line in ["a\n", "bb\n", "c\n"] { batch.append(Array(line.utf8)) }
    #expect(batch.count == 3)
    #expect(Array(batch[0..<1]) == Array("a\n".utf8))
    #expect(Array(batch[1..<3]) == Array("bb\nc\n".utf8))
    #expect(batch[2..<2].isEmpty)
  }
}

struct RecordPointTests {
  private func point(_ json: String, topic: String = "stats/pi-7/p/x") throws -> RecordPoint {
    let message = Message(topic: topic, payload: Array(json.utf8))
    switch MessageContent(message, prefix: "stats") {
    case .records(let records): return RecordPoint(try #require(records.first))
    case .status(let topic, let members):
      return try #require(RecordPoint(status: members, topic))
    case .other(let words): throw BrokerFailure(description: words)
    }
  }

  private func envelope(_ kind: String, _ fields: String) -> String {
    #"{"v":1,"kind":"\#(kind)","time":1795229000.512,"boot_id":"b","instance":7,"seq":42,"#
      + #""dropped":18446744073709551615,"clock_synced":false\#(fields)}"#
  }

  private func line(_ kind: String, _ fields: String) throws -> String {
    String(decoding: try point(envelope(kind, fields)).line, as: UTF8.self)
  }

  private static let end =
    #"boot_id="b",instance=7i,seq=42i,dropped=9223372036854775807i,clock_synced=false "#
    + "1795229000512000000\n"

  @Test func identitiesAreTagsAndTheOthersFieldsInTheirOrder() throws {
    #expect(
      try line(
        "pressure_stall",
        #","resource":"cpu","scope":"some","polled":false,"cgroup":"","threshold_seconds":0.15,"#
          + #""window_seconds":1,"some_avg10":3,"some_total_seconds":12.5"#)
        == "pressure_stall,device=pi-7,program=p,resource=cpu,scope=some,polled=false,"
        + "threshold_seconds=0.15,window_seconds=1 some_avg10=3,some_total_seconds=12.5,"
        + Self.end)
  }

  /// A disk is called `device`, too.
  @Test func aTagOfTheRecordDoesNotHideTheDevice() throws {
    #expect(
      try line("disk", #","device":"mmcblk0","major":179,"minor":0,"is_partition":false"#)
        == "disk,device=pi-7,program=p,disk_device=mmcblk0,major=179,minor=0,is_partition=false "
        + Self.end)
  }

  /// Load 0 is written without a point in JSON; the next one may be 0.25.
  @Test func aFieldHasOneTypeWhateverItsDigits() throws {
    #expect(
      try line("system_information", #","load1":0,"process_count":5,"uptime_seconds":9"#)
        == "system_information,device=pi-7,program=p load1=0,process_count=5i,uptime_seconds=9i,"
        + Self.end)
  }

  @Test func whatIsUnknownGoesByItsJSON() throws {
    #expect(
      try line("new_kind", #","n":5,"t":"x","b":true,"z":null"#)
        == #"new_kind,device=pi-7,program=p n=5,t="x",b=true,"# + Self.end)
  }

  @Test func whatAPointCannotHoldIsCounted() throws {
    let point = try point(
      envelope("system_information", #","load1":"x","process_count":1.5,"a":[1],"o":{}"#))
    #expect(point.valuesLeftOut == 4)
    #expect(
      String(decoding: point.line, as: UTF8.self)
        == "system_information,device=pi-7,program=p " + Self.end)
  }

  @Test func aStatusIsAPointOfItsDevice() throws {
    let json =
      #"{"v":1,"state":"online","time":1795229000.5,"boot_id":"b","clock_synced":true,"#
      + #""records_lost":0,"ratio":0.5}"#
    let point = try point(json, topic: "stats/pi-7/status")
    #expect(
      String(decoding: point.line, as: UTF8.self)
        == #"bridge_status,device=pi-7 state="online",boot_id="b",clock_synced=true,"#
        + "records_lost=0i,ratio=0.5 1795229000500000000\n")
  }

  @Test func bucketsAreIntegersNamedByTheirUpperBounds() throws {
    let message = try GoldenMessage(.traceHistogram)
    let point = RecordPoint(try #require(try message.records().first))
    let line = String(decoding: point.line, as: UTF8.self)
    #expect(point.valuesLeftOut == 0)
    #expect(
      line.contains(
        " interval_seconds=5.0001,le_0=5i,le_1=0i,le_3=1i,le_7=81985529216486895i,le_15=0i,"),
      "\(line)")
    #expect(line.contains(",le_4611686018427387903=7i,boot_id="), "\(line)")
    #expect(!line.contains("upper_bounds") && !line.contains("counts"))
    // One bound less than counts.
    let torn = try #require(
      try message.records { $0.replacing(#""upper_bounds":[0,"#, with: #""upper_bounds":["#) }.first
    )
    #expect(RecordPoint(torn).valuesLeftOut == 1)
  }

  @Test func aLastWillHasNoTimeAndIsNoPoint() throws {
    let topic = try #require(RecordTopic("stats/pi-7/status", prefix: "stats"))
    #expect(
      RecordPoint(status: [JSONMember(name: "state", value: .text("offline"))], topic) == nil)
  }

  /// InfluxDB takes a tag and a field of one name, and nobody can ask for either.
  @Test(arguments: RecordKind.allCases)
  func noFieldTakesTheNameOfTheEnvelopeOrAnotherTag(_ kind: RecordKind) {
    let envelope: Set = [
      "device", "program", "boot_id", "instance", "seq", "dropped", "clock_synced",
    ]
    let names = kind.fields.map { listed in
      let name = "\(listed.field.name)"
      return listed.field.nature == .identity
        ? RecordPoint.tagName(name, kind: "\(kind.name)") : name
    }
    #expect(envelope.isDisjoint(with: names))
    #expect(Set(names).count == names.count)
  }
}

import Foundation
@testable import Records
import Testing

/// The man pages against the programs: what `--help` lists and what JSON holds is described.
@Suite(.needs(command: "mandoc"))
struct ManPageTests {
  private static let pages = InstalledSystem.programs + ["stats-recording"]

  @Test func noPageHasAMistake() throws {
    // Beside the pages there are a reference in Markdown and README's pictures.
    let files = try FileManager.default.contentsOfDirectory(atPath: Page.folder.path())
      .filter { $0.wholeMatch(of: /.+\.[1-8]/) != nil }
    #expect(files.count == Self.pages.count + 2)
    let rig = try Rig()
    let mandoc = try #require(Machine.command("mandoc"))
    let result = try rig.run(
      [mandoc, "-T", "lint", "-W", "warning"] + files.map { Page.folder.path() + "/" + $0 })
    #expect(result.output + result.log == [])
    #expect(result.status == 0)
  }

  @Test(arguments: InstalledSystem.programs)
  func everyOptionIsDescribedAndNoOther(_ program: String) throws {
    let help = try Rig().runProgram(program, "--help").output
    let options = Set(
      help.compactMap { $0.wholeMatch(of: #/  --([a-z-]+)( .*)?/#)?.1 }.map(String.init))
    #expect(options.count > 5)
    let common = try Page("stats-recording").options
    let own = try Page(program).options
    #expect(options.subtracting(own).subtracting(common) == [])
    #expect(own.subtracting(options) == [])
    #expect(common.subtracting(options) == [])
    // What a configuration file proposes exists.
    let file = Machine.packageRoot.appending(path: "debs/conf/\(program).conf")
    let keys = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .compactMap { $0.wholeMatch(of: /#([a-z-]+) = .*/)?.1 }.map(String.init)
    #expect(!keys.isEmpty)
    #expect(Set(keys).subtracting(options) == [])
  }

  /// With STATS_UPDATE_MAN=1 in the environment the tables are written instead.
  @Test func everyFieldIsDescribedWithItsUnit() throws {
    for kind in RecordKind.allCases {
      var fields = FieldTable()
      kind.withBody(&fields)
      let page = try Page(kind.program.map { "\($0.name)" } ?? "stats-recording")
      if ProcessInfo.processInfo.environment["STATS_UPDATE_MAN"] == "1" {
        try page.write(fields.lines, of: kind)
      }
      #expect(
        try Page(page.name).table(of: kind) == fields.lines,
        "\(kind.name): STATS_UPDATE_MAN=1 ./build.sh test --filter ManPageTests writes the table")
    }
  }

  @Test func theFieldsOfEveryRecordAreDescribed() throws {
    let line = try #require(Rig().runProgram("cyclic-sysinfo", "--once").output.first)
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    var fields = FieldTable()
    RecordKind.systemInformation.withBody(&fields)
    let envelope = Set(members.keys).subtracting(fields.names)
    #expect(envelope.count == 8)
    #expect(envelope.subtracting(try Page("stats-recording").variables) == [])
  }

  @Test(.needs(command: "mosquitto")) func theFieldsOfTheStatusAreDescribed() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    // Its reason is then longer than a record can hold.
    let folder = rig.folder.appending(path: String(repeating: "x", count: 120)).path()
    let collector = try rig.program("epoll-psi", ["--procfs", folder])
    #expect(try collector.wait() == 69)
    try eventually("the status tells of it") {
      subscriber.messages(of: "/status").last?.text("epoll_psi_reason") != nil
    }
    bridge.kill()
    try eventually("the last will") {
      subscriber.messages(of: "/status").last?.text("state") == "offline"
    }
    let keys = Set(
      subscriber.messages(of: "/status").flatMap { $0.members.keys }
        .map { $0.replacing(/^epoll_psi_/, with: "PROGRAM_") })
    #expect(keys.count > 15 && keys.contains("PROGRAM_reason_cut"))
    #expect(keys.subtracting(try Page("posix-mq-to-mqtt-bridge").variables) == [])
  }

  @Test func everyUnitNamesPagesThatExist() throws {
    let units = Machine.packageRoot.appending(path: "units")
    var pages: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: units.path()) {
      let text = try String(contentsOf: units.appending(path: name), encoding: .utf8)
      pages += text.matches(of: /man:([a-z-]+)\(8\)/).map { String($0.1) }
    }
    #expect(Set(pages) == Set(Self.pages))
  }
}

/// A page of the manual in section 8, as it stands in man/.
private struct Page {
  static let folder = Machine.packageRoot.appending(path: "man")

  let name: String
  let file: URL
  let lines: [String]

  init(_ name: String) throws {
    self.name = name
    file = Self.folder.appending(path: "\(name).8")
    lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
  }

  /// Those that head an item, without the hyphens.
  var options: Set<String> {
    Set(lines.compactMap { $0.wholeMatch(of: /\.It Fl -([a-z-]+)( .*)?/)?.1 }.map(String.init))
  }

  var variables: Set<String> {
    Set(
      lines.compactMap { $0.wholeMatch(of: /\.It Va (.*)/)?.1 }
        .flatMap { $0.split(separator: " , ") }.map(String.init))
  }

  private func range(of kind: RecordKind) throws -> Range<Int> {
    let begin = try #require(lines.firstIndex(of: ".\\\" Fields of \(kind.name)"), "\(file.path())")
    let end = try #require(lines[begin...].firstIndex(of: ".\\\" End of fields"))
    return begin + 1..<end
  }

  func table(of kind: RecordKind) throws -> [String] { Array(lines[try range(of: kind)]) }

  func write(_ table: [String], of kind: RecordKind) throws {
    var lines = lines
    lines.replaceSubrange(try range(of: kind), with: table)
    try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
  }
}

/// The fields of a body as a list in mdoc(7).
private struct FieldTable: FieldVisitor, BodyUse {
  private(set) var names: Set<String> = []
  private var items: [String] = []

  var lines: [String] { [".Bl -tag -width Ds -compact"] + items + [".El"] }

  mutating func use<Body: RecordBody>(_ type: Body.Type) {
    var body = Body()
    body.visit(&self)
  }

  private mutating func list(_ field: Field, isOptional: Bool = false) {
    names.insert("\(field.name)")
    let remarks =
      [unit(field.unit), field.nature == .counter ? "counter" : nil, isOptional ? "if known" : nil]
      .compactMap { $0 }
    items.append(
      ".It Va \(field.name)" + (remarks.isEmpty ? "" : " Pq \(remarks.joined(separator: ", "))"))
    let meaning = "\(field.meaning)"
    items.append(meaning.hasSuffix(".") ? meaning : meaning + ".")
  }

  private func unit(_ unit: Field.Unit) -> String? {
    switch unit {
    case .none: nil
    case .revolutionsPerMinute: "revolutions per minute"
    case .decibelMilliwatts: "dBm"
    case .bitsPerSecond: "bits per second"
    case .celsius: "degrees Celsius"
    case .seconds, .bytes, .ratio, .count, .hertz, .volts, .amperes, .watts, .joules: "\(unit)"
    }
  }

  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    list(field)
  }
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    list(field)
  }
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    list(field, isOptional: true)
  }
  mutating func boolean(_ field: Field, _ value: inout Bool) { list(field) }
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    list(field, isOptional: true)
  }
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) { list(field) }
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    list(field)
  }
  mutating func buckets(_ field: Field, _ value: inout Buckets) { list(field) }
}

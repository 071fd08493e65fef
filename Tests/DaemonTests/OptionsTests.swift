import Foundation
import Linux
import TestSupport
import Testing

@testable import Daemon

struct OptionsTests {
  /// What a small program asks for.
  private struct Settings {
    var interval = Interval.seconds(0)
    var count = 0
    var name: Text?
    var units: [Text] = []
    var flag = false
    var answer: Options.Answer?

    init(_ arguments: String..., configuration: String? = nil) throws {
      let path = NSTemporaryDirectory() + "st-options-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: path) }
      try (configuration ?? "").write(toFile: path, atomically: true, encoding: .utf8)
      var options = Options(
        "tester", arguments: ["--config", Text(path)] + arguments.map { Text($0) })
      interval = options.interval(
        "interval", default: .seconds(1), atLeast: .seconds(1), atMost: .seconds(60), "how often")
      count = options.number("count", default: 3, in: 1...9, "how many")
      name = options.text("name", "TEXT", "who")
      units = options.texts("unit", "GLOB", "which")
      flag = options.flag("flag", "whether")
      answer = options.answer("Tests options.")
      if let text = answer?.text.string.replacingOccurrences(of: path, with: "FILE") {
        answer = Options.Answer(text: Text(text), status: answer!.status)
      }
    }
  }

  private static let pulses: [(String?, Interval?, String?)] = [
    (nil, .seconds(5), nil), ("off", nil, nil), ("0", nil, nil), ("0s", nil, nil),
    ("2s", .seconds(2), nil), ("1s", .seconds(1), nil),
    ("no", nil, "--pulse no: not a time; write 100ms, 1s or 5min"),
    ("1ms", nil, "--pulse 1ms: not from 1s to 1min"),
  ]

  @Test(arguments: pulses)
  func anIntervalMayBeSwitchedOff(
    _ value: String?, _ interval: Interval?, _ mistake: String?
  ) throws {
    var options = Options(
      "tester", arguments: ["--config", "/dev/null"] + (value.map { ["--pulse", Text($0)] } ?? []))
    let given = options.intervalOrOff(
      "pulse", default: .seconds(5), atLeast: .seconds(1), atMost: .seconds(60), "how often")
    #expect(given == interval)
    #expect(options.answer("Tests options.")?.text.string == mistake)
  }

  @Test func withoutOptionsTheDefaultsHold() throws {
    let settings = try Settings()
    #expect(settings.answer == nil)
    #expect(settings.interval == .seconds(1))
    #expect(settings.count == 3)
    #expect(settings.name == nil)
    #expect(settings.flag == false)
  }

  @Test func bothFormsOfAnOptionAreTheSame() throws {
    let settings = try Settings("--interval", "5s", "--name=a=b", "--flag", "--count=9")
    #expect(settings.answer == nil)
    #expect(settings.interval == .seconds(5))
    #expect(settings.name == "a=b")
    #expect(settings.flag)
    #expect(settings.count == 9)
  }

  @Test func theFileHasTheSameKeysAndTheCommandLineGoesBeforeIt() throws {
    let file = """
      # a comment
      ; another
      interval = 10s
      \tname =  somebody else
      flag=yes\r
      count = 4
      """
    let settings = try Settings("--count", "5", configuration: file)
    #expect(settings.answer == nil)
    #expect(settings.interval == .seconds(10))
    #expect(settings.name == "somebody else")
    #expect(settings.flag)
    #expect(settings.count == 5)
  }

  @Test func aFlagOfTheFileCanBeSwitchedOff() throws {
    #expect(try Settings("--flag=no", configuration: "flag = yes").flag == false)
    #expect(try Settings("--flag", configuration: "flag = no").flag)
  }

  @Test func ofSeveralValuesTheLastOneCountsUnlessAllDo() throws {
    let settings = try Settings("--name", "a", "--unit", "x", "--name", "b", "--unit", "y")
    #expect(settings.name == "b")
    #expect(settings.units == ["x", "y"])
    #expect(try Settings(configuration: "unit = x\nunit = y").units == ["x", "y"])
  }

  @Test(arguments: [
    (["--nonsense"], "--nonsense is not an option; tester --help lists them"),
    (["nonsense"], "nonsense: options are written --name value"),
    (["--interval", "soon"], "--interval soon: not a time; write 100ms, 1s or 5min"),
    (["--interval", "2min"], "--interval 2min: not from 1s to 1min"),
    (["--count", "10"], "--count 10: not a whole number from 1 to 9"),
    (["--count", "ten"], "--count ten: not a whole number from 1 to 9"),
    (["--name"], "--name needs a value: TEXT"),
    (["--flag=perhaps"], "--flag: say yes or no"),
  ])
  func aMistakeIsOneLineAndStatus2(_ arguments: [String], _ line: String) throws {
    var options = Options(
      "tester", arguments: ["--config", "/dev/null"] + arguments.map { Text($0) })
    _ = options.interval(
      "interval", default: .seconds(1), atLeast: .seconds(1), atMost: .seconds(60), "how often")
    _ = options.number("count", default: 3, in: 1...9, "how many")
    _ = options.text("name", "TEXT", "who")
    _ = options.flag("flag", "whether")
    let given = options.answer("Tests options.")
    let answer = try #require(given)
    #expect(answer.text.string == line)
    #expect(answer.status == 2)
  }

  @Test(arguments: [
    ("interval", "FILE:1: is not of the form key = value"),
    ("\n= 3", "FILE:2: has no key before the ="),
    ("name = a\u{1}b", "FILE:1: holds a control character"),
    ("what = 1", "FILE:1: what is not an option; tester --help lists them"),
  ])
  func aMistakeInTheFileNamesItsLine(_ file: String, _ line: String) throws {
    let answer = try #require(try Settings(configuration: file).answer)
    #expect(answer.text.string == line)
    #expect(answer.status == 2)
  }

  @Test func aFileThatWasNamedMustBeThere() throws {
    var options = Options("tester", arguments: ["--config", "/nowhere/tester.conf"])
    let given = options.answer("Tests options.")
    let answer = try #require(given)
    #expect(answer.text == "open /nowhere/tester.conf: No such file or directory")
  }

  @Test func helpListsEveryOptionAndVersionIsOneLine() throws {
    let help = try #require(try Settings("--help", "--nonsense").answer)
    #expect(help.status == 0)
    for option in ["--interval TIME", "--count N", "--name TEXT", "--unit GLOB", "--flag"] {
      #expect(help.text.contains("  \(option)"))
    }
    let version = try #require(try Settings("--version").answer)
    #expect(version.text == "tester \(Version.text)\n")
    #expect(version.status == 0)
  }

  @Test func anyBytesInTheFileAreReadOrRefusedButNeverACrash() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...40)).map { _ in
        [0x0A, 0x3D, 0x20, 0x23, 0x61, 0xFF, 0x00, UInt8.random(in: 0...255, using: &random)]
          .randomElement()!
      }
      let entries = (try? ConfigurationFile(parsing: bytes.span))?.entries ?? []
      for entry in entries { #expect(!entry.key.isEmpty) }
    }
  }
}

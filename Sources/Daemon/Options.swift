import CLinux
import Linux
import Records

/// The options of a program, from the command line and its configuration file.
///
/// One grammar for all programs: `--name value` or `--name=value`, and `name = value` in the file.
/// A program asks for each of its options once, with its help; then ``answer(_:)`` says whether to
/// go on. The command line goes before the file, and of several values the last one counts.
public struct Options {
  /// What to say instead of running: help and version on standard output, mistakes on stderr.
  public struct Answer {
    public let text: Text
    /// 0 after help and version, 2 after a mistake.
    public let status: Int32

    /// Says it where it belongs; returns the status to exit with.
    public func tell(_ log: Log) -> Int32 {
      if status == 0 { try? writeToStandardOutput(text.bytes) } else { log.error(text) }
      return status
    }
  }

  private struct Given {
    let name: Text
    let value: Text?
    /// Where it stands in the configuration file; nil: on the command line.
    let line: Int?
    var known = false
  }

  private let program: StaticString
  private var given: [Given] = []
  private var mistake: Text?
  /// What --help says of the options; written only if that is asked for.
  private var help: Text?
  private var configurationPath: Text

  /// Reads the command line, and `/etc/stats-recording/<program>.conf` if there is one.
  public init(_ program: StaticString, arguments: [Text] = Self.commandLine) {
    self.program = program
    configurationPath = Text("/etc/stats-recording/\(program).conf")
    read(arguments)
    if given.contains(where: { $0.name == "help" }) { help = Text() }
    let named = texts("config", "FILE", standard: configurationPath, "the configuration file").last
    if let named { configurationPath = named }
    readConfiguration(mustExist: named != nil)
  }

  public static var commandLine: [Text] {
    (1..<max(1, clinux_argument_count())).map { Text(cString: clinux_argument($0)) }
  }

  // MARK: What a program asks for

  /// A text, or nil if it was not given.
  public mutating func text(
    _ name: StaticString, _ placeholder: StaticString, _ meaning: StaticString
  ) -> Text? {
    texts(name, placeholder, meaning).last
  }

  /// A text, or else what is the standard.
  public mutating func text(
    _ name: StaticString, _ placeholder: StaticString, default standard: Text,
    _ meaning: StaticString
  ) -> Text {
    texts(name, placeholder, standard: standard, meaning).last ?? standard
  }

  /// All values of an option that may be repeated, in the order given; `standard` is what the help
  /// shows as in force where there is none.
  @inline(never)
  public mutating func texts(
    _ name: StaticString, _ placeholder: StaticString, standard: Text = Text(),
    _ meaning: StaticString
  ) -> [Text] {
    describe(name, placeholder, meaning, standard)
    var fromCommandLine: [Text] = []
    var fromFile: [Text] = []
    for index in given.indices where given[index].name == name {
      given[index].known = true
      guard let value = given[index].value else {
        fail("\(place(given[index])) needs a value: \(placeholder)")
        continue
      }
      if given[index].line == nil { fromCommandLine.append(value) } else { fromFile.append(value) }
    }
    return fromCommandLine.isEmpty ? fromFile : fromCommandLine
  }

  /// A flag: given alone, or with yes or no.
  @inline(never)
  public mutating func flag(_ name: StaticString, _ meaning: StaticString) -> Bool {
    describe(name, "", meaning, Text())
    var result: (value: Bool, fromCommandLine: Bool) = (false, false)
    for index in given.indices where given[index].name == name {
      given[index].known = true
      let fromCommandLine = given[index].line == nil
      guard let value = Self.boolean(given[index].value) else {
        fail("\(place(given[index])): say yes or no")
        continue
      }
      if fromCommandLine || !result.fromCommandLine { result = (value, fromCommandLine) }
    }
    return result.value
  }

  /// A length of time within `range`.
  public mutating func interval(
    _ name: StaticString, default fallback: Interval, atLeast minimum: Interval,
    atMost maximum: Interval, _ meaning: StaticString
  ) -> Interval {
    guard let text = texts(name, "TIME", standard: fallback.description, meaning).last else {
      return fallback
    }
    return interval(name, text, minimum, maximum) ?? fallback
  }

  /// A length of time within `range`, or nil for what is switched off: `off` or `0`.
  public mutating func intervalOrOff(
    _ name: StaticString, default fallback: Interval, atLeast minimum: Interval,
    atMost maximum: Interval, _ meaning: StaticString
  ) -> Interval? {
    guard let text = texts(name, "TIME", standard: fallback.description, meaning).last else {
      return fallback
    }
    if text == "off" || Interval(text)?.nanoseconds == 0 { return nil }
    return interval(name, text, minimum, maximum)
  }

  private mutating func interval(
    _ name: StaticString, _ text: Text, _ minimum: Interval, _ maximum: Interval
  ) -> Interval? {
    guard let interval = Interval(text) else {
      fail("--\(name) \(text): not a time; write 100ms, 1s or 5min")
      return nil
    }
    guard minimum.nanoseconds...maximum.nanoseconds ~= interval.nanoseconds else {
      fail("--\(name) \(text): not from \(minimum.description) to \(maximum.description)")
      return nil
    }
    return interval
  }

  /// A whole number within `range`.
  public mutating func number(
    _ name: StaticString, default fallback: Int, in range: ClosedRange<Int>, _ meaning: StaticString
  ) -> Int {
    guard let text = texts(name, "N", standard: "\(fallback)", meaning).last else {
      return fallback
    }
    guard let number = text.number.flatMap({ Int(exactly: $0) }), range.contains(number) else {
      fail(
        "--\(name) \(text): not a whole number from \(range.lowerBound) to \(range.upperBound)")
      return fallback
    }
    return number
  }

  /// Something is wrong with what was given; the first mistake is the one that is said.
  public mutating func fail(_ text: Text) {
    if mistake == nil { mistake = text }
  }

  /// nil if the program shall run. Ask last: what nobody asked for is an unknown option.
  public mutating func answer(_ purpose: StaticString) -> Answer? {
    let version = flag("version", "say the version and exit")
    let wantsHelp = flag("help", "say this and exit")
    if wantsHelp, let help {
      return Answer(
        text: "Usage: \(program) [--OPTION VALUE]...\n\(purpose)\n\n\(help)", status: 0)
    }
    if version { return Answer(text: "\(program) \(Version.text)\n", status: 0) }
    if let unknown = given.first(where: { !$0.known }) {
      fail("\(place(unknown)) is not an option; \(program) --help lists them")
    }
    return mistake.map { Answer(text: $0, status: 2) }
  }

  // MARK: Where the values come from

  private mutating func read(_ arguments: [Text]) {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index].bytes
      index += 1
      guard Self.isOption(argument), argument.count > 2 else {
        fail("\(arguments[index - 1]): options are written --name value")
        continue
      }
      if let equals = argument.firstIndex(of: UInt8(ascii: "=")) {
        let value = Text(argument[(equals + 1)...])
        let name = Text(argument[2..<equals])
        given.append(Given(name: name, value: value, line: nil))
        continue
      }
      let name = Text(argument[2...])
      if index < arguments.count && !Self.isOption(arguments[index].bytes) {
        given.append(Given(name: name, value: arguments[index], line: nil))
        index += 1
      } else {
        given.append(Given(name: name, value: nil, line: nil))
      }
    }
  }

  private static func isOption(_ argument: [UInt8]) -> Bool {
    let hyphen = UInt8(ascii: "-")
    return argument.count >= 2 && argument[0] == hyphen && argument[1] == hyphen
  }

  private mutating func readConfiguration(mustExist: Bool) {
    do throws(SystemError) {
      let bytes = try readFile(configurationPath, limit: 1 << 20)
      do throws(ConfigurationFile.ParseError) {
        for entry in try ConfigurationFile(parsing: bytes.span).entries {
          given.append(Given(name: entry.key, value: entry.value, line: entry.line))
        }
      } catch {
        fail("\(configurationPath):\(error.line): \(error.reason)")
      }
    } catch {
      if error.errno != ENOENT || mustExist { fail(error.description) }
    }
  }

  private func place(_ given: Given) -> Text {
    if let line = given.line { return "\(configurationPath):\(line): \(given.name)" }
    return "--\(given.name)"
  }

  private mutating func describe(
    _ name: StaticString, _ placeholder: StaticString, _ meaning: StaticString, _ standard: Text
  ) {
    guard help != nil else { return }
    var line: Text = "  --\(name)\(placeholder.utf8CodeUnitCount == 0 ? "" : " ")\(placeholder)"
    repeat { line.append(UInt8(ascii: " ")) } while line.bytes.count < 26
    line += "\(meaning)\(standard.isEmpty ? "" : " [\(standard)]")\n"
    help? += line
  }

  private static func boolean(_ text: Text?) -> Bool? {
    guard let text else { return true }
    let yes: [StaticString] = ["yes", "true", "on", "1"]
    let no: [StaticString] = ["no", "false", "off", "0"]
    for word in yes where text == word { return true }
    for word in no where text == word { return false }
    return nil
  }
}

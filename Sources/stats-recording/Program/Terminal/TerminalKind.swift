import Foundation

/// What a terminal can show, as its environment says.
struct TerminalKind: Equatable, Sendable {
  enum Color: Equatable, Sendable { case none, sixteen, palette, direct }

  var color: Color
  /// Braille patterns and lines; else ASCII.
  var isUnicode: Bool
  /// Whether the cursor can be moved: TERM=dumb cannot.
  var hasCursor: Bool

  /// After no-color.org, COLORTERM and TERM; `codeset` is the locale's.
  init(environment: [String: String], codeset: String) {
    let term = environment["TERM"] ?? ""
    hasCursor = !["", "dumb", "unknown"].contains(term)
    // The font of the Linux console has no braille.
    isUnicode =
      ["UTF-8", "utf8", "UTF8"].contains(codeset) && term != "linux" && hasCursor
    if !(environment["NO_COLOR"] ?? "").isEmpty || !hasCursor || term.hasPrefix("vt1") {
      color = .none
    } else if ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "") {
      color = .direct
    } else {
      color = term.contains("256color") ? .palette : .sixteen
    }
  }

  /// Of this process; sets the locale, as without it every program has that of C.
  static func current() -> TerminalKind {
    setlocale(LC_CTYPE, "")
    return TerminalKind(
      environment: ProcessInfo.processInfo.environment,
      codeset: nl_langinfo(Int32(CODESET)).map { String(cString: $0) } ?? "")
  }
}

/// How a piece of text looks. The colors of lines are told apart by people who see red and green
/// alike (after Okabe and Ito).
enum TextStyle: Equatable, Sendable {
  case plain, dim, strong, failure, notice
  /// The color of a line.
  case line(Int)

  static let lineCount = 8

  private static let direct = [
    "86;180;233", "230;159;0", "0;178;130", "204;121;167", "240;228;66", "60;130;220", "225;105;30",
    "160;160;160",
  ]
  private static let palette = [74, 214, 36, 175, 227, 69, 166, 246]
  private static let sixteen = [36, 33, 32, 35, 93, 94, 91, 37]

  /// The sequence that switches to it; empty where it looks like plain text.
  func sequence(_ color: TerminalKind.Color) -> String {
    if color == .none {
      return self == .strong ? "\u{1B}[1m" : ""
    }
    switch self {
    case .plain: return ""
    case .dim: return "\u{1B}[2m"
    case .strong: return "\u{1B}[1m"
    case .failure: return "\u{1B}[1;31m"
    case .notice: return "\u{1B}[33m"
    case .line(let number):
      let index = number % Self.lineCount
      switch color {
      case .none: return ""
      case .sixteen: return "\u{1B}[\(Self.sixteen[index])m"
      case .palette: return "\u{1B}[38;5;\(Self.palette[index])m"
      case .direct: return "\u{1B}[38;2;\(Self.direct[index])m"
      }
    }
  }

  /// A text in this style, for a line of output.
  func paint(_ text: String, _ color: TerminalKind.Color) -> String {
    let begin = color == .none ? "" : sequence(color)
    return begin.isEmpty ? text : begin + text + "\u{1B}[0m"
  }
}

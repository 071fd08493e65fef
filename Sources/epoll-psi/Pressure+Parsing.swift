import Linux
import Records

/// Why a text is not the content of a pressure file.
struct PressureFormatError: Error, Equatable {
  /// Counted from 1.
  let line: Int
  let reason: StaticString

  var description: Text { "line \(line) \(reason)" }

  static func == (left: Self, right: Self) -> Bool { left.line == right.line }
}

extension Pressure {
  /// Reads the content of a pressure file; psi_show() in the kernel's kernel/sched/psi.c:
  ///
  /// ```
  /// some avg10=1.27 avg60=1.51 avg300=6.72 total=99603873
  /// full avg10=0.00 avg60=0.00 avg300=0.00 total=0
  /// ```
  ///
  /// The averages are percent with two decimals, the total is microseconds. The line `full` of the
  /// CPU came with Linux 5.13, and is all zeros for the whole system; interrupts have no `some`.
  /// Other lines and keys are stepped over. Errors: a line that does not end, lacks one of the four
  /// values, or holds one that is not a number; no line or the same line twice.
  init(parsing text: Span<UInt8>) throws(PressureFormatError) {
    self.init()
    var start = 0
    var number = 0
    var found = false
    while start < text.count {
      number += 1
      var end = start
      while end < text.count && text[end] != UInt8(ascii: "\n") { end += 1 }
      guard end < text.count else {
        throw PressureFormatError(line: number, reason: "does not end")
      }
      let line = text.extracting(start..<end)
      start = end + 1
      if line.starts(with: "some ") {
        guard some == Line() else { throw PressureFormatError(line: number, reason: "comes twice") }
        some = try Line(parsing: line, number)
        found = true
      } else if line.starts(with: "full ") {
        guard full == Line() else { throw PressureFormatError(line: number, reason: "comes twice") }
        full = try Line(parsing: line, number)
        found = true
      }
    }
    guard found else { throw PressureFormatError(line: number, reason: "is no pressure") }
  }
}

extension Pressure.Line {
  fileprivate init(parsing line: Span<UInt8>, _ number: Int) throws(PressureFormatError) {
    self.init()
    var start = 5
    while start < line.count {
      var end = start
      while end < line.count && line[end] != UInt8(ascii: " ") { end += 1 }
      let word = line.extracting(start..<end)
      start = end + 1
      if word.starts(with: "avg10=") {
        average10TenThousandths = try Self.percent(word, 6, number)
      } else if word.starts(with: "avg60=") {
        average60TenThousandths = try Self.percent(word, 6, number)
      } else if word.starts(with: "avg300=") {
        average300TenThousandths = try Self.percent(word, 7, number)
      } else if word.starts(with: "total=") {
        // All bits set means that there is none.
        guard let total = word.extracting(6..<word.count).decimal, total < UInt64.max else {
          throw PressureFormatError(line: number, reason: "has a total that is not a number")
        }
        totalMicroseconds = total
      }
    }
    guard average10TenThousandths != nil, average60TenThousandths != nil,
      average300TenThousandths != nil, totalMicroseconds != nil
    else { throw PressureFormatError(line: number, reason: "lacks one of its values") }
  }

  /// `12.34`: percent with two decimals, which are the ten-thousandths of a ratio.
  private static func percent(
    _ word: Span<UInt8>, _ start: Int, _ number: Int
  ) throws(PressureFormatError) -> UInt32 {
    let point = word.count - 3
    guard point > start, word[point] == UInt8(ascii: "."),
      let whole = word.extracting(start..<point).decimal,
      let decimals = word.extracting((point + 1)..<word.count).decimal,
      whole <= 1_000_000
    else { throw PressureFormatError(line: number, reason: "has an average that is not percent") }
    return UInt32(whole) * 100 + UInt32(decimals)
  }
}

import Foundation
import Records
import Testing

@testable import stats_recording

struct CanvasTests {
  private func text(_ canvas: Canvas, isUnicode: Bool = true) -> [String] {
    (0..<canvas.height).map { row in
      String(
        String.UnicodeScalarView(
          (0..<canvas.width).map { canvas.character($0, row, isUnicode: isUnicode) ?? " " }))
    }
  }

  @Test func eachDotOfACellIsItsBitOfTheBraillePatterns() {
    let expected: [(x: Int, y: Int, pattern: UInt32)] = [
      (0, 3, 0x01), (0, 2, 0x02), (0, 1, 0x04), (0, 0, 0x40), (1, 3, 0x08), (1, 2, 0x10),
      (1, 1, 0x20), (1, 0, 0x80),
    ]
    for (x, y, pattern) in expected {
      var canvas = Canvas(width: 1, height: 1)
      canvas.set(x, y, color: 3)
      #expect(canvas.character(0, 0, isUnicode: true)?.value == 0x2800 + pattern)
      #expect(canvas.color(0, 0) == 3)
    }
  }

  @Test func linesGoFromDotToDot() {
    var canvas = Canvas(width: 4, height: 2)
    canvas.line(from: (0, 0), to: (7, 7), color: 0)
    #expect(text(canvas) == ["  ⡠⠊", "⡠⠊  "])
  }

  @Test func withoutUnicodeDotsAreASCII() {
    var canvas = Canvas(width: 3, height: 1)
    canvas.set(0, 0, color: 0)
    canvas.set(2, 3, color: 0)
    canvas.line(from: (4, 0), to: (4, 3), color: 0)
    #expect(text(canvas, isUnicode: false) == [".':"])
  }

  @Test func whatLiesOutsideIsLeftOut() {
    var canvas = Canvas(width: 1, height: 1)
    for (x, y) in [(-1, 0), (2, 0), (0, -1), (0, 4)] { canvas.set(x, y, color: 0) }
    #expect(canvas == Canvas(width: 1, height: 1))
  }

  @Test func aGapIsEmptyAndAPeakBetweenTwoColumnsIsDrawn() {
    var series = Series(isCounter: false)
    // Ten seconds without a sample, and before it a peak that only one of many samples has.
    for number in 0...400 where !(200..<300).contains(number) {
      let value: Double = number == 101 ? 10 : 0
      series.insert(
        Sample(
          time: Double(number) / 10, raw: value, base: 0, run: 0, sequence: UInt64(number)),
        missing: [])
    }
    var canvas = Canvas(width: 40, height: 2)
    canvas.draw(
      series.points[...], TimeAxis(start: 0, end: 40),
      Scale(0...10, unit: PlotUnit(.none), tickCount: 2), color: 0)
    let rows = text(canvas)
    #expect(rows[0].contains { $0 != " " })
    let base = Array(rows[1])
    #expect(base[0..<20].allSatisfy { $0 != " " })
    #expect(base[21..<29].allSatisfy { $0 == " " })
    #expect(base[31..<40].allSatisfy { $0 != " " })
  }

  @Test func valuesBeyondAFixedScaleAreAtItsEdge() {
    var series = Series(isCounter: false)
    for number in 0..<10 {
      series.insert(
        Sample(
          time: Double(number), raw: number < 5 ? 1e300 : -1e300, base: 0, run: 0,
          sequence: UInt64(number)), missing: [])
    }
    var canvas = Canvas(width: 5, height: 1)
    canvas.draw(
      series.points[...], TimeAxis(start: 0, end: 9),
      Scale(nil, minimum: 0, maximum: 1, unit: PlotUnit(.none), tickCount: 2), color: 0)
    #expect(text(canvas) == ["⠉⠉⢣⣀⣀"])
  }
}

struct ScaleTests {
  private func scale(_ values: ClosedRange<Double>, _ unit: Field.Unit, isRate: Bool = false)
    -> [String]
  {
    Scale(values, unit: PlotUnit(unit, isRate: isRate), tickCount: 4).labels
  }

  @Test func labelsAreRoundNumbersWithTheUnit() {
    #expect(scale(0.13...2.7, .none) == ["0", "1", "2", "3"])
    #expect(scale(0.02...0.11, .none) == ["0.00", "0.05", "0.10", "0.15"])
    #expect(scale(0...0.83, .ratio) == ["0%", "50%", "100%"])
    #expect(scale(41.2...47.9, .celsius) == ["40 °C", "45 °C", "50 °C"])
    #expect(scale(-5...12, .celsius) == ["-10 °C", "0 °C", "10 °C", "20 °C"])
    #expect(scale(0...3e9, .hertz) == ["0 GHz", "1 GHz", "2 GHz", "3 GHz"])
    #expect(scale(0...0.0031, .seconds) == ["0 ms", "2 ms", "4 ms"])
    #expect(scale(0...90_000, .seconds) == ["0 h", "10 h", "20 h", "30 h"])
    #expect(scale(0...9e5, .bitsPerSecond) == ["0.0 Mbit/s", "0.5 Mbit/s", "1.0 Mbit/s"])
  }

  @Test func bytesAreInPowersOfTwo() {
    let mebibyte = 1048576.0
    #expect(scale(0...700 * mebibyte, .bytes) == ["0 MiB", "256 MiB", "512 MiB", "768 MiB"])
    #expect(
      scale(0...1.2 * mebibyte, .bytes, isRate: true)
        == ["0.0 MiB/s", "0.5 MiB/s", "1.0 MiB/s", "1.5 MiB/s"])
  }

  @Test func valuesFarFromZeroAreNotFlattened() {
    let scale = Scale(996...1004, unit: PlotUnit(.none), tickCount: 4)
    #expect(scale.bottom == 995)
    #expect(scale.top == 1005)
  }

  @Test func aFlatLineHasRoom() {
    for value in [0.0, 5, -5, 1e12] {
      let scale = Scale(value...value, unit: PlotUnit(.none), tickCount: 4)
      #expect(scale.bottom <= value && value <= scale.top && scale.bottom < scale.top, "\(value)")
      #expect(scale.ticks.count >= 2, "\(value)")
    }
  }

  @Test func anEndThatIsGivenStays() {
    let scale = Scale(3...70, minimum: 0.5, maximum: 33, unit: PlotUnit(.none), tickCount: 4)
    #expect(scale.bottom == 0.5)
    #expect(scale.top == 33)
    #expect(scale.ticks.allSatisfy { 0.5...33 ~= $0 })
  }

  @Test func anyValuesMakeAScale() {
    let values = [0, 1e-300, 1e-9, 0.1, 1, 3.3, 1e9, 1e18, 1e300, -1e300, -0.4]
    for low in values {
      for high in values where low <= high {
        for unit in [Field.Unit.none, .bytes, .ratio, .seconds] {
          let scale = Scale(low...high, unit: PlotUnit(unit), tickCount: 5)
          #expect(scale.bottom < scale.top, "\(low)...\(high) \(unit)")
          #expect((1...101).contains(scale.ticks.count), "\(low)...\(high) \(unit)")
        }
      }
    }
  }

  @Test func legendsHaveThreeDigits() {
    #expect(PlotUnit(.bytes).text(0) == "0.00 B")
    #expect(PlotUnit(.bytes).text(22_097_920) == "21.1 MiB")
    #expect(PlotUnit(.ratio).text(0.295) == "29.5%")
    #expect(PlotUnit(.celsius).text(47.774) == "47.8 °C")
    #expect(PlotUnit(.none).text(0.15) == "0.15")
    #expect(PlotUnit(.count, isRate: true).text(12_345) == "12.3 k/s")
    #expect(PlotUnit(.seconds).text(0.000_25) == "250 µs")
    #expect(PlotUnit(.seconds).text(3 * 86400) == "3.00 d")
  }
}

struct TimeAxisTests {
  @Test func labelsStandAtRoundTimes() {
    let axis = TimeAxis(start: 1_795_229_000, end: 1_795_229_300)
    let ticks = axis.ticks(columns: 80)
    #expect(ticks.count >= 4)
    #expect(ticks.allSatisfy { $0.time.truncatingRemainder(dividingBy: 60) == 0 })
    #expect(ticks.allSatisfy { $0.label.wholeMatch(of: #/\d\d:\d\d/#) != nil })
  }

  @Test func shortSpansHaveSecondsAndLongOnesDays() {
    let short = TimeAxis(start: 1_795_229_000, end: 1_795_229_010).ticks(columns: 80)
    #expect(short.allSatisfy { $0.label.wholeMatch(of: #/\d\d:\d\d:\d\d/#) != nil })
    let long = TimeAxis(start: 1_795_229_000, end: 1_795_229_000 + 30 * 86400).ticks(columns: 80)
    #expect((3...6).contains(long.count))
    #expect(long.allSatisfy { $0.label.wholeMatch(of: #/\d\d-\d\d/#) != nil })
  }
}

struct PlotLayoutTests {
  @Test func everyRowIsForOneThing() throws {
    for height in 8...60 {
      for legends in [[], [1], [3], [20], [2, 1], [10, 10, 10]] {
        guard let layout = PlotLayout(height: height, legends: legends, eventCount: 9) else {
          #expect(height < 4 + 3 * max(1, legends.count))
          continue
        }
        var row = 1
        for panel in layout.panels {
          #expect(panel.plot.lowerBound == row)
          #expect(panel.plot.count >= PlotLayout.leastPlotHeight)
          #expect(panel.legend.lowerBound == panel.plot.upperBound)
          row = panel.legend.upperBound
        }
        #expect(layout.laneRow == row && layout.timeRow == row + 1)
        #expect(layout.events.lowerBound == row + 2)
        #expect(layout.events.upperBound == layout.stateRow, "\(height) \(legends)")
        #expect(layout.stateRow == height - 1)
      }
    }
  }

  @Test func whereRoomIsShortTheLegendIsCutAndThePlotStays() throws {
    let layout = try #require(PlotLayout(height: 24, legends: [40], eventCount: 5))
    #expect(layout.panels[0].plot.count == 10)
    #expect(layout.panels[0].legend.count == 10)
    #expect(layout.events.isEmpty)
  }
}

struct TerminalKindTests {
  private func kind(_ environment: [String: String], codeset: String = "UTF-8") -> TerminalKind {
    TerminalKind(environment: environment, codeset: codeset)
  }

  @Test func colorsAreThoseThatTheEnvironmentTells() {
    #expect(kind(["TERM": "xterm-256color"]).color == .palette)
    #expect(kind(["TERM": "xterm-256color", "COLORTERM": "truecolor"]).color == .direct)
    #expect(kind(["TERM": "xterm"]).color == .sixteen)
    #expect(kind(["TERM": "xterm-256color", "NO_COLOR": "1"]).color == .none)
    #expect(kind(["TERM": "xterm-256color", "NO_COLOR": ""]).color == .palette)
    #expect(kind(["TERM": "vt100"]).color == .none)
  }

  @Test func withoutACursorThereIsNoScreen() {
    #expect(!kind(["TERM": "dumb"]).hasCursor)
    #expect(kind(["TERM": "dumb", "COLORTERM": "truecolor"]).color == .none)
    #expect(!kind([:]).hasCursor)
    #expect(kind(["TERM": "screen"]).hasCursor)
  }

  @Test func brailleNeedsUnicodeAndAFont() {
    #expect(kind(["TERM": "xterm"]).isUnicode)
    #expect(!kind(["TERM": "xterm"], codeset: "ANSI_X3.4-1968").isUnicode)
    #expect(!kind(["TERM": "linux"]).isUnicode)
  }
}

struct PictureTests {
  @Test func onlyRowsThatChangedAreWritten() {
    var before = Picture(width: 10, height: 3)
    before.put("one", row: 0, column: 0)
    before.put("two", row: 1, column: 0)
    var after = before
    after.put("TWO", row: 1, column: 0, style: .failure)
    #expect(
      after.update(from: before, .sixteen) == "\u{1B}[2;1H\u{1B}[2K\u{1B}[1;31mTWO\u{1B}[0m")
    #expect(after.update(from: before, .none) == "\u{1B}[2;1H\u{1B}[2KTWO")
    #expect(after.update(from: after, .sixteen) == "")
  }

  @Test func textEndsAtTheEdgeAndWideCharactersTakeTwoColumns() {
    var picture = Picture(width: 5, height: 1)
    #expect(picture.put("a漢字x", row: 0, column: 0) == 5)
    #expect(picture.text(0) == "a漢字")
    var narrow = Picture(width: 4, height: 1)
    narrow.put("a漢字x", row: 0, column: 0)
    #expect(narrow.text(0) == "a漢")
  }

  @Test func namesFromOutsideDoNotSteerTheTerminal() {
    #expect("a\u{1B}[2Jb".printable == "a\\u{1b}[2Jb")
    #expect("\u{9B}31m\u{202E}".printable == "\\u{9b}31m\\u{202e}")
    #expect("größe °C".printable == "größe °C")
  }
}

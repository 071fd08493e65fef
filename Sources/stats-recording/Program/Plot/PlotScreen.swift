/// What of a model is on the screen, and how.
struct PlotView: Equatable, Sendable {
  var windowSeconds: Double
  /// The right edge of the picture, in the time of the records.
  var edge: Double
  var minimum: Double?
  var maximum: Double?
  var isPaused = false
  /// About the connection, where it needs saying.
  var trouble: String?
  /// The broker's address, until it sends.
  var connectsTo: String?
  /// Messages that are no records, and what is wrong with the last one.
  var unreadableCount = 0
  var unreadable = ""
  var title = ""
}

/// Draws a model into a picture; the same model and view give the same picture.
struct PlotScreen {
  let model: PlotModel
  let view: PlotView
  let terminal: TerminalKind
  private let time: TimeAxis
  private var picture: Picture

  static func draw(
    _ model: PlotModel, _ view: PlotView, width: Int, height: Int, _ terminal: TerminalKind
  ) -> Picture {
    var screen = PlotScreen(model, view, width, height, terminal)
    screen.draw()
    return screen.picture
  }

  private init(
    _ model: PlotModel, _ view: PlotView, _ width: Int, _ height: Int, _ terminal: TerminalKind
  ) {
    self.model = model
    self.view = view
    self.terminal = terminal
    picture = Picture(width: width, height: height)
    // In steps of a dot, so that what was drawn moves and does not change its shape.
    let step = view.windowSeconds / Double(max(20, width * 2))
    let end = (view.edge / step).rounded(.up) * step
    time = TimeAxis(start: end - view.windowSeconds, end: end)
  }

  private struct Line {
    let number: Int
    let name: String
    let unit: PlotUnit
    let points: ArraySlice<Series.Point>
    let summary: Summary?
  }

  private mutating func draw() {
    let names = LineName.short(model.lines.map(\.name))
    let lines = model.lines.enumerated().map { number, line in
      let points = line.series.points(from: time.start, to: time.end)
      return Line(
        number: number, name: names[number], unit: line.unit, points: points,
        summary: Summary(points))
    }
    var units: [PlotUnit] = []
    for line in lines where !units.contains(line.unit) { units.append(line.unit) }
    let panels = units.map { unit in lines.filter { $0.unit == unit } }
    let marks = model.marks.filter { time.start...time.end ~= $0.time }

    drawTitle(lines)
    guard
      let layout = PlotLayout(
        height: picture.height, legends: panels.map(\.count), eventCount: marks.count),
      picture.width >= 30
    else {
      picture.put(
        "too small: \(picture.width)x\(picture.height)"
          + (units.count > 1 ? " for \(units.count) units" : ""), row: picture.height / 2, column: 0
      )
      return
    }
    let scales = zip(panels, layout.panels).map { lines, panel in
      scale(lines, height: panel.plot.count)
    }
    let gutter = (scales.flatMap(\.labels).map { columns($0) }.max() ?? 1) + 1
    for (index, panel) in layout.panels.enumerated() {
      let scale = scales.indices ~= index ? scales[index] : nil
      drawAxis(panel.plot, scale, gutter)
      guard let scale else { continue }
      draw(panels[index], scale, panel.plot, gutter)
      drawLegend(panels[index], panel.legend, gutter)
    }
    drawTimes(layout, gutter)
    draw(marks, layout, gutter)
    drawState(layout.stateRow)
    if lines.isEmpty {
      let row = (layout.panels[0].plot.lowerBound + layout.panels[0].plot.upperBound) / 2
      picture.put(
        view.connectsTo.map { "connecting to \($0)" } ?? "waiting for a record with these fields",
        row: row, column: gutter + 3, style: .dim)
    }
  }

  private mutating func drawTitle(_ lines: [Line]) {
    let span = TimeSpan(seconds: view.windowSeconds).description
    let right = (view.isPaused ? "PAUSED  " : "") + span
    let limit = picture.width - columns(right) - 1
    picture.put(view.title, row: 0, column: 0, style: .strong, limit: limit)
    picture.put(
      right, row: 0, column: max(0, limit + 1), style: view.isPaused ? .notice : .dim)
  }

  private func scale(_ lines: [Line], height: Int) -> Scale {
    var range: ClosedRange<Double>?
    for summary in lines.compactMap(\.summary) {
      let other = summary.minimum...summary.maximum
      range =
        range.map {
          min($0.lowerBound, other.lowerBound)...max($0.upperBound, other.upperBound)
        } ?? other
    }
    return Scale(
      range, minimum: view.minimum, maximum: view.maximum, unit: lines[0].unit,
      tickCount: max(2, (height + 2) / 3))
  }

  private mutating func drawAxis(_ rows: Range<Int>, _ scale: Scale?, _ gutter: Int) {
    let (line, tick) = terminal.isUnicode ? ("│", "┤") : ("|", "+")
    for row in rows { picture.put(line, row: row, column: gutter, style: .dim) }
    guard let scale else { return }
    for (value, label) in zip(scale.ticks, scale.labels) {
      let row =
        rows.upperBound - 1 - Int((scale.position(value) * Double(rows.count - 1)).rounded())
      guard rows ~= row else { continue }
      picture.put(label, row: row, column: gutter - 1 - columns(label) + 1, style: .plain)
      picture.put(tick, row: row, column: gutter, style: .dim)
    }
  }

  private mutating func draw(_ lines: [Line], _ scale: Scale, _ rows: Range<Int>, _ gutter: Int) {
    let left = gutter + 1
    var canvas = Canvas(width: max(1, picture.width - left), height: rows.count)
    for line in lines {
      canvas.draw(line.points, time, scale, color: UInt8(truncatingIfNeeded: line.number))
    }
    for row in 0..<canvas.height {
      for column in 0..<canvas.width {
        guard
          let character = canvas.character(column, row, isUnicode: terminal.isUnicode)
        else { continue }
        picture.put(
          String(character), row: rows.lowerBound + row, column: left + column,
          style: .line(Int(canvas.color(column, row))))
      }
    }
    guard terminal.color == .none && lines.count > 1 else { return }
    for line in lines {
      guard let point = line.points.last(where: { $0.value != nil }), let value = point.value
      else { continue }
      let height = min(max(scale.position(value), 0), 1) * Double(canvas.dotHeight - 1)
      let column =
        Int((time.position(point.sample.time) * Double(canvas.dotWidth - 1)).rounded()) / 2
      let row = (canvas.dotHeight - 1 - Int(height.rounded())) / 4
      picture.put(letter(line), row: rows.lowerBound + row, column: left + column)
    }
  }

  /// What a line is called where colors do not tell.
  private func letter(_ line: Line) -> String {
    String(UnicodeScalar(UInt8(ascii: "a") + UInt8(line.number % 26)))
  }

  private mutating func drawLegend(_ lines: [Line], _ rows: Range<Int>, _ gutter: Int) {
    guard !rows.isEmpty else { return }
    let isCut = lines.count > rows.count
    let shown = lines.prefix(isCut ? rows.count - 1 : rows.count)
    let titles = ["min", "avg", "max", "last"]
    let figures = shown.map { line in
      line.summary.map { summary in
        [summary.minimum, summary.average, summary.maximum, summary.last].map(line.unit.text)
      } ?? titles.map { _ in "-" }
    }
    let widths = titles.indices.map { column in figures.map { columns($0[column]) }.max() ?? 0 }
    let figuresWidth =
      widths.reduce(0, +) + titles.reduce(0) { $0 + $1.count + 1 } + 2 * titles.count
    let longest = shown.map { columns($0.name) }.max() ?? 0
    let nameWidth = min(longest, max(8, picture.width - figuresWidth - 3))
    for (index, line) in shown.enumerated() {
      let row = rows.lowerBound + index
      let key = terminal.color == .none ? letter(line) : terminal.isUnicode ? "●" : "*"
      picture.put(key, row: row, column: 1, style: .line(line.number))
      let fits = columns(line.name) <= nameWidth
      let end = picture.put(line.name, row: row, column: 3, limit: 3 + nameWidth - (fits ? 0 : 1))
      if !fits { picture.put(terminal.isUnicode ? "…" : "~", row: row, column: end) }
      var column = 3 + nameWidth + 2
      for (title, (text, width)) in zip(titles, zip(figures[index], widths)) {
        column = picture.put(title, row: row, column: column, style: .dim) + 1
        picture.put(text, row: row, column: column + width - columns(text))
        column += width + 2
      }
    }
    if isCut {
      picture.put(
        "and \(lines.count - shown.count) more", row: rows.upperBound - 1, column: 3, style: .dim)
    }
  }

  private mutating func drawTimes(_ layout: PlotLayout, _ gutter: Int) {
    let left = gutter + 1
    let (corner, line, tick) = terminal.isUnicode ? ("└", "─", "┬") : ("+", "-", "+")
    picture.put(corner, row: layout.laneRow, column: gutter, style: .dim)
    for column in left..<max(left, picture.width) {
      picture.put(line, row: layout.laneRow, column: column, style: .dim)
    }
    var free = 0
    for mark in time.ticks(columns: picture.width - left) {
      let column = left + self.column(mark.time, left)
      picture.put(tick, row: layout.laneRow, column: column, style: .dim)
      let width = columns(mark.label)
      let start = min(max(0, column - width / 2), picture.width - width)
      guard start >= free else { continue }
      free = picture.put(mark.label, row: layout.timeRow, column: start) + 1
    }
  }

  private func column(_ time: Double, _ left: Int) -> Int {
    let dots = (picture.width - left) * 2
    return max(0, Int((self.time.position(time) * Double(dots - 1)).rounded()) / 2)
  }

  /// On the time axis: a restart, a failure, something else. The weightiest stays.
  private mutating func draw(_ marks: [PlotModel.Mark], _ layout: PlotLayout, _ gutter: Int) {
    for kind in [PlotModel.Mark.Kind.notice, .restart, .failure] {
      for mark in marks where mark.kind == kind {
        let column = gutter + 1 + self.column(mark.time, gutter + 1)
        picture.put(symbol(kind), row: layout.laneRow, column: column, style: style(kind))
      }
    }
    let manyDevices = Set(model.lines.map(\.name.device) + marks.map(\.device)).count > 1
    for (row, mark) in zip(layout.events, marks.suffix(layout.events.count)) {
      let clock = TimeAxis.localTime(mark.time, "%H:%M:%S")
      var column = picture.put(symbol(mark.kind), row: row, column: 1, style: style(mark.kind)) + 1
      column = picture.put(clock, row: row, column: column, style: .dim) + 1
      if manyDevices { column = picture.put(mark.device.printable, row: row, column: column) + 1 }
      picture.put(mark.words, row: row, column: column, style: style(mark.kind))
    }
  }

  private func symbol(_ kind: PlotModel.Mark.Kind) -> String {
    switch kind {
    case .restart: terminal.isUnicode ? "↻" : "R"
    case .failure: terminal.isUnicode ? "✖" : "X"
    case .notice: terminal.isUnicode ? "◆" : "o"
    }
  }

  private func style(_ kind: PlotModel.Mark.Kind) -> TextStyle {
    switch kind {
    case .restart: .strong
    case .failure: .failure
    case .notice: .notice
    }
  }

  private mutating func drawState(_ row: Int) {
    if let trouble = view.trouble {
      picture.put(trouble.printable, row: row, column: 0, style: .failure)
      return
    }
    let column = picture.put(
      "q quit  space \(view.isPaused ? "go on" : "pause")  +/- window", row: row, column: 0,
      style: .dim)
    var notes: [String] = []
    if model.missingCount > 0 {
      notes.append("\(model.missingCount) record\(model.missingCount == 1 ? "" : "s") missing")
    }
    if model.leftOutCount > 0 { notes.append("\(model.leftOutCount) lines left out") }
    if view.unreadableCount > 0 {
      notes.append("\(view.unreadableCount) unreadable: \(view.unreadable.printable)")
    }
    picture.put(notes.joined(separator: "  "), row: row, column: column + 2, style: .notice)
  }
}

import Foundation

/// The values of the lines as rows of columns: the time, then one for each line, with tabs between.
///
/// A record is a row; what it does not tell is empty. The first rows wait until all lines of a cycle
/// are known, so that the header has them; a line that comes later gets a column at the end, and
/// the header is written again.
struct PlotColumns {
  private var model: PlotModel
  private var headers: [String] = []
  private var waiting: [Row] = []
  private var isSettled = false
  private var firstRowAt: Double?

  private struct Row {
    let time: Int64
    var values: [(line: Int, text: String)]
  }

  /// How long the first rows wait at most.
  static let settlingSeconds = 2.0

  init(_ model: PlotModel) { self.model = model }

  /// What a reader should know of a stream that ends.
  var losses: String? {
    let missing = model.missingCount
    let parts = [
      missing > 0 ? "\(missing) records are missing" : nil,
      model.restartCount > 0 ? "\(model.restartCount) programs were started again" : nil,
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// Lines of text; a header comes before the rows.
  struct Output: Equatable {
    var header: String?
    var rows: [String] = []
  }

  /// What a record brings; `now` is the time of reception, on any clock.
  mutating func take(_ record: PublishedRecord, now: Double) -> Output {
    let change = model.take(record)
    model.forget(before: (model.newestTime ?? 0) - 3600)
    var row = Row(time: change.timeNanoseconds, values: [])
    for line in change.lines {
      let series = model.lines[line].series
      // Of a record that is late the value is not the last one.
      guard
        let point = series.points.last(where: { $0.sample.time <= change.time }),
        let value = point.value
      else { continue }
      row.values.append((line, text(value, line, record)))
    }
    guard !row.values.isEmpty else { return Output() }
    if isSettled { return Output(header: header(), rows: [text(row)]) }
    let isSecondCycle = waiting.contains { other in
      other.values.contains { value in row.values.contains { $0.line == value.line } }
    }
    waiting.append(row)
    firstRowAt = firstRowAt ?? now
    return isSecondCycle ? settle() : settleIfDue(now: now)
  }

  /// Lets go of what waits, if it has waited for long enough.
  mutating func settleIfDue(now: Double) -> Output {
    guard let firstRowAt, now - firstRowAt >= Self.settlingSeconds else { return Output() }
    return settle()
  }

  /// Lets go of what waits.
  mutating func settle() -> Output {
    if waiting.isEmpty { return Output() }
    isSettled = true
    defer { waiting = [] }
    return Output(header: header(), rows: waiting.map(text))
  }

  /// Nil if it has been written and is still right.
  private mutating func header() -> String? {
    guard headers.count < model.lines.count else { return nil }
    headers = model.lines.map { line in
      let name = line.name.full
      guard line.series.isCounter else { return name }
      if line.unit.unit == .ratio, name.hasSuffix("_seconds") {
        return name.dropLast("_seconds".count) + "_ratio"
      }
      return name + "_per_second"
    }
    return (["time"] + headers).joined(separator: "\t")
  }

  private func text(_ row: Row) -> String {
    var cells = [String](repeating: "", count: headers.count)
    for (line, text) in row.values { cells[line] = text }
    return ([Self.seconds(row.time)] + cells).joined(separator: "\t")
  }

  /// A value as it was sent; a rate to six digits.
  private func text(_ value: Double, _ line: Int, _ record: PublishedRecord) -> String {
    if !model.lines[line].series.isCounter,
      case .number(let digits)? = record.fields[model.lines[line].name.field]
    {
      return digits
    }
    return String(format: "%.6g", value)
  }

  /// Unix time as the records have it.
  private static func seconds(_ nanoseconds: Int64) -> String {
    let fraction = String(format: "%06d", Int(nanoseconds % 1_000_000_000 / 1000))
    return "\(nanoseconds / 1_000_000_000).\(fraction)"
  }
}

/// Prints columns as records come.
actor ColumnPrinter {
  private var columns: PlotColumns
  private let count: Int?
  private var printed = 0

  init(_ model: PlotModel, count: Int?) {
    columns = PlotColumns(model)
    self.count = count
  }

  /// Until there are enough rows, or the task is cancelled. Errors: there never was a connection.
  func run(_ events: AsyncStream<SubscriptionEvent>, prefix: String) async throws {
    let settling = Task {
      while true {
        try await Task.sleep(for: .milliseconds(250))
        if put(columns.settleIfDue(now: MonotonicClock.seconds)) { return }
      }
    }
    defer { settling.cancel() }
    var hasSubscribed = false
    for await event in events {
      switch event {
      case .subscribed: hasSubscribed = true
      case .lost(let failure):
        guard hasSubscribed else { throw failure }
        complain("\(failure); trying again")
      case .message(let message):
        switch MessageContent(message, prefix: prefix) {
        case .records(let records):
          for record in records where put(columns.take(record, now: MonotonicClock.seconds)) {
            return
          }
        case .status: break
        case .other(let words): complain(words)
        }
      }
    }
  }

  /// What still waits, and on standard error what was missing.
  func finish() {
    _ = put(columns.settle())
    if let losses = columns.losses { complain(losses) }
  }

  /// Whether that was enough.
  private func put(_ output: PlotColumns.Output) -> Bool {
    if let header = output.header { StandardOutput.put(header) }
    for row in output.rows {
      if let count, printed >= count { return true }
      StandardOutput.put(row)
      printed += 1
    }
    return count.map { printed >= $0 } ?? false
  }
}

import Records

/// Everything that is known for a plot: the lines, what happened, what is missing.
///
/// It knows times of records alone; when they were received is nothing to it.
struct PlotModel: Sendable {
  struct Line: Sendable {
    let name: LineName
    let unit: PlotUnit
    var series: Series
  }

  /// Something at a moment, of one device.
  struct Mark: Equatable, Sendable {
    enum Kind: Equatable, Sendable { case restart, failure, notice }

    let time: Double
    let kind: Kind
    let device: String
    let words: String
  }

  /// What a record brought: the lines that have a new point.
  struct Change: Equatable, Sendable {
    var lines: [Int] = []
    var time = 0.0
    var timeNanoseconds: Int64 = 0
  }

  let selection: PlotSelection
  let showsEvents: Bool
  private(set) var lines: [Line] = []
  private(set) var marks: [Mark] = []
  /// The latest time of a record.
  private(set) var newestTime: Double?
  private(set) var recordCount = 0
  private(set) var duplicateCount = 0
  private(set) var lateCount = 0
  private(set) var restartCount = 0
  private(set) var eventCount = 0
  private var continuity = Continuity()
  private var sources: [Source: [String: Int?]] = [:]

  /// So many marks are kept at most; the oldest go.
  static let markCapacity = 10_000
  private static let sourceCapacity = 20_000

  /// What a line may come from: a process id is given again to others.
  private struct Source: Hashable {
    let topic: RecordTopic
    let kind: String
    let process: String
  }

  init(_ selection: PlotSelection, showsEvents: Bool = true) {
    self.selection = selection
    self.showsEvents = showsEvents
  }

  var missingCount: UInt64 { continuity.missingCount }

  @discardableResult
  mutating func take(_ record: PublishedRecord) -> Change {
    let arrival = continuity.take(record)
    var change = Change(time: record.time, timeNanoseconds: record.timeNanoseconds)
    guard arrival.order != .duplicate else {
      duplicateCount += 1
      return change
    }
    recordCount += 1
    if arrival.order == .late { lateCount += 1 }
    newestTime = max(newestTime ?? record.time, record.time)
    mark(record, arrival)

    let source = Source(topic: record.topic, kind: record.kind, process: Self.process(record))
    if sources.count >= Self.sourceCapacity { sources = [:] }
    var known = sources.removeValue(forKey: source) ?? [:]
    defer { sources[source] = known }
    var sum: Double?
    var missing: [Range<UInt64>]?
    for member in record.fields {
      let index: Int?
      if let found = known[member.name] {
        index = found
      } else {
        index = line(of: member.name, record, source)
        known[member.name] = .some(index)
      }
      guard let index, let value = member.value.double, value.isFinite else { continue }
      var base = record.time
      if record.kind == "cpu_times" {
        sum = sum ?? Self.sumOfCPUTimes(record)
        base = sum ?? record.time
      }
      let gone = missing ?? continuity.missing(of: record.topic, run: arrival.run)
      missing = gone
      lines[index].series.insert(
        Sample(
          time: record.time, raw: value, base: base, run: arrival.run, sequence: record.sequence),
        missing: gone)
      change.lines.append(index)
    }
    return change
  }

  /// Lets go of what lies before a time.
  mutating func forget(before time: Double) {
    for index in lines.indices { lines[index].series.forget(before: time) }
    if let first = marks.first, first.time < time { marks.removeAll { $0.time < time } }
  }

  private mutating func mark(_ record: PublishedRecord, _ arrival: Continuity.Arrival) {
    var isBeginning = false
    if let beginning = arrival.beginning {
      isBeginning = true
      restartCount += 1
      let words =
        beginning == .reboot
        ? "\(record.topic.device) was started again" : "\(record.topic.program) was started again"
      add(Mark(time: record.time, kind: .restart, device: record.topic.device, words: words))
    }
    guard showsEvents, let event = RecordEvent(record) else { return }
    // That it runs is what the mark of its restart says.
    if isBeginning && record.kind == "source_state" { return }
    eventCount += 1
    add(
      Mark(
        time: record.time, kind: event.weight == .failure ? .failure : .notice,
        device: record.topic.device, words: event.words.printable))
  }

  private mutating func add(_ mark: Mark) {
    let index = (marks.lastIndex { $0.time <= mark.time } ?? -1) + 1
    marks.insert(mark, at: index)
    if marks.count > Self.markCapacity { marks.removeFirst() }
  }

  /// The number of the line that a field belongs to, a new one if need be; nil if none is wanted.
  private mutating func line(
    of field: String, _ record: PublishedRecord, _ source: Source
  ) -> Int? {
    guard selection.wants(field, of: record) else { return nil }
    let name = LineName(record.topic, field: field, process: source.process)
    if let index = lines.firstIndex(where: { $0.name == name }) { return index }
    let entry = FieldCatalog.entry(kind: record.kind, field: field)
    let isCounter = entry?.listed.field.nature == .counter
    var unit = entry.map { PlotUnit(of: $0.listed.field) } ?? PlotUnit(.none)
    if record.kind == "sensor", entry?.listed.isOptional == true,
      let quantity = record.fields["quantity"]?.text, let other = PlotUnit(quantity: quantity),
      !field.hasSuffix("alarm"), field != "fault"
    {
      unit = other
    }
    lines.append(Line(name: name, unit: unit, series: Series(isCounter: isCounter)))
    return lines.count - 1
  }

  private static func process(_ record: PublishedRecord) -> String {
    guard record.kind == "process" else { return "" }
    return record.fields["name"]?.readable ?? ""
  }

  /// All the time of a CPU, or of all together; that of guests is in `user_seconds` already.
  private static func sumOfCPUTimes(_ record: PublishedRecord) -> Double {
    var sum = 0.0
    for member in record.fields where !member.name.hasPrefix("guest") {
      if member.name.hasSuffix("_seconds") { sum += member.value.double ?? 0 }
    }
    return sum
  }
}

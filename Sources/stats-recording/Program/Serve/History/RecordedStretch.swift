/// A stretch of a device's past, as this server would know it had it been there.
///
/// Readings, lines, events and processes are made by the code that makes them of what comes.
struct RecordedStretch: Sendable {
  struct LineName: Hashable, Sendable {
    let chart: Chart
    let label: String
  }

  /// A line with what it needs to go on, and its points.
  struct Line: Sendable {
    fileprivate(set) var line: ChartLine
    fileprivate(set) var points: ThinnedPoints
  }

  let window: ClosedRange<Double>
  private let limits: Fleet.Limits
  private var device: Device
  private(set) var lines: [LineName: Line] = [:]
  /// The lines in the order in which they came.
  private(set) var names: [LineName] = []
  /// In the order of their times, with their ``DeviceEvent/recordedID``; the last 1000.
  private(set) var events: [DeviceEvent] = []
  private(set) var processes: [ProcessRow] = []

  /// Of the points of a line `limits.points` are kept, thinned; of lines `limits.series`.
  init(of device: String, _ window: ClosedRange<Double>, limits: Fleet.Limits) {
    self.window = window
    self.limits = limits
    self.device = Device(id: device)
  }

  /// Takes the next message of the recording.
  mutating func take(_ message: RecordedMessage) {
    if message.source.isStatus {
      guard let members = try? JSONValue(parsing: message.payload).members else { return }
      let event = device.take(status: members, now: Double(message.time) / 1e9)
      if let event { device.keep(event) }
    } else if let record = message.record {
      take(record)
    }
  }

  private mutating func take(_ record: PublishedRecord) {
    guard let noted = device.note(record), noted.arrival != .duplicate else { return }
    if let event = DeviceEvent(record) { device.keep(event) }
    if let kind = ChartReading.kind(of: record) { device.processes.take(record, kind) }
    let run = RecordRun(bootID: record.bootID, instance: record.instance)
    for reading in ChartReading.readings(of: record) {
      let name = LineName(chart: reading.chart, label: reading.label)
      guard addLine(name) else { continue }
      let points = lines[name]?.line.take(
        reading.input, time: record.time, run: run, missing: noted.missing)
      for point in points ?? [] { lines[name]?.points.add(point) }
    }
  }

  /// Whether there is room for it.
  private mutating func addLine(_ name: LineName) -> Bool {
    if lines[name] != nil { return true }
    guard names.count < limits.series else { return false }
    names.append(name)
    lines[name] = Line(
      // The ring is what tells it where it ended: all of its points are beside it.
      line: ChartLine(
        id: -names.count, device: device.id, chart: name.chart, label: name.label, capacity: 2),
      points: ThinnedPoints(
        from: window.lowerBound, to: window.upperBound, limit: limits.points))
    return true
  }

  /// All has been taken.
  mutating func end() {
    events = device.takeNewEvents { 0 }.map { event in
      var event = event
      event.id = event.recordedID
      return event
    }.sorted { $0.time < $1.time }
    processes = device.processes.sorted()
  }
}

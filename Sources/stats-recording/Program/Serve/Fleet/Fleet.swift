import Foundation

/// All devices with what the page shows of them, in bounded memory.
///
/// ``flush()`` puts what has changed into the journal that all browsers read from.
actor Fleet {
  struct Limits: Sendable {
    /// Points of a line that are kept.
    var points = 3600
    /// Lines that are kept, of all devices; the one that was heard from longest ago goes first.
    var series = 4000
    var devices = 500
    /// Bytes of changes that a browser may be behind.
    var journalBytes = 8 << 20
  }

  let limits: Limits
  private let prefix: String
  private var devices: [String: Device] = [:]
  private var lines: [Int: ChartLine] = [:]
  private var lineIDs: [LineKey: Int] = [:]
  private var nextLineID = 1
  private var arrivals = 0
  private var nextEventID = 1
  private var changes: [String: Changes] = [:]
  private var server = ServerSummary()
  private var serverIsChanged = true
  private(set) var journal: UpdateJournal

  private struct LineKey: Hashable {
    let device: String
    let chart: Chart
    let label: String
  }

  /// What a device's next update will say.
  private struct Changes {
    var summaryIsChanged = false
    var newLines: [Int] = []
    var removedLines: [Int] = []
    var points: [Int: [Point]] = [:]
  }

  /// `recorded` are the devices that are in recordings, with their times.
  init(prefix: String, limits: Limits, recorded: [String: ClosedRange<Double>] = [:]) {
    self.prefix = prefix
    self.limits = limits
    journal = UpdateJournal(byteLimit: limits.journalBytes)
    // Those that were heard last, where there are too many.
    let newest = recorded.sorted { $0.value.upperBound > $1.value.upperBound }
    for (id, times) in newest.prefix(limits.devices) {
      devices[id, default: Device(id: id)].note(recorded: times)
    }
    server.devicesRefused = max(0, newest.count - limits.devices)
  }

  // MARK: What comes from the broker

  func take(_ event: SubscriptionEvent) {
    switch event {
    case .subscribed:
      server.broker = nil
      serverIsChanged = true
    case .lost(let failure):
      server.broker = failure.description
      serverIsChanged = true
    case .message(let message):
      take(MessageContent(message, prefix: prefix), now: Date().timeIntervalSince1970)
    }
  }

  func take(_ content: MessageContent, now: Double) {
    switch content {
    case .other(let words):
      server.messagesRefused += 1
      server.refusal = String(words.prefix(300))
      serverIsChanged = true
    case .status(let topic, let members):
      withDevice(topic.device) { device in
        if let event = device.take(status: members, now: now) { device.keep(event) }
      }
    case .records(let records):
      for record in records { take(record) }
    }
  }

  private func take(_ record: PublishedRecord) {
    var noted: (arrival: ProgramLedger.Arrival, missing: Int)?
    withDevice(record.topic.device) { device in
      noted = device.note(record)
      guard let arrival = noted?.arrival, arrival != .duplicate else { return }
      if let event = DeviceEvent(record) { device.keep(event) }
      if let kind = ChartReading.kind(of: record) { device.processes.take(record, kind) }
    }
    guard let noted, noted.arrival != .duplicate else { return }
    for reading in ChartReading.readings(of: record) {
      take(reading, record, missing: noted.missing)
    }
  }

  private func take(_ reading: ChartReading, _ record: PublishedRecord, missing: Int) {
    let device = record.topic.device
    let key = LineKey(device: device, chart: reading.chart, label: reading.label)
    let id = lineIDs[key] ?? addLine(key)
    arrivals += 1
    lines[id]?.lastArrival = arrivals
    let droppedBefore = lines[id]?.ring.dropped ?? 0
    let points =
      lines[id]?.take(
        reading.input, time: record.time,
        run: RecordRun(bootID: record.bootID, instance: record.instance), missing: missing) ?? []
    server.pointsDropped += (lines[id]?.ring.dropped ?? 0) - droppedBefore
    if !points.isEmpty { changes[device, default: Changes()].points[id, default: []] += points }
  }

  private func addLine(_ key: LineKey) -> Int {
    if lines.count >= limits.series,
      let oldest = lines.values.min(by: { $0.lastArrival < $1.lastArrival })
    {
      lines[oldest.id] = nil
      lineIDs[LineKey(device: oldest.device, chart: oldest.chart, label: oldest.label)] = nil
      changes[oldest.device, default: Changes()].points[oldest.id] = nil
      changes[oldest.device, default: Changes()].removedLines.append(oldest.id)
      server.seriesDropped += 1
      serverIsChanged = true
    }
    let id = nextLineID
    nextLineID += 1
    lines[id] = ChartLine(
      id: id, device: key.device, chart: key.chart, label: key.label, capacity: limits.points)
    lineIDs[key] = id
    changes[key.device, default: Changes()].newLines.append(id)
    return id
  }

  private func withDevice(_ id: String, _ use: (inout Device) -> Void) {
    if devices[id] == nil, devices.count >= limits.devices || id.utf8.count > 200 {
      server.devicesRefused += 1
      serverIsChanged = true
      return
    }
    use(&devices[id, default: Device(id: id)])
    changes[id, default: Changes()].summaryIsChanged = true
  }

  // MARK: What goes to the browsers

  /// Writes what has changed since the last call into the journal.
  func flush() {
    var summaries: [DeviceSummary] = []
    for (id, change) in changes {
      guard var device = devices[id] else { continue }
      if change.summaryIsChanged { summaries.append(device.summary) }
      let updates = DeviceUpdate.updates(
        of: id, newLines: change.newLines.compactMap { lines[$0].map(SeriesDescription.init) },
        removedLines: change.removedLines, points: change.points,
        events: device.takeNewEvents { nextEventNumber() },
        processes: device.processes.isChanged ? device.processes.sorted() : nil)
      devices[id] = device
      for update in updates { journal.append("update", update, of: id) }
    }
    changes = [:]
    if !summaries.isEmpty || serverIsChanged {
      summaries.sort { $0.id < $1.id }
      journal.append("devices", FleetUpdate(devices: summaries, server: serverSummary), of: nil)
      serverIsChanged = false
    }
    journal.wakeReaders()
  }

  private func nextEventNumber() -> Int {
    defer { nextEventID += 1 }
    return nextEventID
  }

  private var serverSummary: ServerSummary {
    var summary = server
    summary.series = lines.count
    return summary
  }

  /// All devices; `position` is where the stream goes on from here.
  func overview() -> FleetOverview {
    flush()
    return FleetOverview(
      position: journal.position,
      devices: devices.values.map(\.summary).sorted { $0.id < $1.id }, server: serverSummary)
  }

  /// One device with its lines; nil if it has never been heard.
  func snapshot(of id: String, charts: Set<Chart>? = nil) -> DeviceSnapshot? {
    flush()
    guard var device = devices[id] else { return nil }
    let processes = device.processes.sorted()
    devices[id] = device
    let chosen = lines.values.filter {
      $0.device == id && charts?.contains($0.chart) ?? true
    }
    return DeviceSnapshot(
      device: id, position: journal.position, lines: chosen.sorted { $0.id < $1.id },
      events: device.events,
      processes: processes)
  }

  // MARK: Readers of the journal

  func addReader() -> UpdateJournal.Reader? { journal.addReader() }
  func removeReader(_ id: Int) { journal.removeReader(id) }
  func frames(after position: UpdateJournal.Position, device: String?) -> UpdateJournal.Frames {
    journal.frames(after: position, device: device)
  }
}

import Foundation

// The JSON of the interface, see PageServer for where each is to be had.

/// `/api/devices`.
struct FleetOverview: Encodable, Sendable {
  let position: String
  let devices: [DeviceSummary]
  let server: ServerSummary
}

/// Of the stream, event `devices`: those that have changed.
struct FleetUpdate: Encodable, Sendable {
  let devices: [DeviceSummary]
  let server: ServerSummary
}

/// What this program has to say of itself.
struct ServerSummary: Encodable, Sendable {
  /// When it was started, Unix time in seconds: what was before that is in recordings alone.
  let startedAt = Date().timeIntervalSince1970
  /// Why there is no broker; absent while there is one.
  var broker: String? = "not connected yet"
  var series = 0
  /// Lines that went to make room for others.
  var seriesDropped = 0
  var pointsDropped = 0
  /// Messages for devices beyond the limit.
  var devicesRefused = 0
  /// Messages that are no records.
  var messagesRefused = 0
  /// Why the last one is none.
  var refusal: String?
}

/// Of the stream, event `update`: what is new of one device.
struct DeviceUpdate: Encodable, Sendable {
  let device: String
  var series: [SeriesDescription] = []
  var removedSeries: [Int] = []
  var points: [SeriesPoints] = []
  var events: [DeviceEvent] = []
  /// All of them, where one has changed.
  var processes: [ProcessRow]?

  /// So many points or events are in one update, and no more: what a reader has not taken yet is held
  /// for each reader.
  private static let pointLimit = 2000
  private static let eventLimit = 200

  /// As many updates as it takes; none where nothing is new.
  static func updates(
    of device: String, newLines: [SeriesDescription], removedLines: [Int],
    points: [Int: [Point]], events: [DeviceEvent], processes: [ProcessRow]?
  ) -> [DeviceUpdate] {
    var updates: [DeviceUpdate] = []
    var update = DeviceUpdate(
      device: device, series: newLines, removedSeries: removedLines, processes: processes)
    var room = pointLimit
    for (id, points) in points.sorted(by: { $0.key < $1.key }) {
      var rest = points[...]
      while !rest.isEmpty {
        update.points.append(SeriesPoints(id: id, Array(rest.prefix(room))))
        let count = min(room, rest.count)
        rest = rest.dropFirst(count)
        room -= count
        if room == 0 {
          updates.append(update)
          (update, room) = (DeviceUpdate(device: device), pointLimit)
        }
      }
    }
    for first in stride(from: 0, to: events.count, by: eventLimit) {
      update.events = Array(events[first..<min(first + eventLimit, events.count)])
      updates.append(update)
      update = DeviceUpdate(device: device)
    }
    let isEmpty =
      update.series.isEmpty && update.removedSeries.isEmpty && update.points.isEmpty
      && update.processes == nil
    return isEmpty ? updates : updates + [update]
  }
}

struct SeriesDescription: Encodable, Sendable {
  let id: Int
  let chart: Chart
  let label: String

  init(_ line: ChartLine) {
    (id, chart, label) = (line.id, line.chart, line.label)
  }
}

/// Points by columns; a value that is null is a gap in the line.
struct SeriesPoints: Encodable, Sendable {
  let id: Int
  let times: [Double]
  let values: [Double?]

  init(id: Int, _ points: [Point]) {
    self.id = id
    times = points.map(\.time)
    values = points.map { $0.isGap ? nil : $0.value }
  }
}

/// `/api/charts`: what the page draws, in its order.
struct ChartDescription: Encodable, Sendable {
  let id: Chart
  let group: String
  let title: String
  let unit: Chart.Unit

  static let all = Chart.allCases.map {
    ChartDescription(id: $0, group: $0.group, title: $0.title, unit: $0.unit)
  }
}

/// What `/api/series`, `/api/events` and `/api/processes` are made from.
struct DeviceSnapshot: Sendable {
  let device: String
  let position: String
  let lines: [ChartLine]
  let events: [DeviceEvent]
  let processes: [ProcessRow]
}

import Foundation
import Hummingbird

/// The page and the interface that it uses, which is also for others. All of it is GET and JSON;
/// mistakes are answered with `{"error": "..."}`.
///
/// | path | what |
/// |---|---|
/// | `/` | the page |
/// | `/api/devices` | ``FleetOverview``: all devices, their programs and losses, and this server's |
/// | `/api/charts` | ``ChartDescription``: the charts and their units |
/// | `/api/series?device=ID` | the lines of a device with their points; also `&chart=cpu` (repeatable), `&from=` and `&to=` in Unix time, `&points=1000` at most for each line. With `from`, what recordings have of that time too; a line that is in them alone has an id below 0 |
/// | `/api/events?device=ID` | ``DeviceEvent``: what happened, the last 1000; with `&from=` and `&to=` of that time, and what recordings have of it too |
/// | `/api/processes?device=ID` | ``ProcessRow``: the processes as they were told last |
/// | `/events?device=ID` | server-sent events: `devices` (``FleetUpdate``), `update` of the device (``DeviceUpdate``), `resync` where the reader has to ask anew. `&after=POSITION` or the header Last-Event-ID goes on from there |
struct PageServer: Sendable {
  let fleet: Fleet
  let files: PageFiles
  var history: RecordedHistory?

  func router(anyHost: Bool) -> Router<BasicRequestContext> {
    let router = Router()
    router.addMiddleware { SecurityHeaders(anyHost: anyHost) }
    for (name, file) in files.files {
      router.get("/\(name)") { _, _ in
        Response(
          status: .ok, headers: [.contentType: file.type, .cacheControl: "no-cache"],
          body: ResponseBody(byteBuffer: file.bytes))
      }
    }
    router.get("/api/devices") { _, _ in Response.json(await fleet.overview()) }
    router.get("/api/charts") { _, _ in Response.json(ChartDescription.all) }
    router.get("/api/series") { request, _ in try await series(request) }
    router.get("/api/events") { request, _ in try await events(request) }
    router.get("/api/processes") { request, _ in try await processes(request) }
    router.get("/events") { request, _ in
      let query = request.uri.queryParameters
      let after = request.headers[.init("Last-Event-ID")!] ?? query["after"].map(String.init)
      return await EventStream(
        fleet: fleet, device: query["device"].map(String.init),
        // What is no place here is one of another server: it gets a resync.
        position: after.map { UpdateJournal.Position($0) ?? .init(run: "", number: 0) }
      ).response()
    }
    return router
  }

  private func snapshot(_ request: Request, charts: Set<Chart>? = nil) async throws(HTTPError)
    -> DeviceSnapshot
  {
    guard let device = request.uri.queryParameters["device"].map(String.init) else {
      throw HTTPError(.badRequest, message: "which device? Add ?device=ID; /api/devices lists them")
    }
    guard let snapshot = await fleet.snapshot(of: device, charts: charts) else {
      throw HTTPError(
        .notFound, message: "no device \(device) has been heard; /api/devices lists them")
    }
    return snapshot
  }

  private func series(_ request: Request) async throws(HTTPError) -> Response {
    let query = request.uri.queryParameters
    let names = query.getAll("chart")
    var charts: Set<Chart> = []
    for name in names {
      guard let chart = Chart(rawValue: String(name)) else {
        throw HTTPError(.badRequest, message: "no chart \(name); /api/charts lists them")
      }
      charts.insert(chart)
    }
    let (from, to) = try times(request)
    let limit = try number("points", query["points"], in: 2...1e6).map { Int($0) } ?? .max
    let snapshot = try await snapshot(request, charts: names.isEmpty ? nil : charts)
    let lines = joined(
      snapshot.lines, try await stretch(of: snapshot.device, from, to),
      charts.isEmpty ? Set(Chart.allCases) : charts)
    // A line at a time, so that a slow reader holds one of them, not all.
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody { writer in
        try await writer.write(
          ByteBuffer(string: #"{"position":"\#(snapshot.position)","series":["#))
        for (index, line) in lines.enumerated() {
          let points = line.points(from: from ?? -.infinity, to: to ?? .infinity, limit: limit)
          var bytes = ByteBuffer(string: index == 0 ? "" : ",\n")
          bytes.writeBytes(try JSONEncoder().encode(Series(line, points)))
          try await writer.write(bytes)
        }
        try await writer.write(ByteBuffer(string: "]}\n"))
        try await writer.finish(nil)
      })
  }

  /// What has come and what was recorded, each line once.
  private func joined(
    _ lines: [ChartLine], _ stretch: RecordedStretch?, _ charts: Set<Chart>
  ) -> [JoinedLine] {
    var recorded = stretch?.lines ?? [:]
    let live = lines.map {
      JoinedLine(
        $0, recorded: recorded.removeValue(forKey: .init(chart: $0.chart, label: $0.label)))
    }
    let alone = stretch?.names.compactMap { recorded[$0] } ?? []
    return live
      + alone.filter { charts.contains($0.line.chart) }.map(JoinedLine.init(recorded:))
  }

  private func events(_ request: Request) async throws(HTTPError) -> Response {
    let (from, to) = try times(request)
    let snapshot = try await snapshot(request)
    var events = snapshot.events
    if let recorded = try await stretch(of: snapshot.device, from, to)?.events {
      let known = Set(events.map(\.recordedID))
      events = recorded.filter { !known.contains($0.id) } + events
      events.sort { $0.time < $1.time }
    }
    events.removeAll { $0.time < from ?? -.infinity || $0.begin ?? $0.time > to ?? .infinity }
    return Response.json(events)
  }

  private func processes(_ request: Request) async throws(HTTPError) -> Response {
    let snapshot = try await snapshot(request)
    guard snapshot.processes.isEmpty, let history else { return Response.json(snapshot.processes) }
    do {
      return Response.json(try await history.lastProcesses(of: snapshot.device))
    } catch {
      throw HTTPError(.internalServerError, message: "\(error)")
    }
  }

  /// What was recorded of a time, if it has a beginning.
  private func stretch(
    of device: String, _ from: Double?, _ to: Double?
  ) async throws(HTTPError) -> RecordedStretch? {
    guard let history, let from else { return nil }
    let end = to ?? Date().timeIntervalSince1970
    do {
      return from <= end ? try await history.stretch(of: device, from...end) : nil
    } catch {
      throw HTTPError(.internalServerError, message: "\(error)")
    }
  }

  private func times(_ request: Request) throws(HTTPError) -> (from: Double?, to: Double?) {
    let query = request.uri.queryParameters
    return (
      try number("from", query["from"], in: -1e11...1e11),
      try number("to", query["to"], in: -1e11...1e11)
    )
  }

  private func number(
    _ name: String, _ text: Substring?, in range: ClosedRange<Double>
  ) throws(HTTPError) -> Double? {
    guard let text else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw HTTPError(
        .badRequest,
        message: "\(name)=\(text): a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Of `/api/series`: a line with its points.
  struct Series: Encodable {
    let id: Int
    let chart: Chart
    let label: String
    let times: [Double]
    let values: [Double?]
    /// Points that went because the line had too many.
    let dropped: Int

    init(_ line: JoinedLine, _ points: [Point]) {
      (id, chart, label) = (line.id, line.chart, line.label)
      let columns = SeriesPoints(id: line.id, points)
      (times, values) = (columns.times, columns.values)
      dropped = line.dropped
    }
  }
}

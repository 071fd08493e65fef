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
/// | `/api/series?device=ID` | the lines of a device with their points; also `&chart=cpu` (repeatable), `&from=` and `&to=` in Unix time, `&points=1000` at most for each line |
/// | `/api/events?device=ID` | ``DeviceEvent``: what happened, the last 1000 |
/// | `/api/processes?device=ID` | ``ProcessRow``: the processes as they were told last |
/// | `/events?device=ID` | server-sent events: `devices` (``FleetUpdate``), `update` of the device (``DeviceUpdate``), `resync` where the reader has to ask anew. `&after=POSITION` or the header Last-Event-ID goes on from there |
struct PageServer: Sendable {
  let fleet: Fleet
  let files: PageFiles

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
    router.get("/api/events") { request, _ in Response.json(try await snapshot(request).events) }
    router.get("/api/processes") { request, _ in
      Response.json(try await snapshot(request).processes)
    }
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
    let from = try number("from", query["from"], in: -1e11...1e11)
    let to = try number("to", query["to"], in: -1e11...1e11)
    let limit = try number("points", query["points"], in: 2...1e6).map { Int($0) } ?? .max
    let snapshot = try await snapshot(request, charts: names.isEmpty ? nil : charts)
    // A line at a time, so that a slow reader holds one of them, not all.
    return Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: ResponseBody { writer in
        try await writer.write(
          ByteBuffer(string: #"{"position":"\#(snapshot.position)","series":["#))
        for (index, line) in snapshot.lines.enumerated() {
          let points = line.ring.points(
            from: from ?? -.infinity, to: to ?? .infinity, limit: limit)
          var bytes = ByteBuffer(string: index == 0 ? "" : ",\n")
          bytes.writeBytes(try JSONEncoder().encode(Series(line, points)))
          try await writer.write(bytes)
        }
        try await writer.write(ByteBuffer(string: "]}\n"))
        try await writer.finish(nil)
      })
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

    init(_ line: ChartLine, _ points: [Point]) {
      (id, chart, label) = (line.id, line.chart, line.label)
      let columns = SeriesPoints(id: line.id, points)
      (times, values) = (columns.times, columns.values)
      dropped = line.ring.dropped
    }
  }
}

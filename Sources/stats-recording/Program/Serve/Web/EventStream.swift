import Hummingbird
import ServiceLifecycle

/// `/events`: what changes, as server-sent events, until the browser or this program ends.
struct EventStream: Sendable {
  let fleet: Fleet
  /// Whose updates are wanted beside those of the list of devices.
  let device: String?
  /// Where to go on; nil: from now on.
  let position: UpdateJournal.Position?

  func response() async -> Response {
    guard let reader = await fleet.addReader() else {
      return .failure(
        .serviceUnavailable, "\(UpdateJournal.readerLimit) browsers look on already; close one")
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream"],
      body: ResponseBody { writer in
        do {
          try await write(reader, to: &writer)
        } catch {
          // The browser is gone.
        }
        await fleet.removeReader(reader.id)
        try await writer.finish(nil)
      })
  }

  private func write(_ reader: UpdateJournal.Reader, to writer: inout any ResponseBodyWriter)
    async throws
  {
    try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
    var place = position
    if place == nil { place = UpdateJournal.Position(await fleet.overview().position) }
    var quietWakeUps = 0
    for await _ in reader.wakeUps.cancelOnGracefulShutdown() {
      var frames: UpdateJournal.Frames
      var hasWritten = false
      repeat {
        guard let from = place else { return }
        frames = await fleet.frames(after: from, device: device)
        if frames.position == nil {
          // Too far behind, or of another run of this server: the page asks for all of it again.
          let now = await fleet.overview().position
          place = UpdateJournal.Position(now)
          try await writer.write(ByteBuffer(string: "id: \(now)\nevent: resync\ndata: {}\n\n"))
          hasWritten = true
          break
        }
        place = frames.position
        if frames.bytes.readableBytes > 0 {
          try await writer.write(frames.bytes)
          hasWritten = true
        }
      } while frames.isBehind
      // A comment now and then finds out who is gone.
      quietWakeUps = hasWritten ? 0 : quietWakeUps + 1
      if quietWakeUps >= Self.quietLimit {
        quietWakeUps = 0
        try await writer.write(ByteBuffer(string: ": still here\n\n"))
      }
    }
  }

  /// Wake-ups come with each ``FlushTicker`` turn: this is 15 s.
  private static let quietLimit = 30
}

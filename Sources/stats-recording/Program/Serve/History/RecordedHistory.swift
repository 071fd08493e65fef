import Foundation

/// What was before this server was there to hear it, read from recordings when somebody asks.
///
/// The recordings are read on a thread of their own, one stretch at a time: neither what comes nor
/// other requests wait for a disk.
actor RecordedHistory {
  /// The devices, each with the time of its first and its last message, Unix time in seconds.
  nonisolated let devices: [String: ClosedRange<Double>]
  private let paths: [String]
  private let limits: Fleet.Limits
  private let queue = DispatchQueue(label: "recordings")
  private var last: (device: String, stretch: RecordedStretch, at: ContinuousClock.Instant)?

  /// The lines, events and processes of one request are of the same stretch.
  private static let freshness = Duration.seconds(5)

  /// Errors: one of them is none, or there is nothing in it.
  init(_ paths: [String], limits: Fleet.Limits) throws(RecordingFailure) {
    self.limits = limits
    self.paths = paths
    var devices: [String: ClosedRange<Double>] = [:]
    for path in paths {
      let found = try AnyRecording(path).devices()
      guard !found.isEmpty else {
        throw RecordingFailure(
          "\(path): nothing is recorded in it yet; stats-recording record writes into it")
      }
      for (device, times) in found {
        let times = Double(times.lowerBound) / 1e9...Double(times.upperBound) / 1e9
        let known = devices[device] ?? times
        devices[device] =
          min(known.lowerBound, times.lowerBound)...max(known.upperBound, times.upperBound)
      }
    }
    self.devices = devices
  }

  /// What was recorded of a device in this time; nil if it is in no recording. Errors: one cannot be
  /// read.
  func stretch(
    of device: String, _ window: ClosedRange<Double>
  ) async throws(RecordingFailure) -> RecordedStretch? {
    guard devices[device] != nil else { return nil }
    if let last, last.device == device, last.stretch.window == window,
      .now - last.at < Self.freshness
    {
      return last.stretch
    }
    let (paths, limits) = (paths, limits)
    let result: Result<RecordedStretch, RecordingFailure> = await withCheckedContinuation {
      continuation in
      queue.async {
        continuation.resume(
          returning: Result { () throws(RecordingFailure) in
            try Self.read(paths, of: device, window, limits)
          })
      }
    }
    let stretch = try result.get()
    last = (device, stretch, .now)
    return stretch
  }

  /// The processes as they were told last.
  func lastProcesses(of device: String) async throws(RecordingFailure) -> [ProcessRow] {
    guard let end = devices[device]?.upperBound else { return [] }
    return try await stretch(of: device, end - 600...end + 1)?.processes ?? []
  }

  private static func read(
    _ paths: [String], of device: String, _ window: ClosedRange<Double>,
    _ limits: Fleet.Limits
  ) throws(RecordingFailure) -> RecordedStretch {
    func nanoseconds(_ time: Double) -> Int64 { Int64(max(-9e18, min(9e18, time * 1e9))) }
    let times = nanoseconds(window.lowerBound)..<nanoseconds(window.upperBound) + 1
    var stretch = RecordedStretch(of: device, window, limits: limits)
    var streams: [() throws -> RecordedMessage?] = []
    // Opened anew: a recorder rotates its files meanwhile.
    for path in paths {
      var messages = try AnyRecording(path).messages(of: device, times)
      streams.append { try messages.next() }
    }
    do {
      var merged = try OrderedMerge(streams, key: \.time)
      while let message = try merged.next() { stretch.take(message) }
    } catch {
      throw error as? RecordingFailure ?? RecordingFailure("\(error)")
    }
    stretch.end()
    return stretch
  }
}

import Foundation

/// A recording of either form, to be read.
enum AnyRecording {
  case csv(CSVRecording)
  case sqlite(Recording)

  /// By what stands at the path: a folder or a CSV file, or an SQLite file. Errors: neither.
  init(_ path: String) throws(RecordingFailure) {
    let beginning = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: 16) }
    if beginning == Data("SQLite format 3\0".utf8) {
      self = .sqlite(try Recording(path))
    } else {
      self = .csv(try CSVRecording(path))
    }
  }

  /// The messages that are wanted, in the order that is wanted. CSV files are in the order of arrival;
  /// for another one they are read into an SQLite file that is gone at the end. `torn` is told what
  /// is not whole.
  func messages(
    _ selection: RecordingSelection, torn: @escaping (String) -> Void
  ) throws(RecordingFailure) -> RecordedMessages {
    switch self {
    case .sqlite(let recording): return try recording.messages(selection)
    case .csv(let recording):
      var messages = try recording.messages(torn: torn)
      guard case .arrival = selection.order else {
        return try Self.sorted(messages, selection)
      }
      return RecordedMessages {
        while let message = try messages.next() {
          if selection.includes(message.source) && selection.includes(message) { return message }
        }
        return nil
      }
    }
  }

  /// The messages of a device that were taken in these times, Unix time in nanoseconds: by their times
  /// from SQLite, as they came from CSV, where nothing else is in order.
  func messages(
    of device: String, _ times: Range<Int64>
  ) throws(RecordingFailure) -> RecordedMessages {
    var selection = RecordingSelection(device: device, times: times)
    switch self {
    case .sqlite(let recording):
      selection.order = .oldestFirst
      return try recording.messages(selection)
    case .csv(let recording):
      var messages = try recording.messages(of: device, from: times.lowerBound) { _ in }
      return RecordedMessages {
        while let message = try messages.next() {
          if selection.includes(message.source) && selection.includes(message) { return message }
        }
        return nil
      }
    }
  }

  /// The devices, each with the times of its first and its last message, Unix time in nanoseconds.
  func devices() throws(RecordingFailure) -> [String: ClosedRange<Int64>] {
    switch self {
    case .csv(let recording): try recording.devices()
    case .sqlite(let recording): try recording.devices()
    }
  }

  private static func sorted(
    _ messages: RecordedMessages, _ selection: RecordingSelection
  ) throws(RecordingFailure) -> RecordedMessages {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "stats-recording-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw RecordingFailure("\(folder): \(error.localizedDescription)")
    }
    let path = "\(folder)/sorted.sqlite"
    let writer = try RecordingWriter(path, RecordingLimits())
    var messages = messages
    try writer.copy(&messages)
    // Its descriptors outlive the names.
    let sorted = try Recording(path)
    writer.close()
    return try sorted.messages(selection)
  }
}

extension RecordingTarget {
  /// Writes all messages; returns what became of them. `progress` is told it after each batch. Errors:
  /// one cannot be read.
  @discardableResult
  func copy(
    _ messages: inout RecordedMessages, progress: (RecordingCount) -> Void = { _ in }
  ) throws(RecordingFailure) -> RecordingCount {
    var count = RecordingCount()
    var batch: [Arrival] = []
    while let message = try messages.next() {
      batch.append(try Arrival(message))
      if batch.count == 2000 {
        count += write(batch)
        batch.removeAll(keepingCapacity: true)
        progress(count)
      }
    }
    count += write(batch)
    return count
  }
}

import Foundation

/// A file of one kind to which rows are added, whole ones only.
final class CSVFile {
  let folder: String
  let stem: String
  let layout: CSVLayout
  /// What was written is on the disk after each ``flush()``.
  private let isDurable: Bool
  /// Bytes that are whole rows.
  private(set) var size = 0
  /// The first and the last row's arrival.
  private(set) var firstReceived: Int64?
  private(set) var lastReceived: Int64?
  private var descriptor: Int32 = -1
  private var pending: [UInt8] = []
  private var pendingLast: Int64?
  /// What was added since the last ``flush()``.
  private(set) var pendingArrivals: [Arrival] = []
  var pendingBytes: Int { pending.count }
  /// Something that is no whole row may stand behind ``size``.
  private var isTorn = false

  var path: String { "\(folder)/\(CSVName.file(stem))" }
  var isOpen: Bool { descriptor >= 0 }

  init(folder: String, stem: String, layout: CSVLayout, isDurable: Bool) {
    self.folder = folder
    self.isDurable = isDurable
    self.stem = stem
    self.layout = layout
  }

  /// Goes on with a file that is there; what is behind its last whole row goes at the next write.
  init(
    folder: String, stem: String, found: CSVInspection, layout: CSVLayout, isDurable: Bool
  ) {
    self.folder = folder
    self.isDurable = isDurable
    self.stem = stem
    self.layout = layout
    size = found.wholeBytes
    firstReceived = found.first?.received
    lastReceived = found.last?.received
  }

  deinit { close() }

  func append(_ arrival: Arrival) {
    if size == 0 && pending.isEmpty { pending = layout.header }
    pending += layout.row(arrival)
    pendingArrivals.append(arrival)
    firstReceived = firstReceived ?? arrival.message.received
    pendingLast = arrival.message.received
  }

  /// Writes what was added. Errors: none of it is there, and it is in ``pendingArrivals`` until
  /// ``forget()``.
  func flush() throws(RecordingFailure) {
    guard !pending.isEmpty else { return }
    if descriptor < 0 {
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard descriptor >= 0 else { throw failure("open") }
    }
    if isTorn {
      guard ftruncate(descriptor, size) == 0 else { throw failure("ftruncate") }
      isTorn = false
    }
    var written = 0
    while written < pending.count {
      let count = pending.withUnsafeBytes {
        write(descriptor, $0.baseAddress! + written, $0.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let failure = failure("write")
        isTorn = ftruncate(descriptor, size) != 0
        throw failure
      }
      written += count
    }
    if isDurable && fdatasync(descriptor) != 0 {
      let failure = failure("fdatasync")
      isTorn = ftruncate(descriptor, size) != 0
      throw failure
    }
    size += pending.count
    lastReceived = pendingLast
    forget()
  }

  /// Lets go what could not be written.
  func forget() {
    pending.removeAll(keepingCapacity: true)
    pendingArrivals.removeAll(keepingCapacity: true)
    if size == 0 { firstReceived = nil }
  }

  /// What was written stays; the next write opens it again.
  func close() {
    if descriptor >= 0 { Foundation.close(descriptor) }
    descriptor = -1
  }

  /// Closes it and gives it the name that it keeps.
  func rotate() throws(RecordingFailure) {
    close()
    guard size > 0, let firstReceived else { return }
    let name = "\(folder)/\(CSVName.rotated(stem, first: firstReceived))"
    guard rename(path, name) == 0 else { throw failure("rename") }
  }

  private func failure(_ call: String) -> RecordingFailure {
    RecordingFailure("\(path): \(call): \(String(cString: strerror(errno)))")
  }
}

import Foundation

/// A folder of CSV files, one for each device, program and kind, that records are written to.
final class CSVFolder: RecordingTarget {
  let path: String
  private(set) var lastReceived: Int64 = 0
  private let limits: RecordingLimits
  private let lock: RecordingLock
  private let isDurable: Bool
  private var files: [RecordedKind: CSVFile] = [:]
  private var openFiles: [CSVFile] = []
  private var seen = SeenRecords()
  /// Files of which the last records are in ``seen``.
  private var rememberedStems: Set<String> = []
  private var notices: [String] = []
  private var fault: RecordingFault
  private var removal: CSVRemoval
  private var removalFails = false

  /// libmosquitto waits with select(2), which knows no descriptor above 1023.
  static let maximumOpenFiles = 200

  /// Makes the folder if it is not there, and goes on with the files that are; what is written is on the
  /// disk after each ``write(_:)`` if it `isDurable`. Errors: it cannot be made or read, or another
  /// recorder has it.
  init(
    _ path: String, _ limits: RecordingLimits, isDurable: Bool = false
  ) throws(RecordingFailure) {
    self.path = path
    self.limits = limits
    self.isDurable = isDurable
    fault = RecordingFault(isHeld: isDurable)
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw RecordingFailure("\(path): cannot be made: \(error.localizedDescription)")
    }
    lock = try RecordingLock("\(path)/.lock", names: path)
    removal = CSVRemoval(path, limits)
    for (folder, file) in try CSVRemoval.files(path) {
      guard let stem = CSVName.activeStem(file) else { continue }
      do throws(RecordingFailure) {
        try goOn(folder: "\(path)/\(folder)", stem: stem)
      } catch { notices.append("\(error); it is left as it is") }
    }
  }

  /// Which file a record goes to; the prefix is a column.
  private struct RecordedKind: Hashable {
    let device: String
    let program: String
    let kind: String
  }

  func write(_ arrivals: [Arrival], failed: inout [Arrival]) -> RecordingCount {
    var count = RecordingCount()
    var dirty: [ObjectIdentifier: CSVFile] = [:]
    var changedFolders: Set<String> = []
    for arrival in arrivals {
      lastReceived = max(lastReceived, arrival.message.received)
      do throws(RecordingFailure) {
        // It knows what its file holds.
        let file = try file(arrival.message.source)
        if let identity = arrival.identity,
          !seen.insert(identity, of: arrival.message.source.topic)
        {
          count.duplicated += 1
          continue
        }
        if file.size == 0 { changedFolders.insert(file.folder) }
        file.append(arrival)
        dirty[ObjectIdentifier(file)] = file
        if let limit = limits.rotateSize, file.size + file.pendingBytes >= limit {
          dirty[ObjectIdentifier(file)] = nil
          count += flush(file, failed: &failed)
          rotate(file)
          changedFolders.insert(file.folder)
        }
      } catch {
        count.notWritten += 1
        failed.append(arrival)
        tell(fault.failed(error, records: 1))
      }
    }
    for file in dirty.values { count += flush(file, failed: &failed) }
    if isDurable && !changedFolders.isEmpty {
      for folder in changedFolders { synchronize(folder) }
      synchronize(path)
    }
    return count
  }

  /// Brings the names of new files to the disk.
  private func synchronize(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { Foundation.close(descriptor) } }
    guard descriptor < 0 || fsync(descriptor) != 0 else { return }
    tell(
      "\(folder): fsync: \(String(cString: strerror(errno))); "
        + "what was written last may not be on the disk")
  }

  private func flush(_ file: CSVFile, failed: inout [Arrival]) -> RecordingCount {
    let rows = file.pendingArrivals.count
    do throws(RecordingFailure) {
      makeRoom(for: file)
      try file.flush()
      tell(fault.succeeded(path))
      return RecordingCount(written: rows)
    } catch {
      // They are not there: when they come again they are no duplicates.
      for arrival in file.pendingArrivals {
        if let identity = arrival.identity {
          seen.remove(identity, of: arrival.message.source.topic)
        }
      }
      failed += file.pendingArrivals
      file.forget()
      tell(fault.failed(error, records: rows))
      return RecordingCount(notWritten: rows)
    }
  }

  func tidy() {
    if let age = limits.rotateAge {
      let now = Int64(Date().timeIntervalSince1970 * 1e6)
      for file in files.values where file.size > 0 {
        if let first = file.firstReceived, now - first >= age { rotate(file) }
      }
    }
    do throws(RecordingFailure) {
      notices += try removal.run { [self] path in
        guard let entry = files.first(where: { $0.value.path == path }) else { return }
        entry.value.close()
        openFiles.removeAll { $0 === entry.value }
        files[entry.key] = nil
      }
      removalFails = false
    } catch {
      defer { removalFails = true }
      guard !removalFails else { return }
      tell("\(error); nothing is removed until that is over")
    }
  }

  func close() {
    for file in files.values { file.close() }
    openFiles.removeAll()
  }

  func takeNotices() -> [String] {
    defer { notices.removeAll() }
    return notices
  }

  var removed: String? {
    limits.keepSize == nil && limits.keepAge == nil
      ? nil : "\(removal.count) files removed (\(ByteCount.words(removal.bytes)))"
  }

  // MARK: Files

  private func file(_ source: RecordedSource) throws(RecordingFailure) -> CSVFile {
    let kind = RecordedKind(
      device: source.topic.device, program: source.topic.program, kind: source.kind)
    if let file = files[kind] { return file }
    let folder = "\(path)/\(CSVName.folder(kind.device))"
    if mkdir(folder, 0o755) != 0 && errno != EEXIST {
      throw RecordingFailure("\(folder): mkdir: \(String(cString: strerror(errno)))")
    }
    let layout = CSVLayout(kind: source.kind)
    let stem = CSVName.stem(source)
    let file =
      try goOn(folder: folder, stem: stem, layout: layout)
      ?? CSVFile(folder: folder, stem: stem, layout: layout, isDurable: isDurable)
    files[kind] = file
    return file
  }

  /// Looks at a file that is there: tells a torn row, remembers what is in it. nil: begin anew.
  @discardableResult
  private func goOn(
    folder: String, stem: String, layout: CSVLayout? = nil
  ) throws(RecordingFailure) -> CSVFile? {
    let name = "\(folder)/\(CSVName.file(stem))"
    guard access(name, F_OK) == 0 else {
      try remember(folder: folder, stem: stem, until: nil)
      return nil
    }
    let found = try CSVInspection(name)
    try remember(folder: folder, stem: stem, until: found)
    if found.tornBytes > 0 {
      guard truncate(name, found.wholeBytes) == 0 else {
        throw RecordingFailure("\(name): truncate: \(String(cString: strerror(errno)))")
      }
      notices.append("\(name): its last row was torn: \(found.tornBytes) bytes dropped")
    }
    remember(found)
    let file = CSVFile(
      folder: folder, stem: stem, found: found,
      layout: found.layout ?? layout ?? CSVLayout(kind: ""), isDurable: isDurable)
    // Another version had other columns.
    guard let layout, found.layout != layout, file.size > 0 else { return file }
    try file.rotate()
    return nil
  }

  private func remember(_ found: CSVInspection) {
    for message in found.recent {
      if let record = message.record { _ = seen.insert(record.identity, of: record.topic) }
    }
    lastReceived = max(lastReceived, found.last?.received ?? 0)
  }

  /// What came last may be in a file that was rotated a moment before the recorder ended.
  private func remember(
    folder: String, stem: String, until active: CSVInspection?
  ) throws(RecordingFailure) {
    guard rememberedStems.insert("\(folder)/\(stem)").inserted else { return }
    var newest = active?.last?.received
    var oldest = active?.first?.received
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names.filter(CSVName.isRotated).sorted().reversed()
    where CSVName.stem(ofFile: name) == stem {
      if let newest, let oldest, newest - oldest > CSVInspection.recentMicroseconds { return }
      let found = try CSVInspection("\(folder)/\(name)")
      remember(found)
      newest = newest ?? found.last?.received
      oldest = found.first?.received ?? oldest
    }
  }

  private func makeRoom(for file: CSVFile) {
    if file.isOpen { return }
    if openFiles.count >= Self.maximumOpenFiles { openFiles.removeFirst().close() }
    openFiles.append(file)
  }

  private func rotate(_ file: CSVFile) {
    openFiles.removeAll { $0 === file }
    do throws(RecordingFailure) { try file.rotate() } catch {
      tell("\(error); its rows go on in the same file")
      return
    }
    if let entry = files.first(where: { $0.value === file }) { files[entry.key] = nil }
  }

  private func tell(_ notice: String?) {
    if let notice { notices.append(notice) }
  }
}

/// The records that were seen, to know one that comes twice.
struct SeenRecords {
  private struct Run: Hashable {
    let device: String
    let program: String
    let run: RecordRun
  }

  private var runs: [Run: SequenceSet] = [:]

  /// When there are more runs than these, all are forgotten.
  static let capacity = 100_000

  /// Whether it is new.
  mutating func insert(_ identity: RecordIdentity, of topic: RecordTopic) -> Bool {
    if runs.count > Self.capacity { runs.removeAll() }
    return runs[
      Run(device: topic.device, program: topic.program, run: identity.run),
      default: SequenceSet()
    ].insert(identity.sequence)
  }

  mutating func remove(_ identity: RecordIdentity, of topic: RecordTopic) {
    runs[Run(device: topic.device, program: topic.program, run: identity.run)]?
      .remove(identity.sequence)
  }
}

/// One recorder has a recording: flock(2), so that it goes with the process.
final class RecordingLock {
  private let descriptor: Int32

  /// Errors: another process has it.
  init(_ path: String, names: String) throws(RecordingFailure) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw RecordingFailure("\(path): \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw RecordingFailure("\(names): another recorder writes there; give this one another place")
    }
  }

  deinit { close(descriptor) }
}

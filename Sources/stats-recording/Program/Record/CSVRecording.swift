import Foundation

/// A CSV file, or a folder of them, to be read, also while it is being written.
struct CSVRecording {
  let path: String
  private let groups: [Group]
  /// It is a folder with one for each device.
  private let hasDeviceFolders: Bool

  /// Files of which one goes on where the other ends:
  /// `epoll-psi.pressure_stall.csv` after `epoll-psi.pressure_stall.2026….csv`.
  private struct Group {
    let folder: String
    let stem: String
    /// A file that is read alone, whatever is beside it.
    var file: String?

    /// Where rows are added.
    var active: String { file ?? "\(folder)/\(CSVName.file(stem))" }

    /// Those to which no row comes any more, oldest first.
    var rotated: [String] {
      guard file == nil else { return [] }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { CSVName.isRotated($0) && CSVName.stem(ofFile: $0) == stem }.sorted()
        .map { "\(folder)/\($0)" }
    }
  }

  /// Errors: there is nothing, or no CSV file in it.
  init(_ path: String) throws(RecordingFailure) {
    self.path = path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RecordingFailure("\(path): there is no such file or folder")
    }
    guard isFolder.boolValue else {
      groups = [Group(folder: "", stem: "", file: path)]
      hasDeviceFolders = false
      return
    }
    var files = try CSVRemoval.files(path).map { ("\(path)/\($0.folder)", $0.file) }
    hasDeviceFolders = !files.isEmpty
    if files.isEmpty {
      // The folder of one device.
      let names = try? FileManager.default.contentsOfDirectory(atPath: path)
      files = (names ?? []).filter { $0.hasSuffix(".csv") }.map { (path, $0) }
    }
    guard !files.isEmpty else { throw RecordingFailure("\(path): there is no CSV file in it") }
    let grouped = Dictionary(grouping: files) { folder, file in
      [folder, CSVName.stem(ofFile: file)]
    }
    groups = grouped.keys.sorted { $0.lexicographicallyPrecedes($1) }
      .map { Group(folder: $0[0], stem: $0[1]) }
  }

  /// The messages in the order in which they came; of all devices, or not much more than those of one
  /// that were taken at a time, Unix time in nanoseconds, or later. `torn` is told a row that is not
  /// whole.
  func messages(
    of device: String? = nil, from time: Int64? = nil, torn: @escaping (String) -> Void
  ) throws(RecordingFailure) -> RecordedMessages {
    var groups = groups
    if let device, hasDeviceFolders {
      let folder = "\(path)/\(CSVName.folder(device))"
      groups.removeAll { $0.folder != folder }
    }
    Self.allow(files: groups.count)
    do {
      var merge = try OrderedMerge(
        groups.map { group in
          let ended = try time.map { try Self.ended($0, group.rotated) } ?? []
          return Self.stream(group, without: ended, torn: torn)
        }, key: { $0.received })
      return RecordedMessages { try merge.next() }
    } catch {
      throw error as? RecordingFailure ?? RecordingFailure("\(path): \(error)")
    }
  }

  /// Of rotated files those that ended long before a time, by when the first row of the next came.
  private static func ended(
    _ time: Int64, _ rotated: [String]
  ) throws(RecordingFailure) -> Set<String> {
    // The clock of a device may be ahead of the one by which rows came.
    let margin: Int64 = 86_400 * 1_000_000
    var ended: Set<String> = []
    for (file, next) in zip(rotated, rotated.dropFirst()) {
      guard var reader = try open(next), let first = try reader.next(),
        first.received < time / 1000 - margin
      else { break }
      ended.insert(file)
    }
    return ended
  }

  /// The devices, each with the times of its first and its last message, Unix time in nanoseconds, in
  /// the order in which they came. Errors: a file cannot be read.
  func devices() throws(RecordingFailure) -> [String: ClosedRange<Int64>] {
    var devices: [String: ClosedRange<Int64>] = [:]
    for group in groups {
      let files = group.rotated + [group.active]
      var found: [RecordedMessage] = []
      for file in files where found.isEmpty {
        if var reader = try Self.open(file), let message = try reader.next() {
          found.append(message)
        }
      }
      // The last file may be empty: it has just been begun.
      for file in files.reversed() where found.count == 1 {
        if var reader = try Self.open(file), let last = try reader.lastMessage() {
          found.append(last)
        }
      }
      for message in found {
        let device = message.source.topic.device
        let known = devices[device] ?? message.time...message.time
        devices[device] =
          min(known.lowerBound, message.time)...max(known.upperBound, message.time)
      }
    }
    return devices
  }

  /// One file of each group is open at a time: of 100 devices more than a process may by default.
  private static func allow(files count: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count + 100)))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// nil: it has just been rotated, or removed because it was too old.
  private static func open(_ path: String) throws(RecordingFailure) -> CSVReader? {
    do throws(RecordingFailure) { return try CSVReader(path) } catch {
      if access(path, F_OK) != 0 && errno == ENOENT { return nil }
      throw error
    }
  }

  /// A recorder may rotate the active file at any moment: what it was then is among the rotated ones.
  private static func stream(
    _ group: Group, without ended: Set<String>, torn: @escaping (String) -> Void
  ) -> () throws -> RecordedMessage? {
    var read = ended
    var reader: CSVReader?
    var isLast = false
    func next() throws(RecordingFailure) -> CSVReader? {
      while true {
        // Opened before others are looked for: if it is rotated later, it is read all the same.
        let active = try open(group.active)
        guard let rotated = group.rotated.first(where: { !read.contains($0) }) else {
          isLast = true
          return active
        }
        read.insert(rotated)
        if let reader = try open(rotated) { return reader }
      }
    }
    return {
      while true {
        if reader == nil {
          if isLast { return nil }
          reader = try next()
          if reader == nil { return nil }
        }
        if let message = try reader?.next() { return message }
        if let reader, reader.offset < reader.fileSize {
          torn(
            "\(reader.path): its last row is torn or being written: "
              + "\(reader.fileSize - reader.offset) bytes left out")
        }
        reader = nil
      }
    }
  }
}

import Foundation

/// A CSV file, or a folder of them, to be read.
struct CSVRecording {
  let path: String
  /// Files of which one goes on where the other ends, oldest first.
  private let groups: [[String]]

  /// Errors: there is nothing, or no CSV file in it.
  init(_ path: String) throws(RecordingFailure) {
    self.path = path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RecordingFailure("\(path): there is no such file or folder")
    }
    guard isFolder.boolValue else {
      groups = [[path]]
      return
    }
    var files = try CSVRemoval.files(path).map { ("\(path)/\($0.folder)", $0.file) }
    if files.isEmpty {
      // The folder of one device.
      let names = try? FileManager.default.contentsOfDirectory(atPath: path)
      files = (names ?? []).filter { $0.hasSuffix(".csv") }.sorted().map { (path, $0) }
    }
    guard !files.isEmpty else { throw RecordingFailure("\(path): there is no CSV file in it") }
    // `epoll-psi.pressure_stall.csv` goes on after `epoll-psi.pressure_stall.2026….csv`.
    let grouped = Dictionary(grouping: files) { folder, file in
      "\(folder)/\(CSVName.stem(ofFile: file))"
    }
    groups = grouped.sorted { $0.key < $1.key }.map { _, files in
      files.map(\.1).sorted { left, right in
        let isLast = (!CSVName.isRotated(left), !CSVName.isRotated(right))
        return isLast.0 == isLast.1 ? left < right : !isLast.0
      }.map { "\(files[0].0)/\($0)" }
    }
  }

  /// All messages in the order in which they came. `torn` is told a row that is not whole.
  func messages(torn: @escaping (String) -> Void) throws(RecordingFailure) -> RecordedMessages {
    Self.allow(files: groups.count)
    do {
      var merge = try OrderedMerge(
        groups.map { Self.stream($0, torn: torn) }, key: { $0.received })
      return RecordedMessages { try merge.next() }
    } catch {
      throw error as? RecordingFailure ?? RecordingFailure("\(path): \(error)")
    }
  }

  /// One file of each group is open at a time: of 100 devices more than a process may by default.
  private static func allow(files count: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(count + 100)))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private static func stream(
    _ files: [String], torn: @escaping (String) -> Void
  ) -> () throws -> RecordedMessage? {
    var rest = files[...]
    var reader: CSVReader?
    return {
      while true {
        if reader == nil {
          guard let path = rest.popFirst() else { return nil }
          reader = try CSVReader(path)
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

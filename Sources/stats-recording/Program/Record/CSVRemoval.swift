import Foundation

/// Removes the oldest files of a folder when there are too many bytes or they are too old.
struct CSVRemoval {
  private let folder: String
  private let limits: RecordingLimits
  /// How many were removed, and their bytes.
  private(set) var count = 0
  private(set) var bytes = 0
  /// Files of which it is known whether they are ours.
  private var ours: [String: Bool] = [:]

  init(_ folder: String, _ limits: RecordingLimits) {
    self.folder = folder
    self.limits = limits
  }

  /// The CSV files of all devices, by folder and name.
  static func files(_ path: String) throws(RecordingFailure) -> [(folder: String, file: String)] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted().flatMap { folder in
        guard !folder.hasPrefix("."), Self.isFolder("\(path)/\(folder)") else {
          return [(folder: String, file: String)]()
        }
        return try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
          .filter { $0.hasSuffix(".csv") }.map { (folder, $0) }
      }
    } catch {
      throw RecordingFailure("\(path): \(error.localizedDescription)")
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private struct Entry {
    let path: String
    let size: Int
    /// When its last row was written.
    let changed: TimeInterval
  }

  /// Removes what is due; a line for each file. `release` is told before a file goes.
  mutating func run(release: (String) -> Void) throws(RecordingFailure) -> [String] {
    guard limits.keepSize != nil || limits.keepAge != nil else { return [] }
    var entries: [Entry] = []
    for (device, file) in try Self.files(folder) {
      let path = "\(folder)/\(device)/\(file)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, isOurs(path) else {
        continue
      }
      entries.append(
        Entry(
          path: path, size: Int(status.st_size),
          changed: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9))
    }
    entries.sort { ($0.changed, $0.path) < ($1.changed, $1.path) }
    var total = entries.reduce(0) { $0 + $1.size }
    let now = Date().timeIntervalSince1970
    var lines: [String] = []
    for entry in entries {
      var reason: String?
      if let age = limits.keepAge, now - entry.changed > Double(age) / 1e6 {
        reason = "it is older than --keep-age"
      } else if let size = limits.keepSize, total > size {
        reason = "there is more than --keep-size"
      }
      guard let reason else { continue }
      release(entry.path)
      guard unlink(entry.path) == 0 else {
        throw RecordingFailure("\(entry.path): unlink: \(String(cString: strerror(errno)))")
      }
      ours[entry.path] = nil
      total -= entry.size
      count += 1
      bytes += entry.size
      lines.append("\(entry.path): removed (\(ByteCount.words(entry.size))): \(reason)")
    }
    return lines
  }

  /// A file of somebody else is never removed.
  private mutating func isOurs(_ path: String) -> Bool {
    if let known = ours[path] { return known }
    guard let reader = try? CSVReader(path) else { return false }
    // A header that is being written is looked at again.
    guard reader.layout != nil else { return false }
    ours[path] = true
    return true
  }
}

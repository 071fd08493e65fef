import CLinux
import Daemon
import Linux
import Records

/// How full the mounted file systems are: /proc/self/mountinfo and statvfs(3).
///
/// A local file system is asked directly. One whose answer comes from a server or another process,
/// and one whose path leads through such a one, is asked by a child process, and waited for only
/// for a moment; see ``FileSystemQuestions``.
struct FileSystemGroup: ~Copyable {
  private let file: SmallFile
  private let patience: UInt64
  private var buffer: [UInt8] = []
  private var path: [UInt8] = []
  private var table: MountTable
  private var questions = FileSystemQuestions()
  /// The devices whose trouble the log has told.
  private var complaints: [UInt64] = []
  private var hasWarned = false

  /// Errors: those of open(2) on mountinfo.
  init(
    procfs: String, sysfs: String, showsAll: Bool = false, patience: UInt64 = 500_000_000
  ) throws(SystemError) {
    let file = try SmallFile(procfs + "/self/mountinfo")
    self.file = file
    self.patience = patience
    table = MountTable(showsAll: showsAll)
    path.reserveCapacity(Int(PATH_MAX))
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    let count = try file.read(into: &buffer)
    table.choose(from: buffer.span.extracting(first: count))
    if table.strangeLines > 0 && !hasWarned {
      hasWarned = true
      log.warning("\(file.path) has a line that is not understood: left out")
    }
    try askDistant(log)
    for index in table.choices.indices {
      let choice = table.choices[index]
      let answer: FileSystemAnswer?
      if choice.mayHang {
        answer = questions.takeAnswer(of: choice.mount.device)
      } else {
        setPath(choice.mount)
        answer = path.withUnsafeBytes { FileSystemAnswer(path: $0.baseAddress!) }
      }
      guard let body = body(of: choice.mount, answer, log) else { continue }
      try sender.report(body, log)
    }
  }

  private mutating func askDistant(_ log: Log) throws(SystemError) {
    let choices = table.choices
    questions.keepOnly { device in choices.contains { $0.mount.device == device } }
    // What came too late for the last sample is too old for this one.
    questions.wait(nanoseconds: 0)
    for choice in choices where choice.mayHang {
      _ = questions.takeAnswer(of: choice.mount.device)
      setPath(choice.mount)
      _ = try path.withUnsafeBytes { (bytes) throws(SystemError) in
        try questions.ask(choice.mount.device, path: bytes.baseAddress!)
      }
    }
    questions.wait(nanoseconds: patience)
  }

  private mutating func setPath(_ mount: Mount) {
    path.removeAll(keepingCapacity: true)
    let text = buffer.span
    Mount.forEachByte(of: mount.point, in: text) { path.append($0) }
    path.append(0)
  }

  /// The record, or nil where there is nothing to tell.
  private mutating func body(
    of mount: Mount, _ answer: FileSystemAnswer?, _ log: Log
  ) -> FileSystem? {
    if let answer, answer.isOfPseudoFileSystem { return nil }
    let text = buffer.span
    var body = FileSystem()
    Mount.forEachByte(of: mount.point, in: text) { body.mountPoint.append($0) }
    Mount.forEachByte(of: mount.source, in: text) { body.device.append($0) }
    Mount.forEachByte(of: mount.type, in: text) { body.type.append($0) }
    body.isReadOnly = mount.isReadOnly
    let complaint = complaints.firstIndex(of: mount.device)
    if let answer, answer.errno == 0 {
      body.take(answer)
      if let complaint {
        complaints.remove(at: complaint)
        log.information("the file system at \(name(mount)) answers again")
      }
      return body
    }
    if complaint == nil {
      if complaints.count >= 256 { complaints.removeAll(keepingCapacity: true) }
      complaints.append(mount.device)
      let why =
        answer.map { String(cString: strerror(Int32(truncatingIfNeeded: $0.errno))) }
        ?? "no answer within \(Interval(nanoseconds: patience).description)"
      log.warning("the file system at \(name(mount)) does not say how full it is: \(why)")
    }
    return body
  }

  private func name(_ mount: Mount) -> String {
    String(decoding: mount.point.map { buffer[$0] }, as: UTF8.self)
  }
}

import CLinux
import Daemon
import Linux
import Records

/// How full the mounted file systems are: /proc/self/mountinfo and statvfs(3).
///
/// A local file system is asked directly. One whose answer comes from a server or another process,
/// and one whose path leads through such a one, is asked by a child process, and waited for only
/// for a moment; see ``FileSystemQuestions``.
struct FileSystemGroup: ~Copyable, Group {
  private var file: ProcFile
  private let patience: UInt64
  private var buffer: [UInt8] = []
  private var path: [UInt8] = []
  private var table: MountTable
  private var questions = FileSystemQuestions()
  /// The devices whose trouble the log has told.
  private var complaints: [UInt64] = []
  private var hasWarned = false

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    try self.init(procfs: procfs, showsAll: false, patience: Self.patience)
  }

  init(_ options: GroupOptions) throws(SystemError) {
    try self.init(
      procfs: options.procfs, showsAll: options.showsAllFileSystems, patience: Self.patience)
  }

  init(procfs: Text, showsAll: Bool, patience: UInt64) throws(SystemError) {
    var file = ProcFile("\(procfs)/self/mountinfo")
    try file.open()
    self.file = file
    self.patience = patience
    table = MountTable(showsAll: showsAll)
    path.reserveCapacity(Int(PATH_MAX))
  }

  /// For how long all other groups may wait for the distant file systems of one sample.
  private static var patience: UInt64 { 500_000_000 }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    guard let count = file.read(into: &buffer, log) else { return }
    let text = buffer
    table.choose(from: text.span.extracting(first: count))
    if let error = table.error { file.refuse(error, log) }
    askDistant(log)
    for index in table.choices.indices {
      let choice = table.choices[index]
      let answer: FileSystemAnswer?
      if choice.mayHang {
        answer = questions.takeAnswer(of: choice.mount.device)
      } else {
        setPath(choice.mount)
        answer = FileSystemAnswer(path: path)
      }
      guard let body = body(of: choice.mount, answer, log) else { continue }
      try sender.send(body, log)
    }
  }

  private mutating func askDistant(_ log: Log) {
    let choices = table.choices
    questions.keepOnly { device in choices.contains { $0.mount.device == device } }
    // What came too late for the last sample is too old for this one.
    questions.wait(nanoseconds: 0)
    for choice in choices where choice.mayHang {
      _ = questions.takeAnswer(of: choice.mount.device)
      setPath(choice.mount)
      do throws(SystemError) {
        try questions.ask(choice.mount.device, path: path)
      } catch {
        if !hasWarned {
          log.warning("distant file systems cannot be asked: \(error.description)")
        }
        hasWarned = true
      }
    }
    questions.wait(nanoseconds: patience)
  }

  private mutating func setPath(_ mount: Mount) {
    path.removeAll(keepingCapacity: true)
    let text = buffer
    Mount.forEachByte(of: mount.point, in: text.span) { path.append($0) }
    path.append(0)
  }

  /// The record, or nil where there is nothing to tell.
  private mutating func body(
    of mount: Mount, _ answer: FileSystemAnswer?, _ log: Log
  ) -> FileSystem? {
    if let answer, answer.isOfPseudoFileSystem { return nil }
    var body = FileSystem()
    Mount.forEachByte(of: mount.point, in: buffer.span) { body.mountPoint.append($0) }
    Mount.forEachByte(of: mount.source, in: buffer.span) { body.device.append($0) }
    Mount.forEachByte(of: mount.type, in: buffer.span) { body.type.append($0) }
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
        answer.map { Text(cString: strerror(Int32(truncatingIfNeeded: $0.errno))) }
        ?? "no answer within \(Interval(nanoseconds: patience).description)"
      log.warning("the file system at \(name(mount)) does not say how full it is: \(why)")
    }
    return body
  }

  private func name(_ mount: Mount) -> Text {
    Text(mount.point.map { buffer[$0] })
  }
}

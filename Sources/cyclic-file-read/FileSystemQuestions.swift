import CLinux
import Linux

/// Asks file systems that may never answer, each in a child process of its own.
///
/// statvfs(3) on a network mount without its server does not return, and in the kernel's wait not
/// even SIGKILL may end it. A thread in it would keep the program from ending, a child does not. A
/// child that got no answer stays, and so tells when the file system is back; until then no second
/// one is sent, and nobody waits for it.
struct FileSystemQuestions: ~Copyable {
  private struct Question {
    let device: UInt64
    let child: pid_t
    /// The pipe through which the child answers.
    let descriptor: Int32
    /// It had its time, and did not answer.
    var isLate: Bool
    var answer: FileSystemAnswer?
  }

  private var questions: [Question] = []
  private var descriptors: [pollfd] = []
  /// Children that were killed, and may still be in the kernel's wait.
  private var leaving: [pid_t] = []

  deinit {
    for question in questions {
      _ = kill(question.child, SIGKILL)
      _ = close(question.descriptor)
    }
  }

  /// Sends a child to ask for the file system at a path, which ends with a NUL, unless an earlier
  /// question is open. Errors: those of pipe(2) and fork(2).
  mutating func ask(_ device: UInt64, path: [UInt8]) throws(SystemError) {
    guard !questions.contains(where: { $0.device == device }) else { return }
    var ends: [2 of Int32] = [-1, -1]
    let made = withUnsafeMutablePointer(to: &ends) {
      $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) }
    }
    guard made == 0 else { throw SystemError("pipe") }
    let child = fork()
    if child == 0 { Self.answer(path, through: ends[1]) }
    let errno = clinux_errno()
    _ = close(ends[1])
    guard child > 0 else {
      _ = close(ends[0])
      throw SystemError("fork", errno: errno)
    }
    _ = clinux_close_on_exec(ends[0])
    questions.append(Question(device: device, child: child, descriptor: ends[0], isLate: false))
  }

  /// The child's whole life. Nothing of the parent's stays open in it, least of all a pipe whose
  /// reader waits for its end.
  private static func answer(_ path: [UInt8], through descriptor: Int32) -> Never {
    _ = clinux_die_with_parent(SIGKILL)
    _ = dup2(descriptor, 0)
    _ = clinux_close_from(1)
    var answer = FileSystemAnswer(path: path)
    _ = write(0, &answer, MemoryLayout<FileSystemAnswer>.size)
    _exit(0)
  }

  /// Waits until all children sent since the last call have answered, for so long at most; then
  /// what did not answer is late.
  mutating func wait(nanoseconds: UInt64) {
    let deadline = monotonicNanoseconds() + nanoseconds
    while true {
      descriptors.removeAll(keepingCapacity: true)
      var isAwaited = false
      for question in questions where question.answer == nil {
        descriptors.append(pollfd(fd: question.descriptor, events: Int16(POLLIN), revents: 0))
        if !question.isLate { isAwaited = true }
      }
      let now = monotonicNanoseconds()
      let rest = isAwaited && now < deadline ? (deadline - now) / 1_000_000 + 1 : 0
      let count = poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: rest))
      if count < 0 && clinux_errno() == EINTR { continue }
      for index in descriptors.indices where descriptors[index].revents != 0 {
        take(from: descriptors[index].fd)
      }
      if count <= 0 { break }
    }
    for index in questions.indices where questions[index].answer == nil {
      questions[index].isLate = true
    }
  }

  private mutating func take(from descriptor: Int32) {
    guard let index = questions.firstIndex(where: { $0.descriptor == descriptor }) else { return }
    var answer = FileSystemAnswer()
    let size = MemoryLayout<FileSystemAnswer>.size
    // A child that somebody killed leaves an empty pipe.
    if read(descriptor, &answer, size) != size { answer.errno = Int64(ECHILD) }
    questions[index].answer = answer
    // With its answer, or without it at its end, nothing keeps it any more.
    while waitpid(questions[index].child, nil, 0) < 0 && clinux_errno() == EINTR {}
  }

  /// Takes the answer, if it is there; the file system can be asked again then.
  mutating func takeAnswer(of device: UInt64) -> FileSystemAnswer? {
    guard let index = questions.firstIndex(where: { $0.device == device && $0.answer != nil })
    else { return nil }
    let question = questions.remove(at: index)
    _ = close(question.descriptor)
    return question.answer
  }

  /// Forgets the questions about what is not mounted any more.
  mutating func keepOnly(_ isMounted: (_ device: UInt64) -> Bool) {
    leaving.removeAll { waitpid($0, nil, WNOHANG) != 0 }
    var index = 0
    while index < questions.count {
      if isMounted(questions[index].device) {
        index += 1
      } else {
        end(questions.remove(at: index))
      }
    }
  }

  private mutating func end(_ question: Question) {
    _ = close(question.descriptor)
    guard question.answer == nil else { return }
    _ = kill(question.child, SIGKILL)
    leaving.append(question.child)
  }
}

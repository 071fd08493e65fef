import Synchronization

/// Who may use libdtrace: its handles share variables, so that a program beside or after one that ran
/// is refused by the kernel. A process runs one; programs that were wrong do not count.
enum DTurn {
  /// A class, so that another thread can take it; nobody else has it then.
  private final class Leftover: @unchecked Sendable {
    private let session: DSession

    init(_ session: consuming DSession) { self.session = session }
  }

  private struct State {
    var isTaken = false
    /// Its program was wrong, so that it has nothing in the kernel; closing it takes seconds, which are
    /// spent only if there is another program.
    var leftover: Leftover?
  }

  private static let state = Mutex(State())

  /// Throws if another consumer has begun, unless its program was wrong.
  static func begin() throws(TraceError) {
    let isMine = state.withLock { state in
      guard !state.isTaken else { return false }
      state.leftover = nil
      state.isTaken = true
      return true
    }
    guard isMine else {
      throw .outOfOrder(
        "libdtrace runs one program in a process: start another process for the next")
    }
  }

  static func giveBack() { state.withLock { $0.isTaken = false } }

  static func giveBack(_ session: consuming DSession) {
    let leftover = Leftover(session)
    state.withLock {
      $0.leftover = leftover
      $0.isTaken = false
    }
  }
}

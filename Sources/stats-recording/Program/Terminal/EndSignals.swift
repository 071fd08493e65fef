import Dispatch
import Foundation

/// SIGINT and SIGTERM as a switch, for a command that has something to finish.
final class EndSignals: @unchecked Sendable {
  private let sources: [any DispatchSourceSignal]
  private let lock = NSLock()
  private var received: Int32?

  /// `body` is called once, on some thread.
  init(_ body: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for (source, number) in zip(sources, [SIGINT, SIGTERM]) {
      source.setEventHandler { [self] in
        let isFirst = lock.withLock {
          defer { received = received ?? number }
          return received == nil
        }
        if isFirst { body() }
      }
      source.activate()
    }
  }

  /// Ends the process by the signal that came, as a shell wants to see it; else nothing.
  func finish() {
    for source in sources { source.cancel() }
    guard let number = lock.withLock({ received }) else { return }
    endProcess(bySignal: number)
  }
}

/// Ends this process as a signal ends it, whatever is blocked in this thread: a shell then knows why.
func endProcess(bySignal number: Int32) -> Never {
  signal(number, SIG_DFL)
  raiseUnblocked(number)
  exit(128 + number)
}

/// Threads of Dispatch block signals, and those that they start inherit that.
func raiseUnblocked(_ number: Int32) {
  var signals = sigset_t()
  sigemptyset(&signals)
  sigaddset(&signals, number)
  pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  raise(number)
}

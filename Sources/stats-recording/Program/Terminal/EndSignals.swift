import Dispatch
import Foundation

/// SIGINT and SIGTERM, for a command that has something to finish; SIGUSR1 asks it meanwhile.
final class EndSignals: @unchecked Sendable {
  /// Set when one of the two has come.
  let ended = OneWaySwitch()
  private let lock = NSLock()
  private var sources: [any DispatchSourceSignal] = []
  private var received: Int32?
  private var isAsked = false

  /// `body` is called once, on some thread.
  init(_ body: @escaping @Sendable () -> Void = {}) {
    for number in [SIGINT, SIGTERM] {
      handle(number) { [self] in
        let isFirst = lock.withLock {
          defer { received = received ?? number }
          return received == nil
        }
        guard isFirst else { return }
        ended.set()
        body()
      }
    }
    handle(SIGUSR1) { [self] in lock.withLock { isAsked = true } }
  }

  private func handle(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: body)
    source.activate()
    sources.append(source)
  }

  /// Waits for one of the two.
  static func wait() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let signals = EndSignals { continuation.finish() }
    for await _ in stream {}
    withExtendedLifetime(signals) {}
  }

  /// Whether SIGUSR1 came since this was called last.
  func takeAsked() -> Bool {
    lock.withLock {
      defer { isAsked = false }
      return isAsked
    }
  }

  /// Ends the process by the signal that came, as a shell wants to see it; else nothing.
  func finish() {
    for source in sources { source.cancel() }
    guard let number = lock.withLock({ received }) else { return }
    signal(number, SIG_DFL)
    kill(getpid(), number)
    while true { pause() }
  }
}

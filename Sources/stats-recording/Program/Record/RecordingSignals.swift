import Foundation

/// SIGINT and SIGTERM end what runs; SIGUSR1 asks it for something meanwhile.
final class RecordingSignals {
  let ended = OneWaySwitch()
  private let asked = Counted()
  private var sources: [any DispatchSourceSignal] = []

  init() {
    handle(SIGINT) { [ended] in ended.set() }
    handle(SIGTERM) { [ended] in ended.set() }
    handle(SIGUSR1) { [asked] in asked.add() }
  }

  /// Whether SIGUSR1 came since this was called last.
  func takeAsked() -> Bool { asked.take() }

  private func handle(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: body)
    source.activate()
    sources.append(source)
  }

  private final class Counted: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func add() { lock.withLock { value += 1 } }

    func take() -> Bool {
      lock.withLock {
        defer { value = 0 }
        return value > 0
      }
    }
  }
}

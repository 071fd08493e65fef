import Foundation

/// SIGTERM and SIGINT as they come; they no longer end the process by themselves.
func endSignals() -> AsyncStream<Int32> {
  AsyncStream { continuation in
    let sources = SignalSources(continuation)
    continuation.onTermination = { _ in sources.cancel() }
  }
}

/// Dispatch's own objects may be used from any thread; it does not say so.
private final class SignalSources: @unchecked Sendable {
  private let sources: [any DispatchSourceSignal]

  init(_ continuation: AsyncStream<Int32>.Continuation) {
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
  }

  func cancel() {
    for source in sources { source.cancel() }
  }
}

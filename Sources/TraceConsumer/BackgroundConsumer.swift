import Foundation

/// What a running program gives.
public enum TraceEvent: Hashable, Sendable {
  case record(TraceProbe, TraceRecord)
  /// What an aggregation got since the last one of the same key.
  case aggregate(TraceAggregate)
}

/// Runs a program on a thread of its own, until it ends or is stopped.
public final class BackgroundConsumer: @unchecked Sendable {
  private let consumer: TraceConsumer
  private let interval: Duration
  private let body: @Sendable (TraceEvent) -> Void
  /// Guards everything below, and tells of the end.
  private let condition = NSCondition()
  private var isStarted = false
  private var isStopping = false
  private var result: Result<Void, any Error>?

  /// Gives records as they come and walks the aggregations each interval, on the thread of its own.
  public init(
    _ consumer: TraceConsumer, walkEvery interval: Duration = .seconds(1),
    _ body: @escaping @Sendable (TraceEvent) -> Void
  ) {
    self.consumer = consumer
    self.interval = interval
    self.body = body
  }

  /// Compiles the program and puts its probes in place; they are when it returns.
  public func start(_ program: String) throws(TraceError) {
    condition.lock()
    let isStarted = isStarted
    self.isStarted = true
    condition.unlock()
    guard !isStarted else { throw .outOfOrder("start was called before") }
    do {
      try consumer.compile(program)
      try consumer.go()
    } catch {
      end(.failure(error))
      throw error
    }
    Thread.detachNewThread { self.end(Result { try self.run() }) }
  }

  /// Ends the program soon; `join` waits for it.
  public func stop() {
    condition.lock()
    isStopping = true
    condition.unlock()
  }

  /// Waits until the program has ended and all it gave has been given; throws what it ended with.
  public func join() throws {
    condition.lock()
    defer { condition.unlock() }
    guard isStarted else { return }
    while result == nil { condition.wait() }
    try result?.get()
  }

  private var shallStop: Bool {
    condition.lock()
    defer { condition.unlock() }
    return isStopping
  }

  private func end(_ result: Result<Void, any Error>) {
    condition.lock()
    self.result = result
    condition.broadcast()
    condition.unlock()
  }

  private func run() throws {
    var next = ContinuousClock.now + interval
    while !consumer.isOver, !shallStop {
      // Short, since `stop` cannot end the wait.
      let wait = min(.milliseconds(50), ContinuousClock.now.duration(to: next))
      try consumer.consume(within: wait) { body(.record($0, $1)) }
      guard .now >= next else { continue }
      try walk()
      next += interval
    }
    try consumer.stop()
    try consumer.consume { body(.record($0, $1)) }
    try walk()
  }

  private func walk() throws {
    try consumer.walkAggregations {
      body(.aggregate(TraceAggregate(id: $0, key: $1, value: $2)))
    }
  }
}

extension TraceConsumer {
  /// Runs a program and gives its events until it ends, or until the sequence goes.
  ///
  /// Who is slow loses nothing but memory: up to `buffer` events wait, older ones go first.
  public func events(
    of program: String, walkEvery interval: Duration = .seconds(1), buffer: Int = 100_000
  ) throws(TraceError) -> AsyncThrowingStream<TraceEvent, any Error> {
    let (stream, continuation) = AsyncThrowingStream<TraceEvent, any Error>.makeStream(
      bufferingPolicy: .bufferingNewest(buffer))
    let background = BackgroundConsumer(self, walkEvery: interval) { continuation.yield($0) }
    continuation.onTermination = { _ in background.stop() }
    try background.start(program)
    Thread.detachNewThread {
      let result = Result { try background.join() }
      continuation.finish(throwing: result.failure)
    }
    return stream
  }
}

extension Result {
  fileprivate var failure: Failure? {
    if case .failure(let failure) = self { failure } else { nil }
  }
}

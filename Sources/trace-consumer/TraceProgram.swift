import Linux
import Records

/// What runs, and what it has for us: an ``ObjectProgram`` or a ``TraceScript``.
class TraceProgram {
  final let name: Text
  final var aggregations: [Aggregation] = []
  /// What found no room so far.
  final var lost: UInt64 = 0
  private var lostTold: UInt64 = 0
  final var events: [TracedEvent] = []
  private var nextEvent = 0
  /// Why it does not run at present.
  final var obstacle: Text?

  init(_ name: Text) { self.name = name }

  // What the two kinds do each in their own way.

  /// Readable when there are records; nil for a program that has none.
  var descriptor: Int32? { nil }

  /// Tells the event loop what to wait for; `readiness` is that of ``descriptor``.
  func watch(
    _ events: borrowing EventLoop<TraceSource>, _ index: Int, _ readiness: Readiness
  ) throws(SystemError) {
    if let descriptor { try events.add(descriptor, .program(index, .records), readiness) }
  }

  /// Something came that is not told by itself. True if there is something else to wait for, or
  /// ``obstacle`` changed.
  func take(_ stream: TraceSource.Stream) -> Bool { false }

  /// Reads what is counted, or asks for it, at this time of CLOCK_MONOTONIC. What it answers is not taken
  /// while the queue is full.
  func read(at time: UInt64, queueIsFull: Bool) {}

  /// Appends events that have come to ``events``.
  func takeEvents() {}

  /// Takes the program out of the kernel; what it has counted can be read on.
  func finish() {}

  /// Waits for more of what a program says at its end; false when it has said all. It is given up at
  /// `deadline`, of CLOCK_MONOTONIC.
  func waitForMore(until deadline: UInt64) -> Bool { false }
}

extension TraceProgram {
  /// The next event that was not told; when there is none, more of them if the caller wants to.
  final func pendingEvent(takingMore: Bool) -> TracedEvent? {
    if nextEvent == events.count, takingMore {
      events.removeAll(keepingCapacity: true)
      nextEvent = 0
      takeEvents()
    }
    return nextEvent < events.count ? events[nextEvent] : nil
  }

  final func settleEvent() { nextEvent += 1 }

  /// How many records it would take to tell all there is: none of them will be.
  final func giveUp() -> Int {
    var count = 0
    while pendingEvent(takingMore: true) != nil {
      settleEvent()
      count += 1
    }
    if lost > lostTold { count += 1 }
    for aggregation in aggregations { count += aggregation.untold }
    return count
  }

  /// What found no room since this was last told.
  final func pendingLoss() -> TracedLoss? {
    guard lost > lostTold else { return nil }
    var body = TracedLoss()
    body.program = FixedText(name)
    body.lostCount = lost - lostTold
    return body
  }

  final func settleLoss() { lostTold = lost }
}

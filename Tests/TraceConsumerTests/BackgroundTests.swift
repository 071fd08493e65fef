import Foundation
import Synchronization
import Testing

@testable import TraceConsumer

@Suite(.needsTracing) struct BackgroundTests {
  @Test func recordsComeUntilStopAndTheEndIsGivenBeforeJoinReturns() throws {
    let events = Mutex<[TraceEvent]>([])
    let background = BackgroundConsumer(TraceConsumer(), walkEvery: .milliseconds(200)) { event in
      events.withLock { $0.append(event) }
    }
    try background.start(
      #"interval:ms:20 { @n = count(); printf("."); } END { printf("end"); }"#)
    let deadline = Date(timeIntervalSinceNow: 20)
    func walks() -> Int {
      events.withLock { $0.count { if case .aggregate = $0 { true } else { false } } }
    }
    while walks() < 2, Date() < deadline { usleep(10_000) }
    background.stop()
    try background.join()
    let all = events.withLock { $0 }
    let counted = all.map { event -> Int64 in
      if case .aggregate(let aggregate) = event, case .count(let count) = aggregate.value {
        count
      } else {
        0
      }
    }.reduce(0, +)
    let texts = all.compactMap { event in
      if case .record(_, .printed(let text)) = event { text } else { nil }
    }
    #expect(walks() >= 2)
    #expect(texts.last == "end")
    // A probe may fire once more between the last look for records and its end.
    #expect((0...1).contains(counted - Int64(texts.count - 1)))
  }

  @Test func aProgramIsASequenceThatEndsWithIt() async throws {
    var texts: [String] = []
    for try await event in try TraceConsumer().events(
      of: #"interval:ms:10 { printf("%d", @i); @i++; if (@i > 2) { exit(); } }"#)
    {
      if case .record(_, .printed(let text)) = event { texts.append(text) }
    }
    #expect(texts.prefix(3) == ["0", "1", "2"])
  }

  @Test func aWrongProgramIsAnErrorOfTheStart() throws {
    let background = BackgroundConsumer(TraceConsumer()) { _ in }
    #expect(throws: TraceError.self) { try background.start("nonsense") }
    #expect(throws: TraceError.self) { try background.join() }
  }
}

import Testing

@testable import posix_mq_to_mqtt_bridge

struct ReadingPaceTests {
  private let most = ReadingPace.most
  private let longest = ReadingPace.longestNanoseconds

  /// After the broker has caught up once.
  private func caughtUp() -> ReadingPace {
    var pace = ReadingPace()
    pace.look(waiting: 0, acknowledged: 0, 0)
    return pace
  }

  @Test func manyWaitingRecordsBeginAPauseAndFewEndIt() {
    var pace = caughtUp()
    pace.look(waiting: most - 1, acknowledged: 0, 10)
    #expect(!pace.isPausing)
    pace.look(waiting: most, acknowledged: 0, 20)
    #expect(pace.isPausing && pace.due == 20 + longest)
    pace.look(waiting: ReadingPace.few + 1, acknowledged: 0, 30)
    #expect(pace.isPausing)
    pace.look(waiting: ReadingPace.few, acknowledged: 0, 40)
    #expect(!pace.isPausing)
  }

  @Test func aPauseEndsBeforeACollectorGivesUp() {
    var pace = caughtUp()
    pace.look(waiting: most, acknowledged: 0, 0)
    pace.look(waiting: most, acknowledged: 0, longest - 1)
    #expect(pace.isPausing)
    pace.look(waiting: most, acknowledged: 0, longest)
    #expect(!pace.isPausing)
    #expect(longest < 50_000_000)
  }

  @Test func ofASlowBrokerTheOutboxTakesWhatComesUntilItHasCaughtUp() {
    var pace = caughtUp()
    pace.look(waiting: most, acknowledged: 0, 0)
    pace.look(waiting: most, acknowledged: ReadingPace.keepingUp - 1, longest)
    pace.look(waiting: 10 * most, acknowledged: 1000, 2 * longest)
    #expect(!pace.isPausing)
    pace.look(waiting: 0, acknowledged: 5000, 3 * longest)
    pace.look(waiting: most, acknowledged: 5000, 4 * longest)
    #expect(pace.isPausing)
  }

  @Test func aBrokerThatKeepsUpIsWaitedForAgain() {
    var pace = caughtUp()
    pace.look(waiting: most, acknowledged: 0, 0)
    pace.look(waiting: most, acknowledged: ReadingPace.keepingUp, longest)
    #expect(!pace.isPausing)
    pace.look(waiting: most, acknowledged: ReadingPace.keepingUp, longest)
    #expect(pace.isPausing)
  }

  @Test func withoutABrokerNothingIsWaitedFor() {
    var pace = caughtUp()
    pace.look(waiting: most, acknowledged: 0, 0)
    pace.look(waiting: nil, acknowledged: 0, 1)
    #expect(!pace.isPausing)
    // Nor with the backlog of an outage.
    pace.look(waiting: 10 * most, acknowledged: 0, 2)
    #expect(!pace.isPausing)
  }
}

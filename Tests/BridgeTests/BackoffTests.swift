import Daemon
import Testing

@testable import posix_mq_to_mqtt_bridge

struct BackoffTests {
  @Test func theDelayDoublesUpToTheMaximum() {
    var backoff = Backoff(maximum: .seconds(30))
    let seconds = (0..<8).map { _ in backoff.next(random: .max) / 1_000_000_000 }
    #expect(seconds == [1, 2, 4, 8, 16, 30, 30, 30])
    #expect(backoff.attempts == 8)
    backoff.succeeded()
    #expect(backoff.next(random: .max) == 1_000_000_000)
  }

  @Test func halfOfItIsLeftToChance() {
    var backoff = Backoff(maximum: .seconds(30))
    #expect(backoff.next(random: 0) == 500_000_000)
    #expect(backoff.next(random: 0) == 1_000_000_000)
  }

  @Test func itNeverGivesUpAndNeverOverflows() {
    var backoff = Backoff(maximum: .seconds(86_400))
    for _ in 0..<100 { #expect(backoff.next() <= 86_400_000_000_000) }
  }
}

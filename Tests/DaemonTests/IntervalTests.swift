import Linux
import TestSupport
import Testing

@testable import Daemon

struct IntervalTests {
  @Test(arguments: [
    ("100ms", 100_000_000), ("1s", 1_000_000_000), ("5min", 300_000_000_000),
    ("2", 2_000_000_000), ("1h30min", 5_400_000_000_000), ("0", 0), ("250us", 250_000),
    ("1d", 86_400_000_000_000), ("1s500ms", 1_500_000_000),
  ])
  func whatPeopleWrite(_ text: String, _ nanoseconds: UInt64) {
    #expect(Interval(Text(text))?.nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "-1s", "1 s", "1x", "1.5s", "1sec ", "99999999999999999999", "999999999999d", "1s-",
  ])
  func whatIsNoTimeIsRefused(_ text: String) {
    #expect(Interval(Text(text)) == nil)
  }

  @Test(arguments: ["0s", "100ms", "1s", "90s", "5min", "1h", "2d", "250us"])
  func theDescriptionIsReadBackAsTheSame(_ text: String) {
    #expect(Interval(Text(text))?.description.string == text)
  }
}

import CLinux
import Linux
import TestSupport
import Testing

@testable import Daemon

struct ServiceNotifierTests {
  @Test func theWatchdogIsFedInHalfOfItsTime() {
    #expect(ServiceNotifier.watchdog(microseconds: "30000000", process: nil) == 15_000_000_000)
    #expect(
      ServiceNotifier.watchdog(microseconds: "2", process: "\(getpid())") == 1000)
  }

  @Test func aWatchdogOfAnotherProcessIsNotOurs() {
    #expect(ServiceNotifier.watchdog(microseconds: "30000000", process: "1") == nil)
  }

  @Test(arguments: [nil, "", "0", "-1", "soon"])
  func whatIsNoTimeIsNoWatchdog(_ text: String?) {
    #expect(ServiceNotifier.watchdog(microseconds: text.map { Text($0) }, process: nil) == nil)
  }
}

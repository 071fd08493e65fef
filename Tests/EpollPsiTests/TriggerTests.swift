import Records
import TestSupport
import Linux
import Testing

@testable import epoll_psi

struct TriggerTests {
  @Test func theTimesAreTaken() throws {
    let trigger = try Trigger(parsing: "memory:full:150ms/1s")
    #expect(trigger.resource == .memory)
    #expect(trigger.scope == .full)
    #expect(trigger.thresholdMicroseconds == 150_000)
    #expect(trigger.windowMicroseconds == 1_000_000)
    #expect(trigger.description == "memory:full:150ms/1s")
  }

  @Test func withoutTimesTheDefaultsHold() throws {
    #expect(try Trigger(parsing: "io:full").description == "io:full:300ms/2s")
    #expect(try Trigger(parsing: "irq:full").description == "irq:full:1s/2s")
    for trigger in Trigger.defaults {
      #expect(try Trigger(parsing: "\(trigger.resource.name):\(trigger.scope.name)") == trigger)
    }
  }

  @Test func theDefaultsNeedNoPrivilege() {
    for trigger in Trigger.defaults { #expect(trigger.withoutPrivilege == nil) }
    #expect(!Trigger.defaults.contains { $0.resource == .cpu && $0.scope == .full })
  }

  @Test(arguments: [
    "", ":", "::", "cpu", "cpu:", ":some", "cpu:some:", "cpu:some:1s", "cpu:some:/", "cpu:some:1s/",
    "cpu:some:/2s", "cpu:some:1s/2s/3s", "cpu:some:1s/2s:x", "CPU:some", "disk:some",
    "unknown:some",
    "cpu:all", "cpu:unknown", "irq:some", "cpu:some:0s/2s", "cpu:some:999ns/2s", "cpu:some:3s/2s",
    "cpu:some:1ms/99ms", "cpu:some:1s/10001ms", "cpu:some:1s/99999999999999999999s",
    "cpu:some:-1s/2s",
  ])
  func whatIsNoTriggerIsRejected(_ text: String) {
    #expect(throws: Trigger.ParseError.self) { try Trigger(parsing: Text(text)) }
  }

  @Test(arguments: [
    ("cpu:some:150ms/1s", "cpu:some:300ms/2s"), ("cpu:some:500ms/500ms", "cpu:some:2s/2s"),
    ("cpu:some:1s/3s", "cpu:some:1333334us/4s"), ("cpu:some:9s/9s", "cpu:some:10s/10s"),
    ("cpu:some:1us/9s", "cpu:some:2us/10s"),
  ])
  func withoutPrivilegeTheWindowIsTheNextMultipleOf2s(_ asked: String, _ given: String) throws {
    #expect(try Trigger(parsing: Text(asked)).withoutPrivilege?.description.string == given)
  }

  @Test(arguments: ["cpu:some:1s/2s", "cpu:some:1s/4s", "cpu:some:1s/10s"])
  func aMultipleOf2sStaysAsItIs(_ text: String) throws {
    #expect(try Trigger(parsing: Text(text)).withoutPrivilege == nil)
  }

  /// The kernel reads 31 bytes and a zero.
  @Test func theLongestCommandIsWithinTheKernelsBuffer() throws {
    let trigger = try Trigger(parsing: "memory:some:10s/10s")
    #expect(trigger.command == [UInt8]("some 10000000 10000000".utf8) + [0])
    #expect(trigger.command.count <= 32)
  }

  @Test func whatIsDescribedIsReadAgain() throws {
    var random = SeededNumbers(seed: 42)
    for _ in 0..<2000 {
      let window = UInt64.random(in: 100_000...10_000_000, using: &random)
      let threshold = UInt64.random(in: 1...window, using: &random)
      let trigger = try Trigger(parsing: "io:some:\(threshold)us/\(window)us")
      #expect(try Trigger(parsing: trigger.description) == trigger)
      guard let other = trigger.withoutPrivilege else { continue }
      #expect(other.windowMicroseconds % 2_000_000 == 0)
      #expect(1...other.windowMicroseconds ~= other.thresholdMicroseconds)
      #expect(try Trigger(parsing: other.description) == other)
    }
  }
}

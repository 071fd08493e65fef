import Records
import TestSupport
import Linux
import Testing

@testable import dbus_systemd_signals

/// Names, the table of states, and what of them is told.
struct UnitTests {
  private func name(ofPath path: String) -> String? {
    path.withCString {
      unitName(ofPath: Characters($0)).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// As systemd-escape(1) and `systemctl show -p Id` have them.
  @Test(arguments: [
    ("ssh_2eservice", "ssh.service"), ("dev_2dsda_2edevice", "dev-sda.device"),
    ("getty_40tty1_2eservice", "getty@tty1.service"), ("_2d_2emount", "-.mount"),
    ("_31_2eservice", "1.service"),
    ("dev_2ddisk_2dby_5cx2dlabel_2eswap", "dev-disk-by\\x2dlabel.swap"),
  ])
  func aPathIsTheEscapedName(_ path: String, _ unit: String) {
    let path = "/org/freedesktop/systemd1/unit/" + path
    #expect(name(ofPath: path) == unit)
    let back = unitPath(ofName: Array(unit.utf8))
    #expect(String(decoding: back.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) == path)
    #expect(back.last == 0)
  }

  @Test(arguments: [
    "", "/", "/org/freedesktop/systemd1/unit/", "/org/freedesktop/systemd1/unit",
    "/org/freedesktop/systemd1/job/12", "/org/freedesktop/systemd1/unit/a/b",
    "/org/freedesktop/systemd1x/unit/a_2eservice",
  ])
  func whatIsNoUnitsPathHasNoName(_ path: String) {
    #expect(name(ofPath: path) == nil)
  }

  @Test(arguments: [("a_", "a_"), ("a_2", "a_2"), ("a_zz", "a_zz"), ("_ff", "\u{FFFD}")])
  func anEscapeThatIsNoneStandsForItself(_ path: String, _ unit: String) {
    #expect(name(ofPath: "/org/freedesktop/systemd1/unit/" + path) == unit)
  }

  @Test func everyNameComesBackFromItsPath() {
    var random = SeededNumbers(seed: 7)
    for _ in 0..<5000 {
      let name = (0..<Int.random(in: 1...40, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let path = unitPath(ofName: name)
      path.withUnsafeBufferPointer {
        #expect(unitName(ofPath: Characters($0.baseAddress)) == name)
      }
    }
  }

  // MARK: What is told

  private func state(_ active: StaticString, _ sub: StaticString) -> State {
    State(active: FixedText(active), sub: FixedText(sub))
  }

  @Test(
    arguments: [
      // Every type fails, and no longer does.
      ("a.mount", "active", "mounted", "failed", "failed", true),
      ("a.mount", "failed", "failed", "inactive", "dead", true),
      ("a.timer", "failed", "failed", "active", "waiting", true),
      ("a.scope", "active", "running", "failed", "failed", true),
      // The rest of what other types do is not told.
      ("a.mount", "inactive", "dead", "active", "mounted", false),
      ("a.timer", "active", "waiting", "active", "running", false),
      ("a.target", "inactive", "dead", "active", "active", false),
      ("a.socket", "active", "listening", "inactive", "dead", false),
      // A service starts, stops, fails, is restarted.
      ("a.service", "inactive", "dead", "active", "running", true),
      ("a.service", "active", "running", "active", "exited", true),
      ("a.service", "active", "running", "inactive", "dead", true),
      ("a.service", "active", "running", "activating", "auto-restart", true),
      // On the way.
      ("a.service", "inactive", "dead", "activating", "start", false),
      ("a.service", "active", "running", "deactivating", "stop-sigterm", false),
      ("a.service", "active", "running", "reloading", "reload", false),
      ("a.service", "active", "running", "active", "running", false),
    ] as [(String, StaticString, StaticString, StaticString, StaticString, Bool)])
  func statesAreTold(
    _ unit: String, _ oldActive: StaticString, _ oldSub: StaticString, _ active: StaticString,
    _ sub: StaticString, _ isTold: Bool
  ) {
    let (old, new) = (state(oldActive, oldSub), state(active, sub))
    let filter = UnitFilter(all: false)
    #expect(filter.tells(Array(unit.utf8), from: old, to: new, again: false) == isTold)
    #expect(
      UnitFilter(all: true).tells(Array(unit.utf8), from: old, to: new, again: false)
        == (old != new))
  }

  @Test func aServiceThatFailedAgainIsToldAgain() {
    let filter = UnitFilter(all: false)
    let failed = state("failed", "failed")
    #expect(filter.tells(Array("a.service".utf8), from: failed, to: failed, again: true))
    #expect(!filter.tells(Array("a.service".utf8), from: failed, to: failed, again: false))
  }

  @Test func globsChooseUnits() {
    let filter = UnitFilter(all: false, globs: ["ssh*.service", "[ab].timer"])
    for (unit, isWatched) in [
      ("ssh.service", true), ("ssh@1.service", true), ("a.timer", true), ("c.timer", false),
      ("xssh.service", false), ("", false),
    ] {
      #expect(filter.watches(Array(unit.utf8)) == isWatched, "\(unit)")
    }
    #expect(!UnitFilter(all: false).watches(Array("dev-sda.device".utf8)))
    #expect(!UnitFilter(all: false).watches(Array("system.slice".utf8)))
    #expect(UnitFilter(all: true).watches(Array("system.slice".utf8)))
    #expect(UnitFilter(all: false).watches(Array("session-1.scope".utf8)))
  }

  // MARK: The table

  @Test func aFullTableCountsWhatItHasNoRoomFor() {
    var table = UnitTable(capacity: 2)
    #expect(table.place(for: [1]) == 0)
    #expect(table.place(for: [2]) == 1)
    #expect(table.place(for: [3]) == nil)
    #expect(table.place(for: [1]) == 0)
    #expect(table.forgotten == 1)
    table.remove(at: 0)
    #expect(table.index(of: [1]) == nil)
    #expect(table.index(of: [2]) == 0)
    #expect(table.place(for: [3]) == 1)
  }

  private func properties(active: UInt64?, inactive: UInt64?) throws -> UnitProperties {
    var properties = try present(UnitProperties(changedIn: signal(propertiesChanged([]))))
    properties.activeEnter = active
    properties.inactiveEnter = inactive
    return properties
  }

  @Test func aRestartIsSeenByTheTimeOfTheState() throws {
    var table = UnitTable()
    let place = try present(table.place(for: [1]))
    let active = state("active", "running")
    // From the list of units: nothing is known of the time.
    table[place].told = active
    #expect(!table[place].wasReentered(active, try properties(active: 5, inactive: 4)))
    table[place].keep(active, try properties(active: 5, inactive: 4), told: false)
    #expect(!table[place].wasReentered(active, try properties(active: 5, inactive: 6)))
    #expect(table[place].wasReentered(active, try properties(active: 7, inactive: 6)))
    #expect(!table[place].wasReentered(active, try properties(active: nil, inactive: 6)))
  }

  /// A service of one shot, run by a timer, is inactive before and after.
  @Test func whatRanInBetweenIsSeenByTheTimeOfTheState() throws {
    var table = UnitTable()
    let place = try present(table.place(for: [1]))
    table[place].keep(
      state("activating", "start"), try properties(active: 0, inactive: 100), told: false)
    #expect(table[place].wasReentered(.unloaded, try properties(active: 0, inactive: 200)))
    #expect(!table[place].wasReentered(.unloaded, try properties(active: 0, inactive: 100)))
  }

  // MARK: Calls

  @Test func aCallWaitsForItsReplyOrItsDeadline() {
    var calls = Calls()
    #expect(calls.nextDeadline == nil)
    calls.add(5, .hello)
    calls.add(6, .listUnits)
    #expect(calls.take(7) == nil)
    #expect(calls.take(6)?.purpose == .listUnits)
    #expect(calls.take(6) == nil)
    let deadline = calls.nextDeadline!
    #expect(calls.takeOverdue(deadline - 1) == nil)
    #expect(calls.takeOverdue(deadline)?.purpose == .hello)
    #expect(calls.takeOverdue(.max) == nil)
  }
}

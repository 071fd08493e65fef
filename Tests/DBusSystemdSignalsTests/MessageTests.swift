import CDBus
import Records
import TestSupport
import Linux
import Testing

@testable import dbus_systemd_signals

/// The bodies of messages, built by libdbus itself.
struct MessageTests {
  private func message(_ name: String) -> Message {
    signal(messages.first { $0.name == name }!.values)
  }

  @Test func aJobHasItsUnitAndResult() throws {
    let removed = message("JobRemoved")
    let job = try present(JobBody(removed))
    #expect(job.id == 7)
    #expect(job.unit.string == "a.service")
    #expect(job.result?.string == "failed")
    let new = message("JobNew")
    let queued = try present(JobBody(new))
    #expect(queued.unit.string == "a.service")
    #expect(queued.result == nil)
  }

  @Test func theTimesOfStartingUpAreMicroseconds() throws {
    let event = try present(ManagerEvent(startupFinished: message("StartupFinished")))
    #expect(event.event == .startupFinished)
    #expect(event.firmwareMicroseconds == 1_000_000)
    #expect(event.loaderMicroseconds == 2_000_000)
    #expect(event.kernelMicroseconds == 3_000_000)
    #expect(event.initrdMicroseconds == 4_000_000)
    #expect(event.userspaceMicroseconds == 5_000_000)
    #expect(event.totalMicroseconds == 6_000_000)
    #expect(event.durationMicroseconds == nil)
  }

  @Test func namesAndFlagsAreRead() throws {
    let changed = message("NameOwnerChanged")
    let owner = try present(NameOwnerBody(changed))
    #expect(owner.name == "org.freedesktop.systemd1")
    #expect(owner.newOwner.string == ":1.5")
    let (reloading, reloaded) = (
      flag(of: message("Reloading")), flag(of: signal([.boolean(false)]))
    )
    #expect(reloading == true)
    #expect(reloaded == false)
    let new = message("UnitNew")
    let unit = unitName(of: new)
    #expect(unit?.string == "a.service")
    let reply = message("GetNameOwner")
    let unique = ownerName(of: reply)
    #expect(unique?.string == ":1.5")
  }

  @Test func theListOfUnitsIsReadRowByRow() throws {
    let list = message("ListUnits")
    var rows = try present(UnitRow.rows(of: list))
    let first = try present(UnitRow(&rows))
    #expect(first.name.string == "a.service")
    #expect(first.activeState.string == "active")
    #expect(first.subState.string == "running")
    let second = try present(UnitRow(&rows))
    #expect(second.name.string == "b.timer")
    let third = UnitRow(&rows)
    #expect(third == nil)
    let isAtEnd = rows.isAtEnd
    #expect(isAtEnd)
    let empty = signal([.array("(ssssssouso)", [])])
    var none = try present(UnitRow.rows(of: empty))
    let row = UnitRow(&none)
    #expect(row == nil)
  }

  @Test func propertiesOfInterestArePickedFromAmongOthers() throws {
    let changed = message("PropertiesChanged")
    let properties = try present(UnitProperties(changedIn: changed))
    #expect(properties.activeState?.string == "failed")
    #expect(properties.subState?.string == "failed")
    #expect(properties.activeEnter == 5)
    #expect(properties.inactiveEnter == 6)
    var service = ServiceState()
    service.update(properties)
    #expect(service.result == FixedText("core-dump"))
    #expect(service.exit == .dumped)
    #expect(service.exitStatus == 11)
    #expect(service.processId == 4321)
    #expect(service.restarts == 5)
  }

  @Test func aPropertyOfAnotherTypeIsAbsent() throws {
    let changed = signal(
      propertiesChanged([
        .property("ActiveState", "u", .unsigned32(1)),
        .property("ExecMainCode", "s", .text("1")),
        .property("NRestarts", "t", .unsigned64(1)),
        .property("SubState", "v", .variant("s", .text("nested"))),
        .property("Result", "as", .array("s", [.text("success")])),
        .property("ExecMainStatus", "i", .signed32(9)),
      ]))
    let properties = try present(UnitProperties(changedIn: changed))
    #expect(properties.activeState == nil)
    #expect(properties.subState == nil)
    #expect(properties.exitCode == nil)
    #expect(properties.restarts == nil)
    #expect(properties.result == nil)
    #expect(properties.exitStatus == 9)
  }

  /// Every message given to every reader: only the one that it is for is taken.
  @Test func aMessageOfAnotherSignatureIsRefused() {
    for (name, values) in messages {
      let message = signal(values)
      let readers: [(String, Bool)] = [
        ("JobRemoved", JobBody(message)?.result != nil),
        ("JobNew", JobBody(message).map { $0.result == nil } ?? false),
        ("NameOwnerChanged", NameOwnerBody(message) != nil),
        ("Reloading", flag(of: message) != nil),
        ("UnitNew", unitName(of: message) != nil),
        ("GetNameOwner", ownerName(of: message) != nil),
        ("StartupFinished", ManagerEvent(startupFinished: message) != nil),
        ("ListUnits", UnitRow.rows(of: message) != nil),
        ("PropertiesChanged", UnitProperties(changedIn: message) != nil),
        ("GetAll", UnitProperties(repliedIn: message) != nil),
      ]
      for (reader, accepts) in readers {
        #expect(accepts == (reader == name), "\(reader) is given \(name)")
      }
    }
  }

  @Test(arguments: [
    "", "../../etc/passwd", "a\nb\u{1}.service", "\"}\\{.service", "ü\u{1F4A9}.service",
    String(repeating: "x", count: 5000) + ".service",
  ])
  func textsOfAnyKindAndLengthAreTaken(_ text: String) throws {
    let removed = signal([.unsigned32(.max), .path("/"), .text(text), .text(text)])
    let job = try present(JobBody(removed))
    #expect(job.unit.string == text)
    let unit = FixedText<256>(job.unit.bytes.span)
    #expect(unit.count == min(256, text.utf8.count))
    #expect(unit.isCut == (text.utf8.count > 256))
    let list = signal([.array("(ssssssouso)", [unitRow(text, text, text)])])
    var rows = try present(UnitRow.rows(of: list))
    let row = try present(UnitRow(&rows))
    #expect(State(row.activeState, row.subState).active.count == min(32, text.utf8.count))
  }

  @Test func numbersBeyondTheirRangeAreKept() throws {
    let changed = signal(
      propertiesChanged([
        .property("ExecMainCode", "i", .signed32(.min)),
        .property("ExecMainStatus", "i", .signed32(-1)),
        .property("ExecMainPID", "u", .unsigned32(0)),
        .property("NRestarts", "u", .unsigned32(.max)),
      ]))
    var service = ServiceState()
    service.update(try present(UnitProperties(changedIn: changed)))
    #expect(service.exit == UnitState.Exit.none)
    #expect(service.exitStatus == .max)
    #expect(service.processId == nil)
    #expect(service.restarts == .max)
  }

  /// What libdbus lets through of a message whose bytes were changed is read without harm.
  @Test func mutatedMessagesAreReadOrRefused() throws {
    let seed: UInt64 = 20_261_121
    var random = SeededNumbers(seed: seed)
    var accepted = 0
    for (name, values) in messages where !values.isEmpty {
      let message = signal(values)
      dbus_message_set_serial(message.raw, 1)
      var start: UnsafeMutablePointer<CChar>?
      var count: Int32 = 0
      #expect(dbus_message_marshal(message.raw, &start, &count) != 0)
      let original = Array(UnsafeBufferPointer(start: start, count: Int(count)))
      dbus_free(start)
      for round in 0..<20_000 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] =
            Bool.random(using: &random)
            ? .random(in: -128...127, using: &random)
            : original.randomElement(using: &random)!
        }
        var error = DBusError()
        dbus_error_init(&error)
        let raw = dbus_message_demarshal(bytes, Int32(bytes.count), &error)
        dbus_error_free(&error)
        guard let raw else { continue }
        accepted += 1
        let isRead = readAll(Message(owning: raw))
        try #require(isRead, "\(name), seed \(seed), round \(round)")
      }
    }
    #expect(accepted > 10_000, "else nothing was tried")
  }

  private func readAll(_ message: borrowing Message) -> Bool {
    _ = message.errorName
    var texts = [message.path, message.sender]
    if let job = JobBody(message) { texts += [job.unit] + (job.result.map { [$0] } ?? []) }
    if let owner = NameOwnerBody(message) { texts += [owner.name, owner.newOwner] }
    _ = flag(of: message)
    _ = ManagerEvent(startupFinished: message)
    if let name = unitName(of: message) { texts.append(name) }
    if let name = ownerName(of: message) { texts.append(name) }
    if var rows = UnitRow.rows(of: message) {
      while !rows.isAtEnd {
        guard let row = UnitRow(&rows) else { return false }
        texts += [row.name, row.activeState, row.subState]
      }
    }
    for properties in [UnitProperties(changedIn: message), UnitProperties(repliedIn: message)] {
      guard let properties else { continue }
      var service = ServiceState()
      service.update(properties)
      var body = UnitState()
      service.fill(&body)
      texts += [properties.activeState, properties.subState, properties.result].compactMap { $0 }
    }
    if let name = unitName(ofPath: message.path) {
      guard name.count <= message.path.bytes.count else { return false }
    }
    // libdbus promises UTF-8 without NUL.
    return texts.allSatisfy { !$0.bytes.contains(0) && $0.string.utf8.count == $0.bytes.count }
  }
}

import CDBus
import Records

@testable import dbus_systemd_signals

/// A message as it comes over a bus: libdbus holds what it refuses, we read what it takes.
func busMessage(_ bytes: [UInt8]) -> CInt {
  var error = DBusError()
  dbus_error_init(&error)
  let raw = bytes.withUnsafeBytes {
    dbus_message_demarshal(
      $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), &error)
  }
  dbus_error_free(&error)
  guard let raw else { return -1 }
  let message = Message(owning: raw)
  _ = message.errorName

  if let job = JobBody(message) {
    var body = JobResult()
    body.unit = FixedText(job.unit.bytes.span)
    body.jobId = job.id
    if let result = job.result { body.result = FixedText(result.bytes.span) }
    expectPublishable(body)
  }
  if let owner = NameOwnerBody(message) { expectText(owner.name, owner.newOwner) }
  if let name = unitName(of: message) {
    expectText(name)
    let bytes = [UInt8](name.bytes)
    let path = unitPath(ofName: bytes)
    expect(path.last == 0, "the path has no end")
    path.withUnsafeBufferPointer {
      expect(
        unitName(ofPath: Characters($0.baseAddress)) == (bytes.isEmpty ? nil : bytes)
          || bytes.isEmpty, "the name does not come back from its path")
    }
    var event = ManagerEvent(.unitLoaded)
    event.unit = FixedText(name.bytes.span)
    expectPublishable(event)
  }
  if let owner = ownerName(of: message) { expectText(owner) }
  _ = flag(of: message)
  if let event = ManagerEvent(startupFinished: message) { expectPublishable(event) }
  if var rows = UnitRow.rows(of: message) {
    while !rows.isAtEnd {
      guard let row = UnitRow(&rows) else { fatalError("a row is not read") }
      expectText(row.name, row.activeState, row.subState)
    }
  }
  for properties in [UnitProperties(changedIn: message), UnitProperties(repliedIn: message)] {
    guard let properties else { continue }
    var service = ServiceState()
    service.update(properties)
    var body = UnitState()
    if let name = unitName(ofPath: message.path) { body.unit = FixedText(name.span) }
    service.fill(&body)
    if let active = properties.activeState, let sub = properties.subState {
      let state = State(active, sub)
      body.activeState = state.active
      body.subState = state.sub
    }
    expectPublishable(body)
  }
  return 0
}

/// libdbus promises UTF-8 without NUL.
private func expectText(_ texts: Characters...) {
  for text in texts {
    expect(!text.bytes.contains(0), "a NUL")
    expect(String(validating: text.bytes, as: UTF8.self) != nil, "not UTF-8")
  }
}

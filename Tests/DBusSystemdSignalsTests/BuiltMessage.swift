import CDBus
import Testing

@testable import dbus_systemd_signals

/// A value of a message that a test builds with libdbus itself.
indirect enum Value: Sendable {
  case text(String)
  case path(String)
  case unsigned32(UInt32)
  case signed32(Int32)
  case unsigned64(UInt64)
  case boolean(Bool)
  case variant(String, Value)
  case structure([Value])
  case entry(Value, Value)
  /// With the signature of its elements.
  case array(String, [Value])

  func append(to iterator: inout DBusMessageIter) {
    func basic<T: BitwiseCopyable>(_ type: String, _ value: T) {
      var value = value
      let isAppended = withUnsafePointer(to: &value) {
        dbus_message_iter_append_basic(&iterator, Int32(type.utf8.first!), $0)
      }
      #expect(isAppended != 0)
    }
    func container(_ type: String, _ signature: String?, _ values: [Value]) {
      var inner = DBusMessageIter()
      #expect(
        dbus_message_iter_open_container(
          &iterator, Int32(type.utf8.first!), signature, &inner) != 0)
      for value in values { value.append(to: &inner) }
      #expect(dbus_message_iter_close_container(&iterator, &inner) != 0)
    }
    switch self {
    case .text(let text):
      text.withCString { basic("s", Optional($0)) }
    case .path(let path):
      path.withCString { basic("o", Optional($0)) }
    case .unsigned32(let value): basic("u", value)
    case .signed32(let value): basic("i", value)
    case .unsigned64(let value): basic("t", value)
    case .boolean(let value): basic("b", UInt32(value ? 1 : 0))
    case .variant(let signature, let value): container("v", signature, [value])
    case .structure(let values): container("r", nil, values)
    case .entry(let key, let value): container("e", nil, [key, value])
    case .array(let signature, let values): container("a", signature, values)
    }
  }

  /// `{s name, v value}`.
  static func property(_ name: String, _ signature: String, _ value: Value) -> Value {
    .entry(.text(name), .variant(signature, value))
  }
}

/// A signal of systemd with these arguments.
func signal(_ values: [Value], path: String = "/org/freedesktop/systemd1") -> Message {
  let message = dbus_message_new_signal(path, "org.freedesktop.systemd1.Manager", "Test")!
  var iterator = DBusMessageIter()
  dbus_message_iter_init_append(message, &iterator)
  for value in values { value.append(to: &iterator) }
  return Message(owning: message)
}

/// `#require` and `#expect` cannot hold a value that is not copyable, not even in a call.
func present<Value>(
  _ value: Value?, _ sourceLocation: SourceLocation = #_sourceLocation
) throws -> Value {
  guard let value else {
    Issue.record("there is none", sourceLocation: sourceLocation)
    throw Absent()
  }
  return value
}

struct Absent: Error {}

extension Characters {
  var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// PropertiesChanged as systemd 252 sends it for a service.
func propertiesChanged(_ properties: [Value]) -> [Value] {
  [
    .text("org.freedesktop.systemd1.Service"), .array("{sv}", properties),
    .array("s", [.text("Conditions")]),
  ]
}

/// A row of ListUnits.
func unitRow(_ name: String, _ active: String, _ sub: String) -> Value {
  .structure([
    .text(name), .text("A description"), .text("loaded"), .text(active), .text(sub), .text(""),
    .path("/org/freedesktop/systemd1/unit/x"), .unsigned32(0), .text(""), .path("/"),
  ])
}

/// Everything that systemd, logind and the bus send us, by name.
let messages: [(name: String, values: [Value])] = [
  (
    "JobRemoved",
    [
      .unsigned32(7), .path("/org/freedesktop/systemd1/job/7"), .text("a.service"),
      .text("failed"),
    ]
  ),
  (
    "JobNew", [.unsigned32(7), .path("/org/freedesktop/systemd1/job/7"), .text("a.service")]
  ),
  ("UnitNew", [.text("a.service"), .path("/org/freedesktop/systemd1/unit/a_2eservice")]),
  ("Reloading", [.boolean(true)]),
  ("NameOwnerChanged", [.text("org.freedesktop.systemd1"), .text(":1.0"), .text(":1.5")]),
  ("GetNameOwner", [.text(":1.5")]),
  ("StartupFinished", (1...6).map { .unsigned64(UInt64($0) * 1_000_000) }),
  (
    "ListUnits",
    [
      .array(
        "(ssssssouso)",
        [unitRow("a.service", "active", "running"), unitRow("b.timer", "failed", "failed")])
    ]
  ),
  (
    "PropertiesChanged",
    propertiesChanged([
      .property("ActiveState", "s", .text("failed")),
      .property("SubState", "s", .text("failed")),
      .property("ActiveEnterTimestampMonotonic", "t", .unsigned64(5)),
      .property("InactiveEnterTimestampMonotonic", "t", .unsigned64(6)),
      .property("Result", "s", .text("core-dump")),
      .property("ExecMainCode", "i", .signed32(3)),
      .property("ExecMainStatus", "i", .signed32(11)),
      .property("ExecMainPID", "u", .unsigned32(4321)),
      .property("NRestarts", "u", .unsigned32(5)),
      .property("ExecStart", "a(su)", .array("(su)", [.structure([.text("x"), .unsigned32(1)])])),
    ])
  ),
  ("GetAll", [.array("{sv}", [.property("Result", "s", .text("timeout"))])]),
  ("nothing", []),
  ("other types", [.signed32(-1), .array("s", []), .variant("b", .boolean(false))]),
]

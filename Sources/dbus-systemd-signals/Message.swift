import Linux
import CDBus

/// A D-Bus message; let go when its owner goes.
struct Message: ~Copyable {
  let raw: OpaquePointer

  init(owning raw: OpaquePointer) {
    self.raw = raw
  }

  deinit { dbus_message_unref(raw) }

  /// A call of a method; it never makes the bus start a program.
  init(
    to destination: StaticString, path: StaticString, _ interface: StaticString,
    _ member: StaticString
  ) {
    self.init(to: destination, at: path.characters, interface, member)
  }

  init(
    to destination: StaticString, at path: UnsafePointer<CChar>, _ interface: StaticString,
    _ member: StaticString
  ) {
    // NULL only where memory has run out; there is nothing that could be done then.
    raw = dbus_message_new_method_call(
      destination.characters, path, interface.characters, member.characters)!
    dbus_message_set_auto_start(raw, 0)
  }

  /// Appends a text argument; it is valid UTF-8 since it is ours.
  @inline(never)
  func append(_ text: StaticString) {
    var iterator = DBusMessageIter()
    dbus_message_iter_init_append(raw, &iterator)
    var start: UnsafePointer<CChar>? = text.characters
    dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "s")), &start)
  }

  /// DBUS_MESSAGE_TYPE_METHOD_RETURN and the like.
  var type: Int32 { dbus_message_get_type(raw) }
  var replySerial: UInt32 { dbus_message_get_reply_serial(raw) }
  var path: Characters { Characters(dbus_message_get_path(raw)) }
  var sender: Characters { Characters(dbus_message_get_sender(raw)) }
  /// The name of the error that a call was answered with.
  var errorName: Text { dbus_message_get_error_name(raw).map { Text(cString: $0) } ?? "" }

  @inline(never)
  func isSignal(_ interface: StaticString, _ member: StaticString) -> Bool {
    dbus_message_is_signal(raw, interface.characters, member.characters) != 0
  }

  /// Whether the arguments are of these types, D-Bus Specification, "Type System".
  func hasSignature(_ signature: StaticString) -> Bool {
    dbus_message_has_signature(raw, signature.characters) != 0
  }

  var values: MessageValues { MessageValues(raw) }
}

/// The bytes of a text inside a message, as long as the message is there; empty where there is none.
struct Characters {
  let bytes: UnsafeBufferPointer<UInt8>

  init(_ start: UnsafePointer<CChar>?) {
    guard let start else {
      bytes = UnsafeBufferPointer(start: nil, count: 0)
      return
    }
    bytes = UnsafeBufferPointer(
      start: UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self),
      count: dbusTextLength(start))
  }

  @inline(never)
  static func == (left: Characters, right: StaticString) -> Bool {
    guard left.bytes.count == right.utf8CodeUnitCount else { return false }
    return right.withUTF8Buffer { left.bytes.elementsEqual($0) }
  }

  static func == (left: Characters, right: [UInt8]) -> Bool {
    left.bytes.elementsEqual(right)
  }
}

private func dbusTextLength(_ text: UnsafePointer<CChar>) -> Int {
  var count = 0
  while text[count] != 0 { count += 1 }
  return count
}

/// The values of a message one after the other; one of another type than asked for is nil.
///
/// Only what is there is taken, so that no message of any signature can be read wrongly.
struct MessageValues {
  private var iterator = DBusMessageIter()

  init(_ message: OpaquePointer) {
    dbus_message_iter_init(message, &iterator)
  }

  private init(_ iterator: DBusMessageIter) {
    self.iterator = iterator
  }

  /// 0 behind the last one.
  private mutating func isNext(_ type: Unicode.Scalar) -> Bool {
    dbus_message_iter_get_arg_type(&iterator) == Int32(type.value)
  }

  var isAtEnd: Bool {
    mutating get { dbus_message_iter_get_arg_type(&iterator) == 0 }
  }

  mutating func skip() {
    if !isAtEnd { dbus_message_iter_next(&iterator) }
  }

  /// A string or an object's path.
  @inline(never)
  mutating func text() -> Characters? {
    guard isNext("s") || isNext("o") else { return nil }
    var start: UnsafePointer<CChar>?
    dbus_message_iter_get_basic(&iterator, &start)
    skip()
    return Characters(start)
  }

  mutating func unsigned32() -> UInt32? {
    guard isNext("u") else { return nil }
    var value: UInt32 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value
  }

  mutating func signed32() -> Int32? {
    guard isNext("i") else { return nil }
    var value: Int32 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value
  }

  mutating func unsigned64() -> UInt64? {
    guard isNext("t") else { return nil }
    var value: UInt64 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value
  }

  mutating func boolean() -> Bool? {
    guard isNext("b") else { return nil }
    var value: UInt32 = 0
    dbus_message_iter_get_basic(&iterator, &value)
    skip()
    return value != 0
  }

  mutating func array() -> MessageValues? { inside("a") }
  mutating func structure() -> MessageValues? { inside("r") }
  mutating func entry() -> MessageValues? { inside("e") }
  mutating func variant() -> MessageValues? { inside("v") }

  private mutating func inside(_ type: Unicode.Scalar) -> MessageValues? {
    guard isNext(type) else { return nil }
    var part = DBusMessageIter()
    dbus_message_iter_recurse(&iterator, &part)
    skip()
    return MessageValues(part)
  }
}

extension StaticString {
  /// The text as C has it; the compiler puts a NUL behind it.
  var characters: UnsafePointer<CChar> {
    UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

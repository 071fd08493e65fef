/// The name of the unit with this object path, or nil if it is not a unit's.
///
/// Behind `/org/freedesktop/systemd1/unit/` a byte other than a letter or a digit stands as `_` and
/// two hexadecimal digits, `_2e` for the point; a `_` alone is an empty name: sd_bus_path_encode(3).
func unitName(ofPath path: Characters) -> [UInt8]? {
  let prefix: StaticString = "/org/freedesktop/systemd1/unit/"
  let bytes = path.bytes
  let start = prefix.utf8CodeUnitCount
  guard bytes.count > start,
    prefix.withUTF8Buffer({ bytes.prefix(start).elementsEqual($0) })
  else { return nil }
  var name: [UInt8] = []
  name.reserveCapacity(bytes.count - start)
  var index = start
  while index < bytes.count {
    let byte = bytes[index]
    if byte == UInt8(ascii: "/") { return nil }
    if byte == UInt8(ascii: "_"), index + 2 < bytes.count,
      let high = hexadecimalValue(bytes[index + 1]), let low = hexadecimalValue(bytes[index + 2])
    {
      name.append(high << 4 | low)
      index += 3
    } else {
      name.append(byte)
      index += 1
    }
  }
  return name
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// The object path of a unit, with a NUL at its end.
func unitPath(ofName name: [UInt8]) -> [CChar] {
  let prefix: StaticString = "/org/freedesktop/systemd1/unit/"
  var path: [UInt8] = []
  prefix.withUTF8Buffer { path.append(contentsOf: $0) }
  for (index, byte) in name.enumerated() {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
      path.append(byte)
    case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0: path.append(byte)
    default:
      path.append(UInt8(ascii: "_"))
      for digit in [byte >> 4, byte & 15] {
        path.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }
  if name.isEmpty { path.append(UInt8(ascii: "_")) }
  return path.map { CChar(bitPattern: $0) } + [0]
}

extension [UInt8] {
  @inline(never)
  func ends(with suffix: StaticString) -> Bool {
    guard count >= suffix.utf8CodeUnitCount else { return false }
    return suffix.withUTF8Buffer { self.suffix($0.count).elementsEqual($0) }
  }
}

/// The interface in which a unit of this type has its `Result`; nil: it has none.
func resultInterface(ofUnit name: [UInt8]) -> StaticString? {
  if name.ends(with: ".service") { return "org.freedesktop.systemd1.Service" }
  if name.ends(with: ".socket") { return "org.freedesktop.systemd1.Socket" }
  if name.ends(with: ".mount") { return "org.freedesktop.systemd1.Mount" }
  if name.ends(with: ".timer") { return "org.freedesktop.systemd1.Timer" }
  if name.ends(with: ".swap") { return "org.freedesktop.systemd1.Swap" }
  if name.ends(with: ".path") { return "org.freedesktop.systemd1.Path" }
  if name.ends(with: ".scope") { return "org.freedesktop.systemd1.Scope" }
  if name.ends(with: ".automount") { return "org.freedesktop.systemd1.Automount" }
  return nil
}

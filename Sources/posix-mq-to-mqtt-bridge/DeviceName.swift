import CLinux
import CSystemd
import Linux

/// The id that stands in the topics of a device that was given none.
///
/// Made from /etc/machine-id with sd_id128_get_machine_app_specific(3), because machine-id(5) asks
/// that the id itself stay on the machine; the host name where there is no machine-id.
func defaultDeviceID() -> Text {
  var id = sd_id128_t()
  if sd_id128_get_machine_app_specific(applicationID, &id) == 0 {
    let hexadecimal = Text("0123456789abcdef").bytes
    return withUnsafeBytes(of: id) { bytes in
      Text(
        bytes.prefix(8).flatMap {
          [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]]
        })
    }
  }
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "unnamed" }
  return Text(name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
}

/// 6f1e2a8c-53d4-4b0e-9a77-d0c6b3f1a945, drawn once for this application.
private var applicationID: sd_id128_t {
  var id = sd_id128_t()
  let bytes: InlineArray<16, UInt8> = [
    0x6F, 0x1E, 0x2A, 0x8C, 0x53, 0xD4, 0x4B, 0x0E, 0x9A, 0x77, 0xD0, 0xC6, 0xB3, 0xF1, 0xA9, 0x45,
  ]
  withUnsafeMutableBytes(of: &id) { for index in bytes.indices { $0[index] = bytes[index] } }
  return id
}

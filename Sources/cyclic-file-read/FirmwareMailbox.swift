import CLinux
import Linux

/// The mailbox through which a Raspberry Pi's firmware answers questions: /dev/vcio.
///
/// ```
/// u32 size of the message in bytes     28
/// u32 0 a question; 0x80000000 answered
/// u32 tag                              0x00030046, get throttled
/// u32 size of the value in bytes       4
/// u32 0 a question; 0x80000004 answered, with 4 bytes
/// u32 value                            in the question: the sticky bits to clear, none
/// u32 0, the end of the tags
/// ```
/// https://github.com/raspberrypi/firmware/wiki/Mailbox-property-interface
struct FirmwareMailbox: ~Copyable {
  private let descriptor: FileDescriptor
  private let path: Text

  /// Errors: those of open(2); EACCES where the user is not in the group of the device, `video`.
  init(_ path: Text) throws(SystemError) {
    let descriptor = try FileDescriptor.open(path)
    self.descriptor = descriptor
    self.path = path
  }

  /// The flags of get_throttled. Errors: those of ioctl(2); EPROTO if the firmware does not know it.
  func throttledFlags() throws(SystemError) -> UInt32 {
    var message: [7 of UInt32] = Self.question
    let result = withUnsafeMutableBytes(of: &message) {
      clinux_vcio_property(descriptor.raw, $0.baseAddress)
    }
    if result < 0 { throw SystemError("ioctl", path) }
    guard let flags = Self.flags(message) else { throw SystemError("ioctl", errno: EPROTO, path) }
    return flags
  }

  static var question: [7 of UInt32] { [28, 0, 0x0003_0046, 4, 0, 0, 0] }

  /// The value of an answered message; nil if it is not answered.
  static func flags(_ message: [7 of UInt32]) -> UInt32? {
    message[1] == 0x8000_0000 && message[4] & 0x8000_0000 != 0 ? message[5] : nil
  }
}

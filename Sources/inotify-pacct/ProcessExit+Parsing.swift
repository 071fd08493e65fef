import Records

/// Why 64 bytes of an accounting file are not a process that ended.
enum AccountingRecordError: Error, Equatable {
  /// A record of version 0, 1 or 2, which a kernel without CONFIG_BSD_PROCESS_ACCT_V3 writes.
  case unsupportedVersion(UInt8)
  /// What the kernel writes at acct(2) for the caller, which lives on.
  case callerOfAcct
  case notARecord
}

extension ProcessExit {
  /// Every version of the record has this length.
  static let accountingRecordSize = 64

  /// Reads one record of version 3, in either byte order. acct(5), <linux/acct.h>, kernel/acct.c:
  ///
  /// ```
  /// struct acct_v3 {
  ///    0  char   ac_flag       AFORK 1, ASU 2, ACOMPAT 4, ACORE 8, AXSIG 16, AGROUP 32
  ///    1  char   ac_version    3; with 128 the record is big-endian
  ///    2  u16    ac_tty        major in the high byte, minor in the low one; 0: none
  ///    4  u32    ac_exitcode   as of wait(2): signal 127, core dump 128, exit code << 8
  ///    8  u32    ac_uid, ac_gid
  ///   16  u32    ac_pid, ac_ppid
  ///   24  u32    ac_btime      start in Unix time: the time of the end minus ac_etime
  ///   28  float  ac_etime      elapsed time in ticks of 1/100 s (AHZ of version 3 is 100)
  ///   32  comp_t ac_utime, ac_stime   in the same ticks
  ///   36  comp_t ac_mem        address space at the end in KiB
  ///   38  comp_t ac_io, ac_rw
  ///   42  comp_t ac_minflt, ac_majflt, ac_swaps
  ///   48  char   ac_comm[16]   ends with a NUL
  /// };
  /// ```
  ///
  /// Errors: see ``AccountingRecordError``; ``AccountingRecordError/notARecord`` where a field
  /// holds what the kernel never writes.
  init(parsing bytes: Span<UInt8>) throws(AccountingRecordError) {
    guard bytes.count == Self.accountingRecordSize else { throw .notARecord }
    let flags = bytes[0]
    let version = bytes[1] & 0x7F
    guard version == 3 else {
      throw version < 3 && Self.mayBeOlder(bytes) ? .unsupportedVersion(version) : .notARecord
    }
    let big = bytes[1] & 0x80 != 0
    guard flags & 0xC0 == 0, bytes[63] == 0,
      let elapsed = ticks(ofFloat: bytes.u32(28, big))
    else { throw .notARecord }
    let memory = bytes.compressed(36, big)
    // A process that called execve(2) has memory when it ends, and a thread of the kernel has
    // AFORK: only of a process that has not ended yet the kernel knows neither.
    guard memory != 0 || flags & 0x01 != 0 else { throw .callerOfAcct }

    self.init()
    let status = bytes.u32(4, big)
    signal = UInt8(status & 0x7F)
    exitCode = UInt8(status >> 8 & 0xFF)
    // The status is that of the first thread, which may have ended before the signal came.
    endedBySignal = flags & 0x10 != 0 || signal != 0
    dumpedCore = flags & 0x08 != 0 || status & 0x80 != 0
    forkedWithoutExec = flags & 0x01 != 0
    usedSuperuser = flags & 0x02 != 0
    userID = bytes.u32(8, big)
    groupID = bytes.u32(12, big)
    processID = bytes.u32(16, big)
    parentID = bytes.u32(20, big)
    startSeconds = UInt64(bytes.u32(24, big))
    elapsedHundredths = elapsed
    userHundredths = bytes.compressed(32, big)
    systemHundredths = bytes.compressed(34, big)
    virtualMemoryBytes = memory * 1024
    io = bytes.compressed(38, big)
    minorFaults = bytes.compressed(42, big)
    majorFaults = bytes.compressed(44, big)
    var end = 48
    while bytes[end] != 0 { end += 1 }
    command = FixedText(bytes.extracting(48..<end))
    terminal = terminalName(bytes.u16(2, big))
  }

  /// Whether the bytes may be a `struct acct` of version 0 to 2: at 8 it has the time of the start,
  /// and from 36 (34 on m68k) a name of 16 bytes and a NUL.
  private static func mayBeOlder(_ bytes: Span<UInt8>) -> Bool {
    guard bytes[0] & 0xC0 == 0, bytes.u32(8, false) != 0 else { return false }
    for index in 36..<53 where bytes[index] == 0 { return true }
    return false
  }
}

extension Span<UInt8> {
  @inline(__always)
  fileprivate func u16(_ offset: Int, _ isBigEndian: Bool) -> UInt16 {
    let value = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value)
  }

  @inline(__always)
  fileprivate func u32(_ offset: Int, _ isBigEndian: Bool) -> UInt32 {
    let value = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return isBigEndian ? UInt32(bigEndian: value) : UInt32(littleEndian: value)
  }

  @inline(__always)
  fileprivate func compressed(_ offset: Int, _ isBigEndian: Bool) -> UInt64 {
    value(ofCompressed: u16(offset, isBigEndian))
  }
}

/// A comp_t, acct(5): 13 bits of fraction, and above them 3 bits of exponent to the base of 8.
@inline(__always)
func value(ofCompressed number: UInt16) -> UInt64 {
  UInt64(number & 0x1FFF) << (UInt64(number >> 13) * 3)
}

/// The whole ticks of an ac_etime, an IEEE 754 float; nil for what is no time (negative, infinite,
/// not a number). The kernel only writes whole numbers: `encode_float()` in kernel/acct.c.
func ticks(ofFloat bits: UInt32) -> UInt64? {
  let exponent = Int32(bits >> 23)
  guard exponent < 255 else { return nil }  // the sign's bit is above the exponent
  let fraction = UInt64(bits & 0x7F_FFFF | (exponent == 0 ? 0 : 0x80_0000))
  let shift = exponent - 150
  if shift <= 0 { return shift > -24 ? fraction >> UInt64(-shift) : 0 }
  return shift <= 40 ? fraction << UInt64(shift) : UInt64.max
}

/// The name of a terminal by its number: Documentation/admin-guide/devices.txt of the kernel.
///
/// Only 16 bits of the number are in the record, so what is above pts/2047 has a name below it.
func terminalName(_ number: UInt16) -> FixedText<16> {
  var name = FixedText<16>()
  if number == 0 { return name }
  let (major, minor) = (number >> 8, number & 0xFF)
  func append(_ word: StaticString, _ number: UInt16) {
    word.withUTF8Buffer { name.append($0.span) }
    name.append(decimal: number)
  }
  switch major {
  case 4: if minor < 64 { append("tty", minor) } else { append("ttyS", minor - 64) }
  case 5 where minor == 1: name = FixedText("console")
  case 136...143: append("pts/", (major - 136) << 8 | minor)
  case 166: append("ttyACM", minor)
  case 188: append("ttyUSB", minor)
  case 204 where (64..<80).contains(minor): append("ttyAMA", minor - 64)
  default:
    append("", major)
    append(":", minor)
  }
  return name
}

extension FixedText {
  /// A number of at most five digits.
  fileprivate mutating func append(decimal number: UInt16) {
    var divisor: UInt16 = 10_000
    while divisor > 1 && number < divisor { divisor /= 10 }
    while divisor > 0 {
      append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}

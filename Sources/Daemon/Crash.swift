import CLinux

/// Says where the program crashed before it dies of the signal and leaves its core dump.
///
/// A trap of Embedded Swift (overflow, index out of range, unwrapped nil) is a bare instruction
/// that says nothing. The offset is what `llvm-symbolizer --obj=PROGRAM` takes. Call it first.
public func reportCrashes() {
  for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE] {
    // SA_RESETHAND: returning runs the same instruction again, and now it kills.
    _ = clinux_on_signal(signal, sayWhere, SA_SIGINFO | Int32(bitPattern: UInt32(SA_RESETHAND)))
  }
}

/// Runs inside a signal handler: no allocation, one write(2).
private func sayWhere(
  _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?,
  _ context: UnsafeMutableRawPointer?
) {
  let offset = clinux_program_offset(context)
  let text: StaticString = "<2>crashed at offset 0x"
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { line in
    var count = 0
    text.withUTF8Buffer {
      for byte in $0 {
        line[count] = byte
        count += 1
      }
    }
    for shift in stride(from: UInt.bitWidth - 4, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: offset >> UInt(shift)) & 15
      line[count] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      count += 1
    }
    line[count] = UInt8(ascii: "\n")
    _ = write(2, line.baseAddress, count + 1)
  }
  // Sent by another process, nothing would strike again.
  if let information, information.pointee.si_code <= 0 { raise(signal) }
}

import CLinux

/// A system call that failed: its name, errno and what it was about.
public struct SystemError: Error, Sendable {
  public let call: StaticString
  public let errno: Int32
  /// The path, queue or address; empty where there is none.
  public let subject: Text

  public init(_ call: StaticString, errno: Int32 = clinux_errno(), _ subject: Text = "") {
    self.call = call
    self.errno = errno
    self.subject = subject
  }

  /// `open /proc/x: No such file or directory`
  public var description: Text {
    "\(call)\(subject.isEmpty ? "" : " ")\(subject): \(Text(cString: strerror(errno)))"
  }
}

/// The result of a system call, or its error.
@inline(__always)
func check(
  _ result: Int32, _ call: StaticString, _ subject: @autoclosure () -> Text = ""
) throws(SystemError) -> Int32 {
  if result < 0 {
    let errno = clinux_errno()
    throw SystemError(call, errno: errno, subject())
  }
  return result
}

import Linux
import Records

@testable import epoll_psi

/// Pressure files, and the two options that have a form of their own.
func pressure(_ bytes: [UInt8]) -> CInt {
  if let pressure = try? Pressure(parsing: bytes.span) {
    expectPublishable(PressureSample(.memory, of: CgroupPath(), pressure))
  }
  let text = Text(bytes)
  _ = try? Trigger(parsing: text)
  if let pattern = CgroupPattern(parsing: text) {
    expect(pattern.count > 0, "a pattern without parts")
    for part in 0..<pattern.count { _ = pattern.matches("system.slice", part: part) }
  }
  return 0
}

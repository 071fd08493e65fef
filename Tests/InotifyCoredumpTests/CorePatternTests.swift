import TestSupport
import Testing

@testable import inotify_coredump

struct CorePatternTests {
  private func parsed(_ bytes: [UInt8], _ folder: String) -> CorePattern {
    CorePattern(parsing: bytes.span, folder: [UInt8](folder.utf8))
  }

  private func pattern(
    _ name: String, folder: String = "/var/lib/systemd/coredump"
  ) throws -> CorePattern {
    parsed(try Fixture.bytes("core_pattern-\(name)"), folder)
  }

  @Test(arguments: ["systemd-252", "systemd-257", "file"])
  func systemdAndTheFolderLeadHere(_ name: String) throws {
    #expect(try pattern(name) == .leadsHere)
  }

  @Test func everythingElseLeadsElsewhere() throws {
    #expect(try pattern("kernel") == .leadsElsewhere("core"))
    #expect(
      try pattern("apport")
        == .leadsElsewhere("|/usr/share/apport/apport -p%p -s%s -c%c -d%d -P%P -u%u -g%g -- %E"))
    guard case .leadsElsewhere = try pattern("file", folder: "/var/lib/systemd/core") else {
      Issue.record("a folder whose name only begins the same")
      return
    }
  }

  @Test func anyBytesAreAPattern() throws {
    var random = SeededNumbers(seed: 1)
    for name in ["systemd-252", "file", "kernel"] {
      let bytes = try Fixture.bytes("core_pattern-\(name)")
      for _ in 0..<7000 {
        let mutated = random.mutated(bytes)
        let pattern = parsed(mutated, "/var/lib/systemd/coredump")
        if pattern == .leadsHere { #expect(!mutated.isEmpty) }
      }
    }
    #expect(parsed([], "/x") == .leadsElsewhere(""))
  }

  @Test func whatCannotBeReadIsUnknown() {
    #expect(CorePattern.read(procfs: "/no/such", folder: "/x") == .unknown)
  }
}

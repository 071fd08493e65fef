import Foundation
import Testing

extension PackagingTests {
  /// The host tool's package beside the devices' own, in one booted system.
  @Suite struct ToolsPackageTests {
    @Test(arguments: ["bookworm", "trixie"])
    func theHostToolIsInstalledWithAllItNeeds(_ suite: String) throws {
      let system = try InstalledSystem(suite)
      try system.install(Package.built(.amd64, "stats-recording-tools"))
      try system.installBroker()
      try system.systemctl("enable --now cyclic-sysinfo")
      #expect(
        try system.sh("stats-recording --version").output.first?.hasPrefix("stats-recording ")
          == true)
      let shown = try system.sh("stats-recording watch --count 2 load1 2>&1")
      #expect(shown.status == 0)
      #expect(shown.output.count == 2)
      #expect(
        shown.output.allSatisfy { $0.contains("  cyclic-sysinfo  load1=") }, "\(shown.output)")
      #expect(try system.sh("dpkg --verify stats-recording-tools").output == [])
      let mistake = try system.sh("stats-recording watch laod1 2>&1")
      #expect(mistake.status == 64)
      #expect(mistake.output.first?.contains("load1") == true, "\(mistake.output)")
    }

    @Test(.needs(command: "mandoc")) func theManualDescribesEveryCommandAndOption() throws {
      let rig = try Rig()
      let package = try Package.built(.amd64, "stats-recording-tools")
      try package.unpack(into: rig.folder)
      let page = rig.folder.appending(path: "usr/share/man/man1/stats-recording.1").path()
      try Package.run("gunzip", page + ".gz")
      let mandoc = try #require(Machine.command("mandoc"))
      let lint = try rig.run([mandoc, "-T", "lint", "-W", "warning", page])
      #expect(lint.output + lint.log == [])
      let text = try String(contentsOfFile: page, encoding: .utf8)
        .replacingOccurrences(of: "\\-", with: "-")
      let tool = rig.folder.appending(path: "usr/bin/stats-recording").path()
      let commands = try rig.run([tool, "--help"]).output
        .compactMap { $0.prefixMatch(of: #/  ([a-z][a-z-]+)  +[A-Z]/#)?.1 }.map(String.init)
      #expect(commands.contains("watch"))
      for command in commands where command != "help" {
        #expect(text.contains(".Ss \(command)\n"), "\(command)")
        let help = try rig.run([tool, command, "--help"]).output
        let options = help.compactMap { $0.prefixMatch(of: #/  (?:-\w, )?--([a-z-]+)/#)?.1 }
        #expect(options.contains("help"), "\(command)")
        for option in options { #expect(text.contains("Fl -\(option)"), "\(command) --\(option)") }
        #expect(help.contains { $0.contains("stats-recording \(command)") }, "an example")
      }
      for shell in ["bash", "zsh", "fish"] {
        let found = try Package.run("dpkg-deb", "--contents", package.path)
        #expect(found.contains { $0.contains("/\(shell)") }, "completions for \(shell)")
      }
    }
  }
}

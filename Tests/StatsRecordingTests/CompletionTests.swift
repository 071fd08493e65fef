import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

struct CompletionTests {
  @Test func fieldsCompleteAloneAndBehindTheirProgram() {
    let numbers = { FieldCatalog.completions(of: $0, numbersOnly: true) }
    #expect(numbers("load") == ["load1", "load15", "load5"])
    #expect(numbers("cyclic-s") == ["cyclic-sysinfo/"])
    #expect(numbers("cyclic-sysinfo/load1") == ["cyclic-sysinfo/load1", "cyclic-sysinfo/load15"])
    #expect(numbers("cyclic-file-read/*/temp") == ["cyclic-file-read/*/temperature_celsius"])
    #expect(numbers("cyclic-file-read/").contains("cyclic-file-read/*/temperature_celsius"))
    #expect(!numbers("cyclic-file-read/").contains { $0.hasSuffix("load1") })
    #expect(!numbers("active").contains("active_state"))
    #expect(FieldCatalog.completions(of: "active", numbersOnly: false) == ["active_state"])
  }

  /// A shell as a person has it: the script that the tool writes, and the Tab key.
  @Test(.needs(command: "tmux"), .needs(command: "bash")) func bashCompletesThem() throws {
    let rig = try Rig()
    let tool = try Rig.toolPath()
    let folder = tool.dropLast("/stats-recording".count)
    let script = rig.folder.appending(path: "completion.bash")
    let written = try rig.run([tool, "--generate-completion-script", "bash"])
    #expect(written.status == 0)
    try written.output.joined(separator: "\n").write(to: script, atomically: true, encoding: .utf8)
    let screen = try Screen(
      rig, "cd /; PATH=\(folder):$PATH PS1='$ ' exec bash --norc -i", width: 150)
    try screen.tmux("send-keys", "-l", "source \(script.path()); clear\n")
    _ = try screen.eventually("bash is there") { $0.first?.hasPrefix("$") == true }
    for (typed, expected) in [
      ("stats-recording pl", "$ stats-recording plot"),
      ("stats-recording plot temperature_c", "$ stats-recording plot temperature_celsius"),
      (
        "stats-recording plot --window 1h cyclic-s",
        "$ stats-recording plot --window 1h cyclic-sysinfo/"
      ),
      ("stats-recording watch active_s", "$ stats-recording watch active_state"),
    ] {
      try screen.tmux("send-keys", "-l", typed)
      try screen.press("Tab")
      let rows = try screen.eventually("\(typed) is completed") {
        $0.first?.hasPrefix(expected) == true
      }
      #expect(rows.first?.hasPrefix(expected) == true)
      try screen.press("C-u", "C-l")
      _ = try screen.eventually("an empty line") { $0.first == "$" }
    }
  }
}

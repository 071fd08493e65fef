import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

struct CompletionTests {
  @Test func fieldsCompleteAloneAndBehindTheirProgram() {
    let numbers = { FieldCatalog.completions(of: $0, numbersOnly: true) }
    #expect(numbers("load1") == ["load1", "load15"])
    #expect(numbers("cyclic-s") == ["cyclic-sysinfo/"])
    #expect(numbers("cyclic-sysinfo/load1") == ["cyclic-sysinfo/load1", "cyclic-sysinfo/load15"])
    #expect(numbers("cyclic-file-read/*/temp") == ["cyclic-file-read/*/temperature_celsius"])
    #expect(numbers("cyclic-file-read/").contains("cyclic-file-read/*/temperature_celsius"))
    #expect(!numbers("cyclic-file-read/").contains { $0.hasSuffix("load1") })
    #expect(!numbers("active").contains("active_state"))
    #expect(FieldCatalog.completions(of: "active", numbersOnly: false) == ["active_state"])
  }

  enum Shell: String, CaseIterable { case bash, zsh, fish }

  /// Starts the shell with nobody's settings, the program in its path and the script in `folder`.
  private func command(_ shell: Shell, _ folder: String, path: Substring) -> String {
    let start = "cd /; HOME=\(folder) PATH=\(path):$PATH"
    switch shell {
    case .bash: return "\(start) PS1='$ ' exec bash --norc -i"
    case .zsh: return "\(start) PS1='$ ' exec zsh -f -i"
    case .fish: return "\(start) exec fish --no-config -i"
    }
  }

  /// What is typed first.
  private func preparation(_ shell: Shell, _ folder: String) -> String {
    switch shell {
    case .bash: "source \(folder)/completion; clear"
    case .zsh:
      // It looks for a function by the file's name, as Debian's vendor-completions.
      "fpath=(\(folder) $fpath); autoload -Uz compinit; compinit -u -D; clear"
    case .fish:
      "function fish_prompt; echo -n '$ '; end; set -g fish_autosuggestion_enabled 0; "
        + "source \(folder)/completion; clear"
    }
  }

  /// A shell as a person has it: the script that the tool writes, and the Tab key.
  @Test(
    .needs(command: "tmux"), .needs(command: "bash"), .needs(command: "zsh"),
    .needs(command: "fish"), arguments: Shell.allCases)
  func shellsCompleteThem(_ shell: Shell) throws {
    let rig = try Rig()
    let tool = try Rig.toolPath()
    let folder = rig.folder.path()
    let written = try rig.run([tool, "--generate-completion-script", shell.rawValue])
    #expect(written.status == 0)
    let name = shell == .zsh ? "_stats-recording" : "completion"
    try written.output.joined(separator: "\n").write(
      toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    let screen = try Screen(
      rig, command(shell, folder, path: tool.dropLast("/stats-recording".count)), width: 150)
    try screen.tmux("send-keys", "-l", preparation(shell, folder) + "\n")
    _ = try screen.eventually("\(shell) is there") {
      $0.first == "$" && $0.dropFirst().allSatisfy(\.isEmpty)
    }
    for (typed, expected) in [
      ("stats-recording pl", "$ stats-recording plot"),
      ("stats-recording plot temperature_c", "$ stats-recording plot temperature_celsius"),
      (
        "stats-recording plot --window 1h cyclic-s",
        "$ stats-recording plot --window 1h cyclic-sysinfo/"
      ),
      ("stats-recording watch active_s", "$ stats-recording watch active_state"),
      ("stats-recording serve --rec", "$ stats-recording serve --recording"),
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

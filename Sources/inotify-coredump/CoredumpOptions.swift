import Daemon
import Linux

/// What the command line and the configuration file say.
struct CoredumpOptions {
  static let defaultFolder: Text = "/var/lib/systemd/coredump"

  let folder: Text
  /// Nobody named another folder: then the kernel's core_pattern says whether anything can come.
  let isDefaultFolder: Bool
  let usesJournal: Bool
  let journalDirectory: Text?
  let journalWait: UInt64
  let reportsExisting: Bool
  let stateFile: Text?
  let withoutCommandLine: Bool
  let procfs: Text

  init(_ options: inout Options, _ output: OutputOptions) {
    let folder = options.text(
      "folder", "DIR", "the folder of core dumps [/var/lib/systemd/coredump]")
    self.folder = folder ?? Self.defaultFolder
    isDefaultFolder = folder == nil
    if self.folder.bytes.first != UInt8(ascii: "/") || self.folder.bytes.count < 2 {
      options.fail("--folder \(self.folder): write the whole path, from the root")
    }
    usesJournal = !options.flag("no-journal", "do not read the journal, only the folder")
    journalDirectory = options.text(
      "journal-directory", "DIR", "read the journal's files in this folder, not the machine's own")
    journalWait =
      options.interval(
        "journal-wait", default: .seconds(5), atLeast: Interval(nanoseconds: 1_000_000),
        atMost: .seconds(300), "how long a dump waits for its entry in the journal"
      ).nanoseconds
    reportsExisting = options.flag(
      "report-existing", "at the first start, tell of the dumps that are there already")
    let stateFile = options.text(
      "state-file", "FILE",
      """
      remembers what was told; --print uses none unless it is given here \
      [$STATE_DIRECTORY/inotify-coredump.state]
      """)
    self.stateFile = output.once ? nil : stateFile ?? (output.prints ? nil : Self.defaultStateFile)
    withoutCommandLine = options.flag(
      "no-command-line", "leave out command lines, which may hold secrets")
    procfs = options.text("procfs", "DIR", default: "/proc", "where the kernel's proc is mounted")
  }

  private static var defaultStateFile: Text {
    let folder = Daemon.folder(inEnvironment: "STATE_DIRECTORY") ?? "/var/lib/stats-recording"
    return "\(folder)/inotify-coredump.state"
  }
}

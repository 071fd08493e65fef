import CLinux
import Foundation
import Testing

/// A folder of core dumps that a test fills in the ways of systemd-coredump and of the kernel.
final class CoreDumpFolder {
  static let boot = "43908254216b467b81453543fe292e1a"

  let path: String

  init(_ path: String, exists: Bool = true) throws {
    self.path = path
    if exists { try make() }
  }

  func make() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  static func name(_ comm: String = "sh", pid: Int, time: Int = 1_795_228_999) -> String {
    "core.\(comm).1000.\(boot).\(pid).\(time)000000"
  }

  /// As systemd-coredump does it: written without a name, described, then linked to its name.
  func store(
    _ comm: String = "sh", pid: Int, time: Int = 1_795_228_999, size: Int = 5000,
    ending: String = ".zst", isDescribed: Bool = true
  ) {
    // O_TMPFILE, which only _GNU_SOURCE shows.
    let file = clinux_open(path, 0o20_000_000 | O_DIRECTORY | O_RDWR, 0o640)
    #expect(file >= 0, "O_TMPFILE in \(path): \(String(cString: strerror(errno)))")
    defer { close(file) }
    let bytes = [UInt8](repeating: 0x5A, count: size)
    #expect(write(file, bytes, size) == size)
    if isDescribed {
      let attributes = [
        "pid": "\(pid)", "uid": "1000", "gid": "100", "signal": "6", "timestamp": "\(time)000000",
        "rlimit": "18446744073709551615", "hostname": "pi", "comm": comm, "exe": "/usr/bin/\(comm)",
      ]
      for (name, value) in attributes {
        #expect(
          fsetxattr(file, "user.coredump.\(name)", value, value.utf8.count, 0) == 0,
          "fsetxattr: \(String(cString: strerror(errno)))")
      }
    }
    let target = path + "/" + Self.name(comm, pid: pid, time: time) + ending
    #expect(
      linkat(AT_FDCWD, "/proc/self/fd/\(file)", AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0,
      "linkat \(target): \(String(cString: strerror(errno)))")
  }

  /// As older versions do it: written under a temporary name, then renamed.
  func storeByRenaming(_ comm: String = "sh", pid: Int) {
    let name = Self.name(comm, pid: pid)
    let temporary = path + "/.#" + name + "d41d8cd98f00b204"
    let file = clinux_open(temporary, O_RDWR | O_CREAT | O_EXCL, 0o640)
    #expect(file >= 0)
    #expect(write(file, "core", 4) == 4)
    close(file)
    #expect(rename(temporary, path + "/" + name) == 0)
  }

  func remove(_ comm: String = "sh", pid: Int, ending: String = ".zst") {
    #expect(unlink(path + "/" + Self.name(comm, pid: pid) + ending) == 0)
  }
}

/// A journal's files that grow while somebody reads them: systemd-journal-remote(8), which needs no
/// journald and writes what the journal's export format says.
final class JournalFiles {
  let path: String
  private let process: ChildProcess
  private let feed: Feed
  private var entries = 0
  private var dumps = 0

  static let command = "/lib/systemd/systemd-journal-remote"

  init(_ path: String, _ rig: Rig) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    feed = try Feed(in: rig.folder)
    process = try ChildProcess(
      [Self.command, "--output", path + "/remote.journal", "-"], name: "journal-remote",
      in: rig.folder, input: feed.path)
    // The file is there from the first entry on.
    write(["MESSAGE": "the journal begins"])
    try eventually("journal-remote writes") {
      FileManager.default.fileExists(atPath: path + "/remote.journal")
    }
  }

  private func write(_ fields: [String: String]) {
    entries += 1
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var text =
      "__REALTIME_TIMESTAMP=\(Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1000)\n"
      + "__MONOTONIC_TIMESTAMP=\(1_000_000 + entries)\n"
    for (name, value) in ["_BOOT_ID": CoreDumpFolder.boot].merging(fields, uniquingKeysWith: { $1 })
    {
      text += "\(name)=\(value)\n"
    }
    feed.write(text + "\n")
  }

  /// The entry of systemd-coredump about a dump; nil as a field's value leaves it out.
  func write(
    _ comm: String = "sh", pid: Int, time: Int = 1_795_228_999, ending: String? = ".zst",
    _ changes: [String: String?] = [:]
  ) {
    var fields: [String: String?] = [
      "MESSAGE_ID": "fc2e22bc6ee647b6b90729ab34a250b1", "_UID": "1000",
      "MESSAGE": "Process \(pid) (\(comm)) of user 1000 dumped core.",
      "COREDUMP_PID": "\(pid)", "COREDUMP_UID": "1000", "COREDUMP_GID": "100",
      "COREDUMP_SIGNAL": "6", "COREDUMP_TIMESTAMP": "\(time)000000", "COREDUMP_COMM": comm,
      "COREDUMP_EXE": "/usr/bin/\(comm)", "COREDUMP_CMDLINE": "\(comm) --password secret",
      "COREDUMP_UNIT": "\(comm).service", "COREDUMP_HOSTNAME": "pi",
      "COREDUMP_RLIMIT": "18446744073709551615",
    ]
    if let ending {
      fields["COREDUMP_FILENAME"] =
        "/var/lib/systemd/coredump/" + CoreDumpFolder.name(comm, pid: pid, time: time) + ending
    }
    for (name, value) in changes { fields.updateValue(value, forKey: name) }
    write(fields.compactMapValues { $0 })
    dumps += 1
  }

  /// Waits until journalctl(1) finds all entries about dumps.
  func settle(_ rig: Rig) throws {
    let command = try #require(Machine.command("journalctl"))
    try eventually("the entries are in the journal") {
      let found = try rig.run([
        command, "--directory", path, "--output", "json",
        "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1",
      ])
      return found.output.count == dumps
    }
  }
}

extension Trait where Self == ConditionTrait {
  static var needsJournalRemote: Self {
    .needs("needs systemd-journal-remote: apt install systemd-journal-remote") {
      FileManager.default.isExecutableFile(atPath: JournalFiles.command)
    }
  }
}

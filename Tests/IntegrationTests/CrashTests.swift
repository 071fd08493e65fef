import CLinux
import Foundation
import Testing

/// Real crashes. The kernel's core_pattern is one for the whole machine, so that these tests run
/// one after the other, and each leaves it as it found it.
@Suite(.serialized, .needsRoot)
struct CrashTests {
  private static let pattern = "/proc/sys/kernel/core_pattern"

  /// Sets core_pattern, alone on this machine, until it is ended.
  func setCorePattern(_ pattern: String, _ rig: Rig) throws -> HeldScript {
    // CORENAME_MAX_SIZE of the kernel, with the NUL.
    try #require(pattern.utf8.count < 128, "\(pattern)")
    return try HeldScript(
      """
      exec 9>/tmp/stats-recording-core_pattern.lock
      flock 9
      before=$(cat \(Self.pattern))
      printf '%s' "$1" >\(Self.pattern) || exit
      trap '' HUP INT TERM
      echo ready
      cat >/dev/null
      printf '%s' "$before" >\(Self.pattern)
      """, [pattern], rig)
  }

  /// Ends a shell by a signal; `limit` is what `ulimit -c` takes. Returns its process id.
  private func crash(
    _ rig: Rig, limit: String = "unlimited", signal: String = "SEGV", user: String? = nil
  ) throws -> Int {
    let script = "ulimit -c \(limit); kill -\(signal) $$"
    let become =
      try user.map { [try #require(Machine.command("setpriv")), "--reuid", $0, "--clear-groups"] }
      ?? []
    let process = try ChildProcess(
      become + ["/bin/sh", "-c", script], name: "crash", in: rig.folder)
    #expect(try process.wait() < 0)
    return Int(process.id)
  }

  private func messages(_ subscriber: Subscriber, pid: Int) -> [Message] {
    subscriber.messages(of: "/inotify-coredump/dump/sh").filter { $0.integer("pid") == pid }
  }

  @Test func aDumpThatTheKernelWritesIsToldWhenItIsWhole() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let folder = rig.folder.path() + "/d"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let before = try String(contentsOfFile: Self.pattern, encoding: .utf8)
    let process = try rig.program(
      "inotify-coredump",
      ["--folder", folder, "--no-journal", "--state-file", rig.folder.path() + "/state"])
    try eventually("it watches") {
      FileManager.default.fileExists(atPath: rig.folder.path() + "/state")
    }
    let held = try setCorePattern(
      "\(folder)/core.%e.%u.\(boot.filter { $0 != "-" }).%p.%t000000", rig)
    let pid = try crash(rig)
    let now = Date().timeIntervalSince1970
    try held.end()
    #expect(try String(contentsOfFile: Self.pattern, encoding: .utf8) == before)

    try eventually("it is told") { messages(subscriber, pid: pid).count == 1 }
    let dump = messages(subscriber, pid: pid)[0]
    #expect(abs(dump.number("crash_time_seconds")! - now) < 3)
    #expect(dump.text("crash_boot_id") == boot && dump.text("boot_id") == boot)
    #expect(dump.integer("uid") == 0 && dump.text("compression") == "none")
    let name = try #require(
      FileManager.default.contentsOfDirectory(atPath: folder)
        .first { $0.contains(".\(pid).") })
    var status = stat()
    #expect(stat(folder + "/" + name, &status) == 0)
    #expect(dump.integer("file_size_bytes") == Int(status.st_size))
    #expect(dump.integer("file_disk_bytes") == Int(status.st_blocks) * 512)
    let core = try Data(contentsOf: URL(filePath: folder + "/" + name)).prefix(4)
    #expect(Array(core) == [0x7F] + Array("ELF".utf8))
    #expect(try process.stop() == 0)
    #expect(try bridge.stop() == 0)
  }

  // MARK: systemd-coredump itself

  /// Where a file of the package systemd-coredump is: installed, or unpacked for the tests, since
  /// installing it changes the machine's core_pattern.
  static func systemdCoredump(_ path: String) -> String? {
    [path, Machine.packageRoot.appending(path: ".build/tools/systemd-coredump").path() + path]
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// systemd-coredump with its socket, and a journald, whose folders are those of the rig: in a
  /// mount namespace of their own, without systemd as PID 1.
  private func startSystemd(_ rig: Rig, _ coredump: String) throws -> HeldScript {
    try HeldScript(
      """
      mkdir -p /run/systemd/journal /run/log /var/lib/systemd/coredump
      unshare --mount --propagation private sh -c '
        mount --bind "$1/dumps" /var/lib/systemd/coredump &&
        mount -t tmpfs none /run/log && mkdir /run/log/journal &&
        mount --bind "$1/journal" /run/log/journal &&
        mount -t tmpfs none /run/systemd/journal || exit
        /lib/systemd/systemd-journald & journald=$!
        systemd-socket-activate --seqpacket --accept -l /run/systemd/coredump "$2" & socket=$!
        while ! [ -S /run/systemd/journal/socket ] || ! [ -S /run/systemd/coredump ]; do
          sleep 0.05
          kill -0 $journald && kill -0 $socket || exit
        done
        echo ready
        cat >/dev/null
        kill $socket $journald
        wait
        rm -f /run/systemd/coredump
      ' sh "$@"
      rmdir --ignore-fail-on-non-empty /run/systemd/journal
      """, [rig.folder.path(), coredump], rig)
  }

  @Test(
    .needs("needs systemd-coredump: apt download systemd-coredump, unpacked by build.sh test") {
      systemdCoredump("/lib/systemd/systemd-coredump") != nil
    },
    .needs("needs /run/systemd/coredump, which this machine's own systemd has") {
      !FileManager.default.fileExists(atPath: "/run/systemd/coredump")
    },
    .needs(command: "systemd-socket-activate"))
  func theRecordAgreesWithCoredumpctl() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    for folder in ["dumps", "journal"] {
      try FileManager.default.createDirectory(
        at: rig.folder.appending(path: folder), withIntermediateDirectories: true)
    }
    #expect(chmod(rig.folder.path(), 0o755) == 0)
    let coredump = try #require(Self.systemdCoredump("/lib/systemd/systemd-coredump"))
    // The name that the kernel starts must be short.
    let helper = rig.folder.path() + "/systemd-coredump"
    #expect(symlink(coredump, helper) == 0)
    let systemd = try startSystemd(rig, coredump)
    let process = try rig.program(
      "inotify-coredump",
      [
        "--folder", rig.folder.path() + "/dumps", "--journal-directory",
        rig.folder.path() + "/journal", "--state-file", rig.folder.path() + "/state",
        "--journal-wait", "20s",
      ])
    try eventually("it watches") {
      FileManager.default.fileExists(atPath: rig.folder.path() + "/state")
    }
    let held = try setCorePattern("|\(helper) %P %u %g %s %t %c %h", rig)
    let whole = try crash(rig)
    let ofNobody = try crash(rig, signal: "ABRT", user: "65534")
    let notKept = try crash(rig, limit: "0", signal: "QUIT")
    let cut = try crash(rig, limit: "64", signal: "BUS")
    let pids = [whole, ofNobody, notKept, cut]
    try eventually("all are told", within: 30) {
      pids.allSatisfy { messages(subscriber, pid: $0).count == 1 }
    }
    try held.end()

    let command = try #require(Self.systemdCoredump("/usr/bin/coredumpctl"))
    let list = try rig.run([
      command, "--directory", rig.folder.path() + "/journal", "--json=short", "list",
    ])
    let object = try JSONSerialization.jsonObject(with: Data(list.output.joined().utf8))
    let witness = try #require(object as? [[String: Any]])
    for pid in pids {
      let told = messages(subscriber, pid: pid)[0]
      let entry = try #require(witness.first { $0["pid"] as? Int == pid }, "\(pid) in \(witness)")
      for key in ["uid", "gid"] { #expect(told.integer(key) == entry[key] as? Int) }
      #expect(told.integer("signal") == entry["sig"] as? Int)
      #expect(told.text("exe") == entry["exe"] as? String)
      // coredumpctl looks at /var/lib/systemd/coredump, which is another folder out here.
      let storage = try #require(entry["corefile"] as? String)
      #expect(told.text("storage") == (storage == "none" ? "none" : "file"), "\(storage)")
      let time = try #require(entry["time"] as? Int) / 1_000_000
      // Theirs is when the entry was written.
      #expect(abs(told.integer("crash_time_seconds")! - time) <= 5)
      #expect(told.flag("journal_entry") == true)
      #expect(told.text("command_line")?.contains("kill -") == true)
    }
    #expect(messages(subscriber, pid: whole)[0].flag("truncated") == false)
    #expect(messages(subscriber, pid: cut)[0].flag("truncated") == true)
    #expect(messages(subscriber, pid: cut)[0].integer("core_limit_bytes")! < 100_000)
    #expect(messages(subscriber, pid: notKept)[0].members["file_size_bytes"] == nil)
    #expect(messages(subscriber, pid: ofNobody)[0].integer("uid") == 65534)

    // The files' own sizes and attributes are the other witness.
    for pid in [whole, ofNobody, cut] {
      let told = messages(subscriber, pid: pid)[0]
      let name = try #require(
        FileManager.default.contentsOfDirectory(atPath: rig.folder.path() + "/dumps")
          .first { $0.contains(".\(pid).") })
      let path = rig.folder.path() + "/dumps/" + name
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(told.integer("file_size_bytes") == Int(status.st_size))
      var value = [UInt8](repeating: 0, count: 64)
      let count = getxattr(path, "user.coredump.timestamp", &value, value.count)
      #expect(count > 0)
      let time = Int(String(decoding: value.prefix(max(count, 0)), as: UTF8.self))
      #expect(time == told.integer("crash_time_seconds")! * 1_000_000)
    }
    try systemd.end()
    #expect(try process.stop() == 0)
    #expect(try bridge.stop() == 0)
  }
}

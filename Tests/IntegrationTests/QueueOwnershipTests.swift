import CLinux
import Foundation
import Records
import Testing

/// Whose queues they are: anybody may make a queue of any name, and few may write into ours.
@Suite(.needsRoot, .needs(command: "setpriv"))
struct QueueOwnershipTests {
  private static let nobody: uid_t = 65534

  private func command(_ program: String, _ rig: Rig, as user: uid_t) throws -> [String] {
    [
      try #require(Machine.command("setpriv")), "--reuid", "\(user)", "--regid", "\(user)",
      "--clear-groups",
    ] + (try Rig.command(program, on: .amd64))
      + ["--config", "/dev/null", "--queue-prefix", rig.queuePrefix]
  }

  /// Owner and mode of a queue, as the kernel has them.
  private func status(_ rig: Rig, _ program: String) throws -> stat {
    let queue = clinux_mq_open("\(rig.queuePrefix)\(program)", O_RDONLY, 0, nil)
    defer { mq_close(queue) }
    var status = stat()
    try #require(fstat(queue, &status) == 0, "\(program): \(String(cString: strerror(errno)))")
    return status
  }

  @Test func aQueueIsItsOwnersAlone() throws {
    let rig = try Rig()
    let bridge = try rig.program("posix-mq-to-mqtt-bridge", ["--print"])
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("a record passes") { !bridge.output.isEmpty }
    for program in Program.allCases {
      let status = try status(rig, "\(program.name)")
      #expect(status.st_mode & 0o7777 == 0o600)
      #expect(status.st_uid == geteuid() && status.st_gid == getegid())
    }
    try collector.stop()
    for (program, direction) in [("cyclic-sysinfo", "sending"), ("posix-mq-to-mqtt-bridge", "")] {
      let stranger = try ChildProcess(
        command(program, rig, as: Self.nobody), name: "stranger", in: rig.folder)
      #expect(try stranger.wait() == 1, "\(direction)")
      #expect(
        stranger.log == [
          "\(program): error: mq_open \(rig.queuePrefix)cyclic-sysinfo: Permission denied"
        ])
    }
    #expect(try bridge.stop() == 0)
  }

  /// As the packaged socket unit makes them: owned by root, for the group.
  @Test func theGroupMayWriteWhereTheOwnerAllowsIt() throws {
    let rig = try Rig()
    var attributes = mq_attr()
    attributes.mq_maxmsg = 10
    attributes.mq_msgsize = RecordHeader.maximumRecordSize
    for program in Program.allCases {
      let queue = clinux_mq_open(
        "\(rig.queuePrefix)\(program.name)", O_RDONLY | O_CREAT, 0o660, &attributes)
      try #require(queue >= 0)
      #expect(fchmod(queue, 0o660) == 0 && fchown(queue, 0, Self.nobody) == 0)
      mq_close(queue)
    }
    let bridge = try ChildProcess(
      command("posix-mq-to-mqtt-bridge", rig, as: Self.nobody) + ["--print"], name: "bridge",
      in: rig.folder)
    let collector = try ChildProcess(
      command("cyclic-sysinfo", rig, as: Self.nobody) + ["--interval", "50ms"], name: "collector",
      in: rig.folder)
    try eventually("records pass") { bridge.output.count >= 3 }
    #expect(try collector.stop() == 0)
    #expect(try bridge.stop() == 0)
  }

  @Test(
    arguments: [
      (65534, 0o600, "of user 65534, not ours"), (65534, 0o666, "of user 65534, not ours"),
      (0, 0o666, "into which everybody may write"), (0, 0o602, "into which everybody may write"),
    ] as [(uid_t, mode_t, String)])
  func aQueueThatStrangersMadeOrMayFillIsRefused(
    _ owner: uid_t, _ mode: mode_t, _ reason: String
  ) throws {
    let rig = try Rig()
    var attributes = mq_attr()
    attributes.mq_maxmsg = 10
    attributes.mq_msgsize = RecordHeader.maximumRecordSize
    let name = "\(rig.queuePrefix)cyclic-sysinfo"
    let queue = clinux_mq_open(name, O_RDONLY | O_CREAT, mode, &attributes)
    try #require(queue >= 0)
    #expect(fchmod(queue, mode) == 0 && fchown(queue, owner, gid_t(owner)) == 0)
    mq_close(queue)
    // A collector tells it what runs here: that is nobody else's business either.
    for program in ["posix-mq-to-mqtt-bridge", "cyclic-sysinfo"] {
      let process = try rig.program(program)
      #expect(try process.wait() == 1)
      #expect(
        process.log == [
          "\(program): error: mq_open \(name), a queue \(reason); remove it: "
            + "Operation not permitted"
        ])
    }
  }
}

import CLinux
import Foundation
import Records
import Testing

/// What every program does alike, typed by hand.
struct CommandLineTests {
  static let programs = Program.allCases.map { "\($0.name)" } + ["posix-mq-to-mqtt-bridge"]

  @Test(arguments: programs) func helpAndVersionGoToStandardOutput(_ program: String) throws {
    let rig = try Rig()
    let help = try rig.runProgram(program, "--help")
    #expect(help.status == 0)
    #expect(help.output.first == "Usage: \(program) [--OPTION VALUE]...")
    #expect(help.log.isEmpty)
    let version = try rig.runProgram(program, "--version")
    #expect(version.status == 0)
    #expect(version.output.count == 1)
    #expect(version.output[0].hasPrefix("\(program) "))
  }

  /// A single use of String takes 20 KB of the standard library into a program; see Text.
  @Test(arguments: programs) func itCarriesNothingOfString(_ program: String) throws {
    let rig = try Rig()
    let path = try Rig.command(program, on: .amd64)[0]
    let symbols = try rig.run([#require(Machine.command("nm")), path])
    #expect(symbols.status == 0)
    #expect(symbols.output.contains { $0.contains("4Text") }, "its functions have names")
    #expect(symbols.output.filter { $0.contains("_StringGuts") } == [])
  }

  @Test(arguments: programs) func aMistakeIsOneLineAndStatus2(_ program: String) throws {
    let rig = try Rig()
    for options in [["--nonsense"], ["nonsense"], ["--queue-prefix", "a/b"], ["--print=perhaps"]] {
      let result = try rig.run(Rig.command(program, on: .amd64) + options)
      #expect(result.status == 2)
      #expect(result.output.isEmpty)
      #expect(result.log.count == 1)
      #expect(result.log.first?.hasPrefix("\(program): error: ") == true)
    }
    let missing = try rig.run(
      Rig.command(program, on: .amd64) + ["--config", "/nowhere/x.conf"])
    #expect(missing.status == 2)
    #expect(missing.log == ["\(program): error: open /nowhere/x.conf: No such file or directory"])
  }

  @Test func onceIsOneLineOfJSON() throws {
    let rig = try Rig()
    let result = try rig.runProgram("cyclic-sysinfo", "--once")
    #expect(result.status == 0)
    #expect(result.output.count == 1)
    let object = try JSONSerialization.jsonObject(with: Data(result.output[0].utf8))
    #expect((object as? [String: Any])?["kind"] as? String == "system_information")
    #expect(result.log.isEmpty)
  }

  @Test func theConfigurationFileHasTheSameKeys() throws {
    let rig = try Rig()
    let path = rig.folder.appending(path: "cyclic-sysinfo.conf").path()
    try "# as in /etc\ninterval = 50ms\nprint = yes\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    let collector = try ChildProcess(
      Rig.command("cyclic-sysinfo", on: .amd64) + ["--config", path], name: "cyclic-sysinfo",
      in: rig.folder)
    try eventually("it prints") { collector.output.count >= 3 }
    #expect(try collector.stop() == 0)
  }

  /// The bridge shows what it would publish, without a broker.
  @Test func theBridgePrintsWhatCollectorsSend() throws {
    let rig = try Rig()
    let bridge = try rig.program("posix-mq-to-mqtt-bridge", ["--print"])
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("samples are printed") {
      bridge.output.count { $0.contains(#""kind":"system_information""#) } >= 3
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func queuesCanBeRemovedByHand() throws {
    let rig = try Rig()
    let collector = try rig.program("cyclic-sysinfo")
    try eventually("the queue is there") {
      let queue = clinux_mq_open("\(rig.queuePrefix)cyclic-sysinfo", O_RDONLY, 0, nil)
      if queue >= 0 { mq_close(queue) }
      return queue >= 0
    }
    try collector.stop()
    for line in ["removed 1 queues", "removed 0 queues"] {
      let removal = try rig.program("posix-mq-to-mqtt-bridge", ["--remove-queues"])
      #expect(try removal.wait() == 0)
      #expect(removal.log == ["posix-mq-to-mqtt-bridge: \(line)"])
    }
  }
}

import Foundation
import Testing

extension Rig {
  /// Starts a program under valgrind(1); lost memory counts as an error.
  func underValgrind(_ program: String, _ options: [String]) throws -> ChildProcess {
    // Without debug information, on some of which valgrind 3.19 gives up.
    let copy = folder.appending(path: program).path()
    let strip = try #require(Machine.command("strip"), "binutils is not installed")
    let built = try Self.command(program, on: .amd64)[0]
    try #require(run([strip, "--strip-debug", "-o", copy, built]).status == 0)
    let suppressions = Machine.packageRoot.appending(path: "Tests/Tools/valgrind.suppressions")
    return try ChildProcess(
      [
        try #require(Machine.command("valgrind"), "valgrind is not installed"),
        "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
        "--suppressions=\(suppressions.path())", copy,
      ]
        + ["--config", "/dev/null", "--queue-prefix", queuePrefix] + options,
      name: "valgrind", in: folder)
  }
}

/// What valgrind says at the end of a program that is told to stop.
struct ValgrindResult {
  let errors: Int
  let bytesInUse: Int
  let blocksInUse: Int
  let allocations: Int

  init(_ process: ChildProcess) throws {
    #expect(try process.stop(within: 60) == 0)
    let log = process.log
    /// The numbers behind these words.
    func numbers(_ words: String) throws -> [Int] {
      let line = try #require(log.first { $0.contains(words) }, "\(log)")
      let rest = line[try #require(line.range(of: words)).upperBound...]
      return rest.split(separator: " ").compactMap { Int($0.filter { $0 != "," }) }
    }
    errors = try #require(numbers("ERROR SUMMARY:").first)
    let inUse = try numbers("in use at exit:")
    try #require(inUse.count == 2)
    (bytesInUse, blocksInUse) = (inUse[0], inUse[1])
    allocations = try #require(numbers("total heap usage:").first)
    if errors > 0 { Issue.record("\(log.joined(separator: "\n"))") }
  }
}

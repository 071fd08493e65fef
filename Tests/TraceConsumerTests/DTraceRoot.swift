import Foundation
import Testing

@testable import TraceConsumer

/// A Debian system that has libdtrace, made by build.sh; a program of the tests runs in it and traces
/// this machine's kernel.
enum DTraceRoot {
  private static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let folder = package.appending(path: ".build/root-dtrace").resolvingSymlinksInPath()

  static let isPossible =
    ProcessInfo.processInfo.environment["CI"] == "true"
    || (geteuid() == 0
      && FileManager.default.fileExists(atPath: folder.appending(path: "opt/dtrace").path()))

  /// Swift's libraries and the program come in from outside; what is mounted goes with the process.
  private static let script = """
    set -e
    root=$1 swift=$2 program=$3 debugfs=$4 user=$5; shift 5
    mount -t tmpfs tmpfs $root/mnt
    mkdir $root/mnt/swift
    touch $root/mnt/d-program
    mount --bind $swift $root/mnt/swift
    mount --bind $program $root/mnt/d-program
    mount -t proc proc $root/proc
    mount --rbind /sys $root/sys
    mount --rbind /dev $root/dev
    mount -t $debugfs none $root/sys/kernel/debug
    # libdtrace does not free all it has.
    unset LSAN_OPTIONS
    export ASAN_OPTIONS=detect_leaks=0 LD_LIBRARY_PATH=/mnt/swift
    exec chroot --userspec=$user $root /mnt/d-program "$@"
    """

  /// The lines that the program told; see Tests/DProgram.
  static func run(
    options: [String: String] = [:], isRoot: Bool = true, hasDebugfs: Bool = true,
    _ words: String...
  ) throws -> [String] {
    // An empty one: as it is installed.
    var options = options.merging(["syslibdir": "/opt/dtrace"]) { own, _ in own }
    if options["syslibdir"]?.isEmpty == true { options["syslibdir"] = nil }
    let given = options.flatMap { ["--option", $1.isEmpty ? $0 : "\($0)=\($1)"] }
    return try start(
      [
        "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", folder.path(),
        try swiftLibraries(), try program(), hasDebugfs ? "debugfs" : "tmpfs",
        isRoot ? "root" : "nobody",
      ] + (words.isEmpty ? [] : given) + words)
  }

  static func runWithoutLibdtrace() throws -> [String] {
    let script = """
      for library in /usr/lib/*/libdtrace.so.2; do
        [ ! -e $library ] || mount --bind /dev/null $library || exit
      done
      exec "$0" "BEGIN { }"
      """
    return try start([
      "unshare", "--mount", "--propagation", "private", "--map-root-user", "sh", "-c", script,
      try program(),
    ])
  }

  private static func start(_ command: [String]) throws -> [String] {
    let outcome = Outcome()
    let process = try EngineProcess.start(
      ["/usr/bin/timeout", "--kill-after=5", "240"] + command,
      environment: ProcessInfo.processInfo.environment, onLine: outcome.take, onEnd: outcome.end)
    let (lines, status) = outcome.wait()
    // 1: the program told of an error, which is what some tests are about.
    try #require(
      [.exited(0), .exited(1)].contains(status), "\(process.id) \(status): \(lines) \(outcome.log)")
    return lines
  }

  /// Beside this test's own program.
  private static func program() throws -> String {
    let folder = try #require(mapped { $0.hasSuffix(".xctest") }).deletingLastPathComponent()
    let path = folder.appending(path: "d-program").path()
    try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) was not built")
    return path
  }

  private static func swiftLibraries() throws -> String {
    try #require(mapped { $0.hasSuffix("/libswiftCore.so") }).deletingLastPathComponent().path()
  }

  /// To its end: files of the kernel do not say how long they are.
  static func text(of path: String) throws -> String {
    let file = try #require(FileHandle(forReadingAtPath: path))
    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
  }

  /// A file that this process was loaded from; its path is the last thing in its line.
  private static func mapped(_ isMeant: (Substring) -> Bool) throws -> URL? {
    try text(of: "/proc/self/maps").split(separator: "\n")
      .map { $0.drop { $0 != "/" } }
      .first { isMeant($0) }.map { URL(filePath: String($0)) }
  }
}

extension Trait where Self == ConditionTrait {
  static var needsDTrace: Self {
    .enabled("needs root and a system with libdtrace, which build.sh test makes") {
      DTraceRoot.isPossible
    }
  }
}

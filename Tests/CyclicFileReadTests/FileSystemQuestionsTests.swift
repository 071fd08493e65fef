import CLinux
import Foundation
import Linux
import Testing

@testable import cyclic_file_read

@Suite(.serialized)
struct FileSystemQuestionsTests {
  private func path(_ path: String) -> [UInt8] { [UInt8](path.utf8) + [0] }

  @Test func aChildAnswersAsTheCallItselfDoes() throws {
    var questions = FileSystemQuestions()
    try questions.ask(1, path: path("/"))
    try questions.ask(2, path: path("/proc"))
    try questions.ask(3, path: path("/no/such/folder"))
    questions.wait(nanoseconds: 5_000_000_000)
    // The macros cannot look into what cannot be copied.
    let (first, second) = (questions.takeAnswer(of: 1), questions.takeAnswer(of: 2))
    let (third, again) = (questions.takeAnswer(of: 3), questions.takeAnswer(of: 1))
    let root = try #require(first)
    let direct = FileSystemAnswer(path: path("/"))
    #expect(root.errno == 0)
    #expect(root.sizeBytes == direct.sizeBytes && root.sizeBytes > 0)
    #expect(root.inodeCount == direct.inodeCount)
    #expect(second?.isOfPseudoFileSystem == true)
    #expect(third?.errno == Int64(ENOENT))
    #expect(again == nil)
  }

  @Test func nothingIsWaitedForWhereNothingIsAsked() {
    var questions = FileSystemQuestions()
    let start = monotonicNanoseconds()
    questions.wait(nanoseconds: 10_000_000_000)
    #expect(monotonicNanoseconds() - start < 2_000_000_000)
  }

  @Test func whatIsNotMountedAnyMoreIsForgotten() throws {
    var questions = FileSystemQuestions()
    try questions.ask(1, path: path("/"))
    questions.keepOnly { $0 == 2 }
    questions.wait(nanoseconds: 100_000_000)
    let answer = questions.takeAnswer(of: 1)
    #expect(answer == nil)
  }

  @Test func noZombieStays() throws {
    var questions = FileSystemQuestions()
    let before = try zombies()
    for _ in 0..<20 {
      try questions.ask(1, path: path("/"))
      questions.wait(nanoseconds: 5_000_000_000)
      _ = questions.takeAnswer(of: 1)
    }
    // Other tests have children too.
    #expect(try zombies() <= before + 3)
  }

  /// Children of this process that ended and were not asked how.
  private func zombies() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").count {
      guard Int($0) != nil,
        let text = try? Data(contentsOf: URL(filePath: "/proc/\($0)/stat")),
        let status = try? ProcessStatus(of: [UInt8](text))
      else { return false }
      return status.parentProcessID == UInt32(getpid()) && status.state == .zombie
    }
  }
}

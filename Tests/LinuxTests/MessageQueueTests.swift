import CLinux
import TestSupport
import Testing

@testable import Linux

struct MessageQueueTests {
  /// Tests run side by side in one process: a name for each.
  private func withName(_ line: Int = #line, _ body: (String) throws -> Void) rethrows {
    let name = "/st-linux-\(getpid())-\(line)"
    defer { mq_unlink(name) }
    try body(name)
  }

  @Test func whatIsSentIsReceivedInOrder() throws {
    try withName { name in
      let sender = try MessageQueue.open(Text(name), .sending, depth: 4, messageSize: 16)
      let receiver = try MessageQueue.open(Text(name), .receiving, depth: 4, messageSize: 16)
      var buffer = [UInt8](repeating: 0, count: 16)
      #expect(try receiver.receive(into: &buffer) == nil)
      #expect(try sender.send([1, 2, 3]))
      #expect(try sender.send([4]))
      #expect(try receiver.receive(into: &buffer) == 3)
      #expect(Array(buffer[..<3]) == [1, 2, 3])
      #expect(try receiver.receive(into: &buffer) == 1)
      #expect(buffer[0] == 4)
    }
  }

  @Test func aFullQueueSaysSoAndNeverBlocks() throws {
    try withName { name in
      let queue = try MessageQueue.open(Text(name), .sending, depth: 2, messageSize: 16)
      #expect(try queue.send([1]))
      #expect(try queue.send([2]))
      #expect(try queue.send([3]) == false)
      #expect(queue.waitForRoom(milliseconds: 1) == false)
    }
  }

  @Test func aDepthThatTheSystemRefusesBecomesWhatItAllows() throws {
    try withName { name in
      let limit = try readFile("/proc/sys/fs/mqueue/msg_max").prefix { $0 != 10 }
      let allowed = try #require(Int(String(decoding: limit, as: UTF8.self)))
      let queue = try MessageQueue.open(Text(name), .sending, depth: allowed + 1, messageSize: 16)
      #expect(queue.depth == allowed)
    }
  }

  @Test func aQueueWithShorterMessagesIsRefused() throws {
    try withName { name in
      _ = try MessageQueue.open(Text(name), .sending, depth: 2, messageSize: 16)
      do throws(SystemError) {
        _ = try MessageQueue.open(Text(name), .sending, depth: 2, messageSize: 32)
        Issue.record("it was taken")
      } catch {
        #expect(error.errno == EMSGSIZE)
        #expect(error.description == "mq_open \(name): Message too long")
      }
    }
  }

  @Test func aNameThatIsNoneIsAnErrorWithItsName() {
    do throws(SystemError) {
      _ = try MessageQueue.open("/a/b", .receiving, depth: 2, messageSize: 16)
      Issue.record("it was taken")
    } catch {
      #expect(error.subject == "/a/b")
    }
  }

  @Test func removingTellsWhetherThereWasOne() throws {
    try withName { name in
      _ = try MessageQueue.open(Text(name), .sending, depth: 2, messageSize: 16)
      #expect(try MessageQueue.remove(Text(name)))
      #expect(try MessageQueue.remove(Text(name)) == false)
    }
  }
}

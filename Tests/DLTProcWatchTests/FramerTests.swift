import Testing

@testable import dlt_proc_watch

/// How bytes become messages, whatever they come as.
struct FramerTests {
  @Test(arguments: [1, 2, 3, 7, 100, 4096, 100_000])
  func aTraceIsTheSameInChunksOfAnySize(_ chunk: Int) throws {
    let found = messages(try Fixture.bytes("sample.dlt"), .file, chunk: chunk)
    #expect(found.messages.count == 130)
    #expect(found.framer.skippedBytes == 0)
    #expect(found.framer.truncatedBytes == 0)
  }

  @Test(arguments: [1, 2, 3, 7, 100, 4096, 100_000])
  func aConnectionIsTheSameInChunksOfAnySize(_ chunk: Int) throws {
    let found = messages(try Fixture.bytes("raw-tcp-stream.bin"), .connection, chunk: chunk)
    #expect(found.messages.count == 205)
    #expect(!found.isBroken)
    #expect(found.framer.pendingBytes == 0)
  }

  @Test func serialHeadersArePassedOver() {
    let mark = Array("DLS\u{1}".utf8)
    let one = Making().stat()
    let bytes = mark + one + one + mark + mark + one
    for chunk in [1, 3, 1000] {
      let found = messages(bytes, .connection, chunk: chunk)
      #expect(found.messages == [one, one, one])
      #expect(!found.isBroken)
    }
  }

  /// Longer than libdlt's buffer, with the serial header.
  @Test func theLongestMessagePasses() {
    let payload = [UInt8](repeating: 7, count: 65_535 - 26)
    let longest = Making().message(payload: payload, count: 0)
    #expect(longest.count == 65_535)
    let found = messages(Array("DLS\u{1}".utf8) + longest + Making().stat(), .connection)
    #expect(found.messages.map(\.count) == [65_535, Making().stat().count])
    #expect(messages(stored(longest) + stored(longest), .file).messages.count == 2)
  }

  @Test func garbageOnAConnectionBreaksItAtOnce() {
    let one = Making().stat()
    for garbage in [[0], [0xFF], [0x44, 0x4C, 0x53, 2], [0x35, 0, 0, 3], [0x35, 0, 0, 21]]
      as [[UInt8]]
    {
      let found = messages(one + garbage + one, .connection)
      #expect(found.isBroken)
      #expect(found.messages == [one])
      #expect(messages(garbage, .connection).isBroken)
    }
  }

  /// A false length swallows at most one message's length, and then the connection breaks.
  @Test func aFalseLengthDoesNotStick() {
    var false1 = Making().stat()
    false1[2] += 1
    let bytes = false1 + [UInt8](repeatElement(Making().stat(), count: 700).joined())
    let found = messages(bytes, .connection)
    #expect(found.isBroken)
  }

  @Test func garbageInAFileIsPassedOverAndCounted() {
    let one = stored(Making().stat())
    let found = messages(Array("garbage DL".utf8) + one + [1, 2, 3] + one + [9], .file)
    #expect(found.messages.count == 2)
    #expect(found.framer.skippedBytes == 14)
    #expect(found.framer.truncatedBytes == 0)
  }

  @Test func aHeaderInAFileThatIsNoneIsPassedOver() {
    let one = stored(Making().stat())
    var wrong = one
    wrong[16] = 0x55
    let found = messages(one + wrong + one, .file)
    #expect(found.messages.count == 2)
    #expect(found.framer.skippedBytes == UInt64(wrong.count))
  }

  @Test(arguments: [1, 30, 10_000]) func aFalseLengthInAFileHidesNothingBehindIt(_ more: Int) {
    let one = stored(Making().stat())
    var wrong = one
    let length = Int(wrong[18]) << 8 | Int(wrong[19]) + more
    wrong[18] = UInt8(length >> 8)
    wrong[19] = UInt8(length & 255)
    for chunk in [1, 64, 100_000] {
      let found = messages(one + wrong + one + one, .file, chunk: chunk)
      #expect(found.messages.count == 3)
      #expect(found.framer.skippedBytes == UInt64(wrong.count))
    }
  }

  @Test func aTruncatedTailIsToldAndIsNoMessage() throws {
    let bytes = try Fixture.bytes("sample.dlt")
    let last = messages(bytes, .file).messages.last!.count + 16
    for cut in [1, 10, last - 17, last - 4] {
      let found = messages(Array(bytes.dropLast(cut)), .file)
      #expect(found.messages.count == 129)
      #expect(found.framer.truncatedBytes == UInt64(last - cut))
    }
  }

  @Test func concatenatedFilesAreOneTrace() throws {
    let bytes = try Fixture.bytes("sample.dlt")
    #expect(messages(bytes + bytes, .file).messages.count == 260)
  }

  @Test func emptyFilesAndConnectionsHoldNothing() {
    #expect(messages([], .file).messages.isEmpty)
    #expect(messages([], .connection).messages.isEmpty)
    let cut = messages(Array(Making().stat().dropLast()), .connection)
    #expect(!cut.isBroken)
    #expect(cut.framer.pendingBytes == Making().stat().count - 1)
  }

  @Test func aNewConnectionBeginsWithNothing() {
    var framer = MessageFramer(.connection)
    let one = Making().stat()
    framer.append(one, one.count - 3)
    #expect(framer.next() == .needsMore)
    framer.removeAll()
    framer.append(one, one.count)
    #expect(framer.next() == .message(0..<one.count, nil))
  }
}

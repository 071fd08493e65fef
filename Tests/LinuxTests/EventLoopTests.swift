import CLinux
import Testing

@testable import Linux

/// One after the other: signals belong to the whole process.
@Suite(.serialized) struct EventLoopTests {
  enum Source: UInt32 { case first, second }

  @Test func aTimerFiresAtOnceAndThenInItsRhythm() throws {
    var loop = try EventLoop<Source>()
    let timer = try Timer.every(20_000_000)
    try loop.add(timer.descriptor.raw, .second)
    let start = monotonicNanoseconds()
    var fired: UInt64 = 0
    while fired < 6 {
      guard case .ready(.second, _) = try loop.next(milliseconds: 1000) else {
        Issue.record("no event")
        return
      }
      fired += timer.expirations()
    }
    // The sixth is 5 periods after the first, which came at once.
    #expect(monotonicNanoseconds() - start >= 5 * 20_000_000)
  }

  @Test func aTimerThatWasStoppedIsQuiet() throws {
    var loop = try EventLoop<Source>()
    let timer = try Timer.every(1_000_000)
    try loop.add(timer.descriptor.raw, .first)
    try timer.set(after: 0)
    guard case .timeout = try loop.next(milliseconds: 20) else {
      Issue.record("it fired")
      return
    }
  }

  @Test func whatNobodyWaitsForIsNotTold() throws {
    var loop = try EventLoop<Source>()
    var pair: [Int32] = [0, 0]
    #expect(pipe(&pair) == 0)
    let reading = FileDescriptor(owning: pair[0])
    let writing = FileDescriptor(owning: pair[1])
    try loop.add(reading.raw, .first)
    #expect(write(writing.raw, [1] as [UInt8], 1) == 1)
    guard case .ready(.first, let readiness) = try loop.next(milliseconds: 1000) else {
      Issue.record("no event")
      return
    }
    #expect(readiness.contains(.reading))
    try loop.change(reading.raw, .first, [])
    guard case .timeout = try loop.next(milliseconds: 20) else {
      Issue.record("it was told")
      return
    }
  }
}

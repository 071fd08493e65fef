import Testing

@testable import TraceConsumer

/// What libdtrace's bytes and words mean; those of the first tests were taken from libdtrace 2.0.7.
struct DValueTests {
  private func field(_ bytes: Int, _ alignment: Int, _ argument: UInt64 = 0) -> DField {
    DField(action: 1, bytes: bytes, offset: 0, alignment: alignment, argument: argument)
  }

  @Test func aTracedNumberHasTheSignOfItsType() {
    #expect(field(4, 4, 1).traced([7, 0, 0, 0]) == .integer(7))
    #expect(field(1, 1, 1).traced([0xFD]) == .integer(-3))
    #expect(field(1, 1, 0).traced([0xFD]) == .integer(253))
    #expect(field(8, 8, 0).traced([0, 0, 0, 0, 1, 0, 0, 0]) == .integer(1 << 32))
  }

  @Test func aTracedTextEndsAtItsFirstZeroByte() {
    #expect(field(256, 1, 4).traced(Array("abc".utf8) + [0, 0x78]) == .text("abc"))
    #expect(field(3, 1, 4).traced(Array("abc".utf8)) == .text("abc"))
  }

  @Test func whatIsNeitherNumberNorTextIsLeftToLibdtrace() {
    #expect(field(16, 8, 4).traced([UInt8](repeating: 1, count: 16)) == nil)
    #expect(DField(action: 0x401, bytes: 8, offset: 0, alignment: 8, argument: 0).traced([]) == nil)
    #expect(field(3, 2).keyPart([1, 2, 3]) == nil)
  }

  @Test func partsOfKeysAreSignedAsLibdtracePrintsThem() {
    #expect(field(257, 1).keyPart(Array("foo".utf8) + [0, 0]) == .text("foo"))
    #expect(field(4, 4).keyPart([0xB0, 0x26, 0, 0]) == .integer(9904))
    #expect(field(4, 4).keyPart([0xFF, 0xFF, 0xFF, 0xFF]) == .integer(-1))
    #expect(field(2, 2).keyPart([5, 0]) == .integer(5))
    #expect(field(1, 1).keyPart([0xFF]) == .integer(255))
  }

  private func counts(_ count: Int, _ filled: [Int: Int64]) -> [Int64] {
    (0..<count).map { filled[$0] ?? 0 }
  }

  @Test func quantizeHasPowersOfTwoOnBothSidesOfZero() {
    #expect(
      DQuantize.ranges(counts(127, [60: 1, 62: 2, 63: 3, 64: 4, 66: 5])) == [
        TraceRange(-7, -4, 1), TraceRange(-1, -1, 2), TraceRange(0, 0, 3), TraceRange(1, 1, 4),
        TraceRange(4, 7, 5),
      ])
    #expect(
      DQuantize.ranges(counts(127, [0: 1, 1: 1, 125: 1, 126: 1])) == [
        TraceRange(nil, -(1 << 62), 1), TraceRange(1 - 1 << 62, -(1 << 61), 1),
        TraceRange(1 << 61, 1 << 62 - 1, 1), TraceRange(1 << 62, nil, 1),
      ])
  }

  @Test func lquantizeHasStepsAndTwoOpenEnds() {
    let quantize = DLinearQuantize(signature: 0x3_0001_0000_0003)
    #expect(
      quantize.ranges([1, 2, 1]) == [
        TraceRange(nil, 2, 1), TraceRange(3, 5, 2), TraceRange(6, nil, 1),
      ])
    let below = DLinearQuantize(signature: 0xA_0002_FFFF_FFF6)
    #expect(
      below.ranges([0, 1, 1, 1]) == [
        TraceRange(-10, -1, 1), TraceRange(0, 9, 1), TraceRange(10, nil, 1),
      ])
  }

  @Test func llquantizeHasStepsThatGrowWithTheMagnitude() {
    // llquantize(x, 10, 0, 2, 10)
    let quantize = DLogLinearQuantize(signature: 0xA_0002_0000_000A)
    #expect(
      quantize.ranges(counts(57, [0: 1, 18: 1, 27: 1, 28: 2, 29: 1, 37: 1, 38: 2, 47: 1, 56: 1]))
        == [
          TraceRange(nil, -1000, 1), TraceRange(-19, -10, 1), TraceRange(-1, -1, 1),
          TraceRange(0, 0, 2), TraceRange(1, 1, 1), TraceRange(9, 9, 1), TraceRange(10, 19, 2),
          TraceRange(100, 199, 1), TraceRange(1000, nil, 1),
        ])
  }

  @Test func llquantizeLeavesOutBucketsBetweenIntegers() {
    // llquantize(x, 10, 0, 1, 20): 18 buckets for each magnitude, of which the lowest uses 9.
    let quantize = DLogLinearQuantize(signature: 0x14_0001_0000_000A)
    #expect(
      quantize.ranges(counts(75, [38: 1, 40: 1, 56: 1, 57: 1, 74: 1])) == [
        TraceRange(1, 1, 1), TraceRange(2, 2, 1), TraceRange(10, 14, 1), TraceRange(15, 19, 1),
        TraceRange(100, nil, 1),
      ])
  }

  @Test(arguments: [0, 0x1, UInt64.max, 0xFFFF_FFFF_0000_0000, 0x8000_7FFF_0000_FFFF])
  func noSignatureIsATrap(_ signature: UInt64) {
    let full = [Int64](repeating: 1, count: 57)
    #expect(!DLinearQuantize(signature: signature).ranges(full).isEmpty)
    #expect(DLogLinearQuantize(signature: signature).ranges(full).count == 57)
  }

  private func aggregation(
    _ function: DAggregation.Function, _ words: [Int64], generation: UInt64 = 1, normal: Int64 = 1
  ) -> DAggregation {
    DAggregation(
      id: TraceAggregationID(number: 1, name: "@"), key: [], function: function,
      generation: generation, words: words, normal: normal)
  }

  private func walk(_ walks: DAggregation...) -> [TraceValue?] {
    var snapshots = DSnapshots()
    return walks.map { snapshot in
      snapshots.take([snapshot])
      return snapshots.difference().first?.value
    }
  }

  @Test func aWalkGivesWhatCameSinceTheLastOne() {
    #expect(
      walk(aggregation(.count, [5]), aggregation(.count, [5]), aggregation(.count, [9])) == [
        .count(5), nil, .count(4),
      ])
    #expect(
      walk(aggregation(.average, [2, 31]), aggregation(.average, [4, 35])) == [
        .average(15.5), .average(2),
      ])
    #expect(
      walk(aggregation(.max, [3]), aggregation(.max, [3]), aggregation(.max, [8])) == [
        .max(3), nil, .max(8),
      ])
  }

  @Test func aSumThatIsSeenBeforeItsCountIsNotLost() {
    #expect(
      walk(
        aggregation(.average, [2, 20]), aggregation(.average, [2, 30]),
        aggregation(.average, [3, 30])) == [.average(10), nil, .average(10)])
  }

  @Test func whatTheProgramClearsBeginsAnew() {
    #expect(
      walk(
        aggregation(.count, [5]), aggregation(.count, [7], generation: 2),
        aggregation(.count, [0], generation: 3)) == [.count(5), .count(7), nil])
    #expect(walk(aggregation(.min, [.max], generation: 2)) == [nil])
  }

  @Test func normalizeDivides() {
    #expect(aggregation(.sum, [3000], normal: 1000).value == .sum(3))
    #expect(aggregation(.average, [2, 3000], normal: 1000).value == .average(1.5))
  }

  @Test func theDifferenceOfSquaresBorrowsFromTheirHighHalf() {
    // 5 and 9, then twice 2^32 more.
    #expect(aggregation(.standardDeviation, [2, 14, 106, 0]).value == .standardDeviation(2))
    #expect(
      walk(
        aggregation(.standardDeviation, [1, 0, -1, 0]),
        aggregation(.standardDeviation, [2, 1, 0, 1])) == [
          .standardDeviation(0x1p32), .standardDeviation(0),
        ])
  }

  @Test func diagnosticsHaveTheProgramsOwnLineAlone() {
    let own = DDiagnostics("line 2: in action list: failed to resolve x:\n\tUnknown variable name")
    #expect(own.line == 2)
    #expect(own.message == "in action list: failed to resolve x: Unknown variable name")
    let library = DDiagnostics(
      "\"/usr/lib/dtrace/6.10/io.d\", line 134: failed to resolve vmlinux`major_names: Unknown symbol name"
    )
    #expect(library.line == nil)
    #expect(library.message.contains("line 134") && library.message.contains("option syslibdir"))
  }
}

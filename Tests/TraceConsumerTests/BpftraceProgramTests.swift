import Testing

@testable import TraceConsumer

struct BpftraceProgramTests {
  private func source(_ text: String) -> String {
    String(decoding: BpftraceProgram(text).source, as: UTF8.self)
  }

  @Test func aPrintfSaysWhereItIs() {
    #expect(
      source(#"tracepoint:a:b { printf("x %d", 1); }"#).hasPrefix(
        #"tracepoint:a:b { printf("\x1e%s\x1f%d\x1f%llu\x1f%d\x1f%s\x1dx %d", probe, cpu, nsecs, pid, comm, 1); }"#
      ))
  }

  @Test func textsAndCommentsStayAsTheyAre() {
    let text = "/* @a printf(\"\") */ interval:s:1 { // avg(@\n $x = \"@c = count() }\"; }"
    #expect(source(text).hasPrefix(text))
    #expect(BpftraceProgram(text).maps.isEmpty)
  }

  @Test func aPathWithAStarIsNoComment() {
    let program = BpftraceProgram("uprobe:/lib/*:f { @a = count(); }")
    #expect(program.maps["@a"]?.function == .count)
  }

  @Test func anExistingBeginIsUsedAndAMissingOneMade() {
    #expect(
      source("BEGIN { exit(); }") == "BEGIN { @a_snapshot = 1; @z_snapshot = 1;  exit(); }")
    #expect(
      source("END { }") == "END { }\nBEGIN { @a_snapshot = 1; @z_snapshot = 1; }")
  }

  @Test func mapsHaveTheFunctionAndTheKeysOfTheirAssignment() {
    let maps = BpftraceProgram(
      """
      interval:s:1 { @ = count(); @a[comm, pid] = avg(1); @h["x,]", str(1), $y] = hist(3);
        @v[tid] = 1; @v[tid] == 2; @l = lhist(1, 2, 3, 4); clear(@h); delete(@v[tid]) }
      """
    ).maps
    #expect(maps["@"]?.function == .count && maps["@"]?.keyIsText == nil)
    #expect(maps["@a"]?.function == .avg && maps["@a"]?.keyIsText == [true, false])
    #expect(maps["@h"]?.function == .hist && maps["@h"]?.keyIsText == [true, true, false])
    #expect(maps["@v"]?.function == BpftraceProgram.Function.none)
    #expect(maps["@l"]?.function == .lhist && maps["@l"]?.id.number == 5)
    #expect(maps["@h"]?.isCleared == true && maps["@v"]?.isCleared == true)
    #expect(maps["@a"]?.isCleared == false)
  }

  @Test func anAverageRunsAsStatisticsButAVariableOfThatNameDoesNot() {
    #expect(source("BEGIN { @x = avg(3); }").contains("@m_x = stats(3);"))
    #expect(source("BEGIN { $avg = 3; }").contains("$avg = 3;"))
  }

  @Test func columnsAreThoseOfTheGivenProgram() {
    let program = BpftraceProgram("BEGIN { @a = 1;\n @b = 2; @c = nosuch; }")
    let line = String(decoding: program.source, as: UTF8.self).split(separator: "\n")[1]
    let column = line.utf8.firstIndex(of: UInt8(ascii: "n")).map {
      line.utf8.distance(from: line.utf8.startIndex, to: $0) + 1
    }
    #expect(column.map { program.userColumn(line: 2, column: $0) } == 15)
  }

  @Test(arguments: ["", "{", "\"", "@", "@[", "@[\"", "printf(", "BEGIN", "/*", "@a[x", "@a ="])
  func whatIsNoProgramIsPassedOn(_ text: String) {
    #expect(!source(text).isEmpty)
  }
}

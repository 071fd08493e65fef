import Linux
import TestSupport
import Testing

@testable import trace_consumer

struct ScriptSourceTests {
  private func maps(_ text: String) throws -> [String: ScriptSource.Form] {
    var maps: [String: ScriptSource.Form] = [:]
    for map in try ScriptSource(parsing: Array(text.utf8)).maps {
      maps[map.name.string] = map.form
    }
    return maps
  }

  private func refusal(_ text: String) -> String {
    do {
      _ = try ScriptSource(parsing: Array(text.utf8))
      return "none"
    } catch {
      return "\(error.line): \(error.reason.string)"
    }
  }

  @Test func aMapIsWhatIsAssignedToIt() throws {
    #expect(
      try maps(
        """
        k:f { @calls[comm, "a]=x"] = count(); @ = sum(arg0); @h[@v[tid]] = hist (1);
          @s=stats(2); @v[tid] = nsecs; @w = str(arg0); @u = @v[1] == count; @n++; }
        """)
        == ["calls": .count, "_": .sum, "h": .histogram, "s": .statistics])
  }

  @Test func commentsAndTextsAreNoProgram() throws {
    #expect(
      try maps(
        """
        // @a = count(); clear(@c)
        uprobe:/lib/*:f /pid == 1/ { /* @b = count(); */ printf("@d = count()"); @c = count(); }
        """) == ["c": .count])
  }

  @Test func whatCannotBeToldIsRefusedWithItsLine() {
    for function in ["avg", "min", "max"] {
      #expect(
        refusal("BEGIN {\n @x[1] = \(function)(2); }")
          == "2: @x = \(function)(): cannot be told by interval: use stats() or hist()")
    }
    #expect(refusal("BEGIN { @x = lhist(1, 0, 9, 1); }").hasPrefix("1: @x = lhist(): "))
    for use in ["clear(@x)", "zero( @x )", "delete(@x[1])", "print(@x, 5)", "print(@x[1], 5)"] {
      let call = use.split(separator: "(")[0]
      #expect(
        refusal("END { \(use); }\nBEGIN { @x = count(); }").hasPrefix("1: \(call)(@x): take it out")
      )
    }
  }

  @Test func variablesMayBeEmptiedAndWholeMapsPrinted() throws {
    #expect(
      try maps(
        """
        k:f { @t[tid] = nsecs; @x = count(); delete(@t[tid]); print(@x); clear(@t);
          if (@t[1] == 2) { @x = count(); } }
        """) == ["x": .count])
  }

  @Test func anyBytesAreReadToTheirEnd() {
    let text = "k:/*f { @x[\"a\\\"\", 1] = count(); /* c */ clear(@y[2]); @ = hist(1); // e\n }"
    let bytes = Array(text.utf8)
    for end in 0...bytes.count { _ = try? ScriptSource(parsing: Array(bytes[..<end])) }
    for index in bytes.indices {
      for byte: UInt8 in [0, 0x22, 0x2F, 0x40, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0xFF] {
        var changed = bytes
        changed[index] = byte
        _ = try? ScriptSource(parsing: changed)
      }
    }
  }
}

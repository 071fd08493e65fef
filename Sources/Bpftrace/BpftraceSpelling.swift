/// Where that ends which a bpftrace program is written with: names, spaces, texts and comments.
public enum BpftraceSpelling {
  public static func isName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
      || (0x61...0x7A).contains(byte)
  }

  public static func endOfName(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start
    while end < bytes.count, isName(bytes[end]) { end += 1 }
    return end
  }

  public static func endOfSpace(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
    return end
  }

  /// Of the text that begins at `start` with its quote.
  public static func endOfText(_ bytes: [UInt8], _ start: Int) -> Int {
    var end = start + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(end + 1, bytes.count)
  }

  /// Nil where no comment begins. Outside of braces `uprobe:/lib/*:f` has none either.
  public static func endOfComment(_ bytes: [UInt8], _ start: Int, isOutside: Bool) -> Int? {
    guard start + 1 < bytes.count, bytes[start] == UInt8(ascii: "/") else { return nil }
    let isLine = bytes[start + 1] == UInt8(ascii: "/")
    guard isLine || bytes[start + 1] == UInt8(ascii: "*") else { return nil }
    if isOutside, start > 0, bytes[start - 1] > 0x20, bytes[start - 1] != UInt8(ascii: "}") {
      return nil
    }
    var end = start + 2
    if isLine {
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      return end
    }
    while end + 1 < bytes.count {
      if bytes[end] == UInt8(ascii: "*"), bytes[end + 1] == UInt8(ascii: "/") { return end + 2 }
      end += 1
    }
    return bytes.count
  }
}

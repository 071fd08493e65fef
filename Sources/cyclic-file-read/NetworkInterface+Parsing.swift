import Records

extension NetworkInterface {
  /// A line of /proc/net/dev behind the two that are its heading.
  ///
  /// ```
  /// Inter-|   Receive                                                |  Transmit
  ///  face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop …
  ///   eth0: 894522046   20926    0    0    0     0          0         0   965970   11081    0 …
  /// ```
  /// A name holds any bytes but white space, slashes and, since Linux 4.15, colons; up to 15. Linux
  /// before 3.0 has no blank behind the colon where the number is long.
  init(parsing line: Span<UInt8>) throws(ParseError) {
    self.init()
    var rest = 0..<line.count
    interface = FixedText(line.extracting(try line.takeInterface(&rest)))
    receiveBytes = try line.counter(&rest)
    receivePackets = try line.counter(&rest)
    receiveErrors = try line.counter(&rest)
    receiveDropped = try line.counter(&rest)
    receiveFifoErrors = try line.counter(&rest)
    receiveFrameErrors = try line.counter(&rest)
    receiveCompressed = try line.counter(&rest)
    receiveMulticast = try line.counter(&rest)
    transmitBytes = try line.counter(&rest)
    transmitPackets = try line.counter(&rest)
    transmitErrors = try line.counter(&rest)
    transmitDropped = try line.counter(&rest)
    transmitFifoErrors = try line.counter(&rest)
    transmitCollisions = try line.counter(&rest)
    transmitCarrierErrors = try line.counter(&rest)
    transmitCompressed = try line.counter(&rest)
  }
}

extension NetworkInterface.State {
  /// /sys/class/net/<name>/operstate: one word. Kernel documentation: networking/operstates.
  init(parsing content: Span<UInt8>) {
    self = .unknown
    var offset = 0
    guard var line = content.nextLine(&offset), let word = content.nextWord(&line) else { return }
    for number in UInt8(0)...6 {
      if let state = Self(rawValue: number), content.holds(word, state.name) { self = state }
    }
  }
}

extension Span<UInt8> {
  /// The length of the two lines of heading that the tables of interfaces have.
  func headingLength() throws(ParseError) -> Int {
    var offset = 0
    guard let first = nextLine(&offset), starts(first, with: "Inter-|"), nextLine(&offset) != nil
    else { throw ParseError("does not begin with the heading of a table of interfaces") }
    return offset
  }

  /// Takes the name of the interface and the colon behind it from the front of `rest`.
  func takeInterface(_ rest: inout Range<Int>) throws(ParseError) -> Range<Int> {
    var start = rest.lowerBound
    while start < rest.upperBound && self[start] == UInt8(ascii: " ") { start += 1 }
    // The last colon: what follows is numbers, and a name may hold one on older kernels.
    var colon = rest.upperBound - 1
    while colon > start && self[colon] != UInt8(ascii: ":") { colon -= 1 }
    guard colon > start else { throw ParseError("has a line without the name of an interface") }
    rest = (colon + 1)..<rest.upperBound
    return start..<colon
  }

  @inline(never)
  fileprivate func counter(_ rest: inout Range<Int>) throws(ParseError) -> UInt64 {
    guard let number = nextNumber(&rest) else {
      throw ParseError("has a line of less than 16 numbers")
    }
    return number
  }
}

import Records

extension Sockets {
  /// /proc/net/sockstat or sockstat6.
  ///
  /// ```
  /// sockets: used 26
  /// TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 183      mem: in pages
  /// UDP: inuse 0 mem 0
  /// FRAG: inuse 0 memory 0                          memory: in bytes
  /// TCP6: inuse 0                                   in sockstat6, with UDP6, UDPLITE6, RAW6, FRAG6
  /// ```
  mutating func take(
    usage content: Span<UInt8>, pageSize: UInt64
  ) throws(ParseError) {
    var offset = 0
    while var rest = content.nextLine(&offset) {
      guard let name = content.nextWord(&rest) else { continue }
      if content.holds(name, "sockets:") {
        socketsUsed = try content.value("used", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "TCP:") {
        tcpInUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
        tcpOrphaned = try content.value("orphan", rest).map(UInt32.init(clamping:))
        tcpTimeWait = try content.value("tw", rest).map(UInt32.init(clamping:))
        tcpAllocated = try content.value("alloc", rest).map(UInt32.init(clamping:))
        tcpMemoryBytes = try content.value("mem", rest)?.multipliedSaturated(by: pageSize)
      } else if content.holds(name, "UDP:") {
        udpInUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
        udpMemoryBytes = try content.value("mem", rest)?.multipliedSaturated(by: pageSize)
      } else if content.holds(name, "UDPLITE:") {
        udpliteInUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "RAW:") {
        rawInUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "FRAG:") {
        fragmentsInUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
        fragmentsMemoryBytes = try content.value("memory", rest)
      } else if content.holds(name, "TCP6:") {
        tcp6InUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "UDP6:") {
        udp6InUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "UDPLITE6:") {
        udplite6InUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "RAW6:") {
        raw6InUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
      } else if content.holds(name, "FRAG6:") {
        fragments6InUse = try content.value("inuse", rest).map(UInt32.init(clamping:))
        fragments6MemoryBytes = try content.value("memory", rest)
      }
    }
  }

  /// /proc/net/snmp: for each protocol a line of names and a line of values.
  ///
  /// ```
  /// Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens …
  /// Tcp: 1 200 120000 -1 800 585 …
  /// ```
  mutating func take(counters content: Span<UInt8>) throws(ParseError) {
    var offset = 0
    while var names = content.nextLine(&offset) {
      guard let name = content.nextWord(&names) else { continue }
      guard var values = content.nextLine(&offset), let same = content.nextWord(&values),
        content.equal(name, same)
      else { throw ParseError("has a line of names without one of values") }
      while let key = content.nextWord(&names) {
        guard let word = content.nextWord(&values) else {
          throw ParseError("has fewer values than names")
        }
        if content.holds(name, "Tcp:") {
          try takeTCP(content, key, word)
        } else if content.holds(name, "Udp:") {
          try takeUDP(content, key, word)
        } else if content.holds(name, "Ip:") {
          try takeIP(content, key, word)
        }
      }
    }
  }

  private mutating func takeTCP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ word: Range<Int>
  ) throws(ParseError) {
    if content.holds(key, "ActiveOpens") {
      tcpActiveOpens = try content.counter(word)
    } else if content.holds(key, "PassiveOpens") {
      tcpPassiveOpens = try content.counter(word)
    } else if content.holds(key, "AttemptFails") {
      tcpFailedAttempts = try content.counter(word)
    } else if content.holds(key, "EstabResets") {
      tcpEstablishedResets = try content.counter(word)
    } else if content.holds(key, "CurrEstab") {
      tcpEstablished = try content.counter(word)
    } else if content.holds(key, "InSegs") {
      tcpReceivedSegments = try content.counter(word)
    } else if content.holds(key, "OutSegs") {
      tcpSentSegments = try content.counter(word)
    } else if content.holds(key, "RetransSegs") {
      tcpRetransmittedSegments = try content.counter(word)
    } else if content.holds(key, "InErrs") {
      tcpReceiveErrors = try content.counter(word)
    } else if content.holds(key, "OutRsts") {
      tcpSentResets = try content.counter(word)
    }
  }

  private mutating func takeUDP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ word: Range<Int>
  ) throws(ParseError) {
    if content.holds(key, "InDatagrams") {
      udpReceivedDatagrams = try content.counter(word)
    } else if content.holds(key, "OutDatagrams") {
      udpSentDatagrams = try content.counter(word)
    } else if content.holds(key, "NoPorts") {
      udpNoPort = try content.counter(word)
    } else if content.holds(key, "InErrors") {
      udpReceiveErrors = try content.counter(word)
    } else if content.holds(key, "RcvbufErrors") {
      udpReceiveBufferErrors = try content.counter(word)
    } else if content.holds(key, "SndbufErrors") {
      udpSendBufferErrors = try content.counter(word)
    }
  }

  private mutating func takeIP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ word: Range<Int>
  ) throws(ParseError) {
    if content.holds(key, "InReceives") {
      ipReceivedPackets = try content.counter(word)
    } else if content.holds(key, "InDelivers") {
      ipDeliveredPackets = try content.counter(word)
    } else if content.holds(key, "OutRequests") {
      ipRequestedPackets = try content.counter(word)
    } else if content.holds(key, "InDiscards") {
      ipReceiveDiscards = try content.counter(word)
    } else if content.holds(key, "OutDiscards") {
      ipTransmitDiscards = try content.counter(word)
    }
  }
}

extension Span<UInt8> {
  /// The number behind `key` in a line of names and numbers by turns; nil without the name.
  @inline(never)
  fileprivate func value(
    _ key: StaticString, _ line: Range<Int>
  ) throws(ParseError) -> UInt64? {
    var rest = line
    while let name = nextWord(&rest) {
      guard let word = nextWord(&rest) else { throw ParseError("has a name without a number") }
      if holds(name, key) { return try counter(word) }
    }
    return nil
  }

  @inline(never)
  fileprivate func counter(_ word: Range<Int>) throws(ParseError) -> UInt64 {
    guard let number = number(word) else {
      throw ParseError("has a value that is not a whole number")
    }
    return number
  }

  func equal(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count else { return false }
    for index in 0..<one.count
    where self[one.lowerBound + index] != self[other.lowerBound + index] { return false }
    return true
  }
}

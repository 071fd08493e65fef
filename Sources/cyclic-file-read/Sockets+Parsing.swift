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
        socketsUsed = try content.count("used", rest)
      } else if content.holds(name, "TCP:") {
        tcpInUse = try content.count("inuse", rest)
        tcpOrphaned = try content.count("orphan", rest)
        tcpTimeWait = try content.count("tw", rest)
        tcpAllocated = try content.count("alloc", rest)
        tcpMemoryBytes = try content.value("mem", rest)?.multipliedSaturated(by: pageSize)
      } else if content.holds(name, "UDP:") {
        udpInUse = try content.count("inuse", rest)
        udpMemoryBytes = try content.value("mem", rest)?.multipliedSaturated(by: pageSize)
      } else if content.holds(name, "UDPLITE:") {
        udpliteInUse = try content.count("inuse", rest)
      } else if content.holds(name, "RAW:") {
        rawInUse = try content.count("inuse", rest)
      } else if content.holds(name, "FRAG:") {
        fragmentsInUse = try content.count("inuse", rest)
        fragmentsMemoryBytes = try content.value("memory", rest)
      } else if content.holds(name, "TCP6:") {
        tcp6InUse = try content.count("inuse", rest)
      } else if content.holds(name, "UDP6:") {
        udp6InUse = try content.count("inuse", rest)
      } else if content.holds(name, "UDPLITE6:") {
        udplite6InUse = try content.count("inuse", rest)
      } else if content.holds(name, "RAW6:") {
        raw6InUse = try content.count("inuse", rest)
      } else if content.holds(name, "FRAG6:") {
        fragments6InUse = try content.count("inuse", rest)
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
        let number = content.number(word)
        let isKnown =
          if content.holds(name, "Tcp:") {
            takeTCP(content, key, number)
          } else if content.holds(name, "Udp:") {
            takeUDP(content, key, number)
          } else {
            content.holds(name, "Ip:") && takeIP(content, key, number)
          }
        // Others may have a sign: MaxConn is -1.
        if isKnown && number == nil { throw ParseError("has a value that is not a whole number") }
      }
    }
  }

  private mutating func takeTCP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ number: UInt64?
  ) -> Bool {
    if content.holds(key, "ActiveOpens") {
      tcpActiveOpens = number
    } else if content.holds(key, "PassiveOpens") {
      tcpPassiveOpens = number
    } else if content.holds(key, "AttemptFails") {
      tcpFailedAttempts = number
    } else if content.holds(key, "EstabResets") {
      tcpEstablishedResets = number
    } else if content.holds(key, "CurrEstab") {
      tcpEstablished = number
    } else if content.holds(key, "InSegs") {
      tcpReceivedSegments = number
    } else if content.holds(key, "OutSegs") {
      tcpSentSegments = number
    } else if content.holds(key, "RetransSegs") {
      tcpRetransmittedSegments = number
    } else if content.holds(key, "InErrs") {
      tcpReceiveErrors = number
    } else if content.holds(key, "OutRsts") {
      tcpSentResets = number
    } else {
      return false
    }
    return true
  }

  private mutating func takeUDP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ number: UInt64?
  ) -> Bool {
    if content.holds(key, "InDatagrams") {
      udpReceivedDatagrams = number
    } else if content.holds(key, "OutDatagrams") {
      udpSentDatagrams = number
    } else if content.holds(key, "NoPorts") {
      udpNoPort = number
    } else if content.holds(key, "InErrors") {
      udpReceiveErrors = number
    } else if content.holds(key, "RcvbufErrors") {
      udpReceiveBufferErrors = number
    } else if content.holds(key, "SndbufErrors") {
      udpSendBufferErrors = number
    } else {
      return false
    }
    return true
  }

  private mutating func takeIP(
    _ content: Span<UInt8>, _ key: Range<Int>, _ number: UInt64?
  ) -> Bool {
    if content.holds(key, "InReceives") {
      ipReceivedPackets = number
    } else if content.holds(key, "InDelivers") {
      ipDeliveredPackets = number
    } else if content.holds(key, "OutRequests") {
      ipRequestedPackets = number
    } else if content.holds(key, "InDiscards") {
      ipReceiveDiscards = number
    } else if content.holds(key, "OutDiscards") {
      ipTransmitDiscards = number
    } else {
      return false
    }
    return true
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
      guard holds(name, key) else { continue }
      guard let number = number(word) else {
        throw ParseError("has a value that is not a whole number")
      }
      return number
    }
    return nil
  }

  @inline(never)
  fileprivate func count(
    _ key: StaticString, _ line: Range<Int>
  ) throws(ParseError) -> UInt32? {
    guard let value = try value(key, line) else { return nil }
    return UInt32(clamping: value)
  }

  func equal(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count else { return false }
    for index in 0..<one.count
    where self[one.lowerBound + index] != self[other.lowerBound + index] { return false }
    return true
  }
}

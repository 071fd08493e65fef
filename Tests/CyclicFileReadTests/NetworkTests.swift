import Records
import Testing

@testable import cyclic_file_read

/// The files of /proc/net.
struct NetworkTests {
  @Test func eachOfTheSixteenCountersIsWhereItStands() throws {
    let line = Array(" wlan0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16".utf8)
    let interface = try NetworkInterface(of: line)
    #expect(string(interface.interface) == "wlan0")
    #expect(interface.receiveBytes == 1)
    #expect(interface.receivePackets == 2)
    #expect(interface.receiveErrors == 3)
    #expect(interface.receiveDropped == 4)
    #expect(interface.receiveFifoErrors == 5)
    #expect(interface.receiveFrameErrors == 6)
    #expect(interface.receiveCompressed == 7)
    #expect(interface.receiveMulticast == 8)
    #expect(interface.transmitBytes == 9)
    #expect(interface.transmitPackets == 10)
    #expect(interface.transmitErrors == 11)
    #expect(interface.transmitDropped == 12)
    #expect(interface.transmitFifoErrors == 13)
    #expect(interface.transmitCollisions == 14)
    #expect(interface.transmitCarrierErrors == 15)
    #expect(interface.transmitCompressed == 16)
  }

  @Test func anOldKernelLeavesNoBlankBehindTheColon() throws {
    let line = Array("  eth0:4294967295 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16".utf8)
    let interface = try NetworkInterface(of: line)
    #expect(string(interface.interface) == "eth0")
    #expect(interface.receiveBytes == 4_294_967_295)
  }

  @Test func aNameIsAnyBytes() throws {
    let names = try Capture.hostile.interfaces().map { $0.interface }
    let bytes = names.map { name in (0..<name.count).map { name[$0] } }
    #expect(bytes.count == 17)
    #expect(bytes[0] == Array("eth0:1".utf8))
    #expect(bytes[1] == Array("a:b:c".utf8))
    #expect(bytes[3] == [1, 27] + Array("[31m".utf8))
    #expect(bytes[4] == [0xFF, 0xFE, 0xC3])
    #expect(bytes[11] == Array("0123456789abcde".utf8))
    #expect(names.allSatisfy { !$0.isCut })
  }

  @Test(arguments: [
    "", "eth0", ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
    "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x", "   ", "  :",
    "eth0: 18446744073709551616 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
  ])
  func aMalformedInterfaceIsRefused(_ line: String) {
    #expect(throws: ParseError.self) { try NetworkInterface(of: Array(line.utf8)) }
  }

  @Test func aNameThatIsTooLongIsCutAndSaysSo() throws {
    let line = Array("12345678901234567: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16".utf8)
    let name = try NetworkInterface(of: line).interface
    #expect(string(name) == "1234567890123456")
    #expect(name.isCut)
  }

  @Test(arguments: Capture.all) func aTableOfInterfacesBeginsWithItsHeading(_ capture: Capture)
    throws
  {
    let table = try capture.bytes("proc/net/dev")
    let length = try headingLength(of: table)
    #expect(Array(table[..<length]).filter { $0 == UInt8(ascii: "\n") }.count == 2)
    #expect(throws: ParseError.self) { try headingLength(of: Array(table[length...])) }
    #expect(throws: ParseError.self) { try headingLength(of: []) }
  }

  @Test(arguments: [
    ("up\n", NetworkInterface.State.up), ("down\n", .down), ("dormant\n", .dormant),
    ("lowerlayerdown\n", .lowerLayerDown), ("notpresent\n", .notPresent), ("testing\n", .testing),
    ("unknown\n", .unknown), ("", .unknown), ("upside\n", .unknown), ("\0", .unknown), ("up", .up),
  ])
  func theStateIsAWordOfRFC2863(_ text: String, _ state: NetworkInterface.State) {
    #expect(NetworkInterface.State(of: Array(text.utf8)) == state)
  }

  @Test func socketsAreCountedByProtocol() throws {
    let sockets = try Capture.raspberryPi4.sockets()
    #expect(sockets.socketsUsed == 241)
    #expect(sockets.tcpInUse == 9)
    #expect(sockets.tcpOrphaned == 1)
    #expect(sockets.tcpTimeWait == 3)
    #expect(sockets.tcpAllocated == 14)
    #expect(sockets.tcpMemoryBytes == UInt64(5 * 4096))
    #expect(sockets.udpInUse == 7)
    #expect(sockets.udpMemoryBytes == UInt64(3 * 4096))
    #expect(sockets.rawInUse == 1)
    #expect(sockets.tcp6InUse == 4)
    #expect(sockets.udp6InUse == 5)
    #expect(sockets.raw6InUse == 1)
    #expect(sockets.fragments6InUse == 2)
    #expect(sockets.fragments6MemoryBytes == 1024)
  }

  @Test func countersAreFoundByTheirNames() throws {
    let sockets = try Capture.raspberryPi4.sockets()
    #expect(sockets.ipReceivedPackets == 843_211)
    #expect(sockets.ipDeliveredPackets == 840_112)
    #expect(sockets.ipRequestedPackets == 411_022)
    #expect(sockets.ipReceiveDiscards == 1)
    #expect(sockets.ipTransmitDiscards == 20)
    #expect(sockets.tcpActiveOpens == 1203)
    #expect(sockets.tcpPassiveOpens == 88)
    #expect(sockets.tcpFailedAttempts == 31)
    #expect(sockets.tcpEstablishedResets == 17)
    #expect(sockets.tcpEstablished == 6)
    #expect(sockets.tcpReceivedSegments == 701_223)
    #expect(sockets.tcpSentSegments == 402_311)
    #expect(sockets.tcpRetransmittedSegments == 1245)
    #expect(sockets.tcpReceiveErrors == 2)
    #expect(sockets.tcpSentResets == 93)
    #expect(sockets.udpReceivedDatagrams == 130_112)
    #expect(sockets.udpSentDatagrams == 9123)
    #expect(sockets.udpNoPort == 40)
    #expect(sockets.udpReceiveErrors == 5)
    #expect(sockets.udpReceiveBufferErrors == 4)
    #expect(sockets.udpSendBufferErrors == 1)
  }

  @Test func withoutIPv6ItsSocketsAreAbsent() throws {
    let sockets = try Capture.raspberryPi3.sockets()
    #expect(sockets.tcpInUse == 5)
    #expect(sockets.tcp6InUse == nil)
    #expect(sockets.fragments6MemoryBytes == nil)
  }

  @Test(arguments: [
    "TCP: inuse\n", "TCP: inuse x\n", "TCP: inuse -1\n", "sockets: used 18446744073709551616\n",
  ])
  func malformedUsageIsRefused(_ text: String) {
    var sockets = Sockets()
    #expect(throws: ParseError.self) {
      try sockets.take(usage: Array(text.utf8))
    }
  }

  @Test(arguments: [
    "Tcp: InSegs OutSegs\n", "Tcp: InSegs OutSegs\nUdp: 1 2\n", "Tcp: InSegs OutSegs\nTcp: 1\n",
    "Tcp: InSegs\nTcp: x\n",
  ])
  func malformedCountersAreRefused(_ text: String) {
    var sockets = Sockets()
    #expect(throws: ParseError.self) { try sockets.take(counters: Array(text.utf8)) }
  }

  @Test func pagesOfAnySizeBecomeBytes() throws {
    var sockets = Sockets()
    try sockets.take(usage: Array("TCP: inuse 1 mem 3\n".utf8), pageSize: 16_384)
    #expect(sockets.tcpMemoryBytes == 49_152)
  }

  @Test func aSignalBelowZeroIsInDecibelMilliwatts() throws {
    let wireless = try Capture.raspberryPi4.wireless()
    #expect(wireless.map { string($0.interface) } == ["wlan0"])
    #expect(wireless[0].linkQualityTenths == 540)
    #expect(wireless[0].signalTenths == -560)
    #expect(wireless[0].levelTenths == nil)
    #expect(wireless[0].noiseTenths == nil)
    #expect(wireless[0].discardedRetries == 3)
    #expect(wireless[0].discardedOther == 104)
  }

  @Test func aSignalOfOneDecibelBelowAMilliwattIsNotAbsent() throws {
    let line = Array("wlan0: 0000 70. -1. -95. 0 0 0 0 0 0".utf8)
    var wireless = try Wireless(of: line)
    var header = RecordHeader(instance: 1)
    var bytes: [UInt8] = []
    header.encode(&wireless, into: &bytes)
    let record = try Record(decoding: bytes, count: bytes.count)
    let decoded = try #require(record.body(as: Wireless.self))
    #expect(decoded.signalTenths == -10)
    #expect(decoded.noiseTenths == -950)
  }

  @Test func aSignalFromZeroOnHasNoUnit() throws {
    let wireless = try Capture.oldPC.wireless()
    #expect(wireless[0].status == 4)
    #expect(wireless[0].levelTenths == 2100)
    #expect(wireless[0].signalTenths == nil)
    #expect(wireless[0].discardedNetworkId == 7)
    #expect(wireless[0].missedBeacons == .max)
  }

  @Test func withoutAnAccessPointThereIsNoSignal() throws {
    let wireless = try Capture.oldPC.wireless()[1]
    #expect(wireless.linkQualityTenths == 0)
    #expect(wireless.signalTenths == nil)
    #expect(wireless.levelTenths == nil)
  }

  @Test(arguments: [
    "wlan0: 0000 70. -40. -256", "wlan0: g 70. -40. -256 0 0 0 0 0 0",
    "wlan0: 0000 . . . 0 0 0 0 0 0",
    "wlan0: 0000 70. -257. 0 0 0 0 0 0 0", "wlan0: 0000 70. -40. -256 0 0 0 0 0 4294967296",
    "wlan0: 000000000 70. -40. -256 0 0 0 0 0 0", "", "wlan0:",
  ])
  func aMalformedWirelessLineIsRefused(_ line: String) {
    #expect(throws: ParseError.self) { try Wireless(of: Array(line.utf8)) }
  }
}

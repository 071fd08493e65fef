import Testing

@testable import DeviceRig

struct SubscriptionTests {
  @Test(.needs(command: "mosquitto")) func aRefusedLoginIsToldInTheBrokersWords() throws {
    let rig = try Rig()
    _ = try rig.broker(settings: "listener PORT 127.0.0.1\nallow_anonymous false")
    let watch = try rig.tool("watch", "--count", "1")
    #expect(try watch.wait() == 1)
    #expect(watch.log.last?.hasSuffix("refuses: Not authorized (135)") == true, "\(watch.log)")
  }
}

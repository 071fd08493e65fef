import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

struct WatchTests {
  @Test(.needs(command: "mosquitto")) func recordsOfARealDeviceAreShownAsTheyCome() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let watch = try rig.tool("watch", "--count", "3", "load*")
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    #expect(try watch.wait() == 0)
    #expect(watch.output.count == 3)
    for line in watch.output {
      #expect(
        line.wholeMatch(
          of:
            #/\d\d:\d\d:\d\d\.\d{3}  \w+  cyclic-sysinfo  load1=[\d.]+ load5=[\d.]+ load15=[\d.]+/#)
          != nil, "\(line)")
    }
    try collector.stop()
    try bridge.stop()
  }
}

import CLinux
import Foundation
import Testing

/// A cable between a device and a server: two network namespaces and a veth(4) pair.
final class NetworkLink {
  /// The server's address; the device is 10.77.0.2.
  static let server = "10.77.0.1"

  private let rig: Rig
  private let script: HeldScript

  init(_ rig: Rig) throws {
    self.rig = rig
    script = try HeldScript(
      """
      ip netns add "$1s" && ip netns add "$1d" &&
      ip link add cable netns "$1s" type veth peer name cable netns "$1d" &&
      ip -n "$1s" address add 10.77.0.1/24 dev cable &&
      ip -n "$1d" address add 10.77.0.2/24 dev cable || exit
      for end in s d; do
        ip -n "$1$end" link set lo up && ip -n "$1$end" link set cable up || exit
        ip netns exec "$1$end" nft 'add table inet fault;
          add chain inet fault arriving { type filter hook input priority 0; };' || exit
      done
      echo ready
      cat >/dev/null
      ip netns delete "$1s"
      ip netns delete "$1d"
      """, [rig.name], rig)
  }

  func end() throws { try script.end() }

  /// Stands before a command that is to run on the device.
  func onDevice() throws -> [String] {
    [try #require(Machine.command("ip")), "netns", "exec", rig.name + "d"]
  }

  /// What happens to whatever arrives at either end: a statement of nft(8); nil: nothing.
  func set(_ rule: String?, ends: [String] = ["s", "d"]) throws {
    for end in ends {
      let add = rule.map { "add rule inet fault arriving \($0);" } ?? ""
      let result = try rig.run([
        #require(Machine.command("ip")), "netns", "exec", rig.name + end,
        #require(Machine.command("nft"), "nft is not installed"),
        "flush chain inet fault arriving; \(add)",
      ])
      try #require(result.status == 0, "\(result.log)")
    }
  }

  /// Does something in the server's network, on a thread that ends with it.
  func onServer<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result
  {
    let file = clinux_open("/run/netns/\(rig.name)s", O_RDONLY | O_CLOEXEC, 0)
    defer { close(file) }
    // setns(2), which glibc declares under _GNU_SOURCE alone.
    let symbol = try #require(dlsym(nil, "setns"))
    typealias Enter = @convention(c) (Int32, Int32) -> Int32
    nonisolated(unsafe) let enter = unsafeBitCast(symbol, to: Enter.self)
    let box = Box<Result>()
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      box.result = Swift.Result {
        try #require(enter(file, 0) == 0, "setns: \(String(cString: strerror(errno)))")
        return try body()
      }
      ended.signal()
    }
    ended.wait()
    return try #require(box.result).get()
  }

  private final class Box<Value>: @unchecked Sendable {
    var result: Swift.Result<Value, any Error>?
  }
}

/// Where and when something was traced: the probe, as DTrace names its parts, and its circumstances.
public struct TraceProbe: Hashable, Sendable {
  /// What kind of probe it is, such as `tracepoint`, `uprobe`, `syscall`.
  public var provider: String
  /// The kernel's subsystem, or the path of the program or library.
  public var module: String
  public var function: String
  /// Such as `entry`, `return`, or the tracepoint's own name.
  public var name: String
  /// Where it fired; nil where the engine does not say.
  public var cpu: Int?
  /// When it fired, in nanoseconds since the machine was booted; nil where the engine does not say.
  public var nanoseconds: UInt64?
  public var processID: Int?
  public var command: String?

  public init(provider: String, module: String = "", function: String = "", name: String = "") {
    self.provider = provider
    self.module = module
    self.function = function
    self.name = name
  }
}

extension TraceProbe: CustomStringConvertible {
  /// `provider:module:function:name`.
  public var description: String { "\(provider):\(module):\(function):\(name)" }
}

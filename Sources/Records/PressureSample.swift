/// The pressure at one moment: the content of a file of /proc/pressure, or of a cgroup's.
///
/// Body in format version 1, 299 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | resource: 1 cpu, 2 memory, 3 io, 4 irq |
/// | 1 | text, 256 | path of the cgroup; empty: the whole system |
/// | 259 | ``Pressure`` | averages and totals |
public struct PressureSample: RecordBody {
  public static let kind = RecordKind.pressureSample

  public var resource = PressureResource.unknown
  public var cgroup = CgroupPath()
  public var pressure = Pressure()

  public init() {}

  public init(_ resource: PressureResource, of cgroup: CgroupPath, _ pressure: Pressure) {
    self.resource = resource
    self.cgroup = cgroup
    self.pressure = pressure
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.name(
      Field("resource", .none, .identity, "What tasks wait for: cpu, memory, io, irq"), &resource)
    visitor.text(
      Field("cgroup", .none, .identity, "Path of the cgroup; empty for the whole system"), &cgroup)
    pressure.visit(&visitor)
  }

  public static var topic: StaticString { "cgroup/{resource}/{cgroup/}|{resource}" }
}

import Linux
import Records

/// A record that waits for the properties of its unit.
struct Fetch {
  var body: UnitState
  let name: [UInt8]
  /// The serial number of the call; nil: not asked for yet.
  var serial: UInt32?
}

// The properties that no signal has brought: those of units that were found by comparing, or whose
// type does not tell them. A few are asked for at a time; the others wait, and beyond that records go
// without them and are counted.

extension SystemdSignals {
  private static var askedAtOnce: Int { 8 }
  private static var waitingAtMost: Int { 64 }

  mutating func fetch(_ body: UnitState, _ name: [UInt8]) throws(SystemError) {
    guard bus != nil, resultInterface(ofUnit: name) != nil else { return try finish(body) }
    guard fetches.count < Self.waitingAtMost else {
      propertiesMissed &+= 1
      return try finish(body)
    }
    fetches.append(Fetch(body: body, name: name))
  }

  mutating func fetchMore() throws(SystemError) {
    guard bus != nil, !systemdOwner.isEmpty else { return try giveUpFetches() }
    for index in fetches.indices.prefix(Self.askedAtOnce) where fetches[index].serial == nil {
      guard let bus, let interface = resultInterface(ofUnit: fetches[index].name) else { continue }
      let path = unitPath(ofName: fetches[index].name)
      let message = Message(
        to: Self.systemd, at: path, "org.freedesktop.DBus.Properties", "GetAll")
      message.append(interface)
      let serial = bus.send(message)
      calls.add(serial, .properties)
      fetches[index].serial = serial
    }
  }

  /// The reply has come, or will not: `properties` is nil then.
  mutating func finishFetch(
    _ serial: UInt32, _ properties: UnitProperties?
  ) throws(SystemError) {
    for index in fetches.indices where fetches[index].serial == serial {
      let fetch = fetches.remove(at: index)
      var body = fetch.body
      if let properties {
        var service = ServiceState()
        service.update(properties)
        service.fill(&body)
      } else {
        propertiesMissed &+= 1
      }
      return try finish(body)
    }
  }

  mutating func giveUpFetches() throws(SystemError) {
    while let fetch = fetches.popLast() {
      propertiesMissed &+= 1
      try finish(fetch.body)
    }
  }
}

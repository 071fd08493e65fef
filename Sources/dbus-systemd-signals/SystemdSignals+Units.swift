import Daemon
import Linux
import Records

// The states of units.

extension SystemdSignals {
  mutating func propertiesChanged(_ message: borrowing Message) throws(SystemError) {
    guard let properties = UnitProperties(changedIn: message) else {
      return isMalformed("PropertiesChanged")
    }
    guard let name = unitName(ofPath: message.path), options.filter.watches(name) else { return }
    if let active = properties.activeState, let sub = properties.subState {
      try changed(name, State(active, sub), properties)
    } else if properties.result != nil || properties.restarts != nil {
      guard let place = table.place(for: name) else { return }
      var service = table[place].service ?? ServiceState()
      service.update(properties)
      table[place].service = service
    }
  }

  private mutating func changed(
    _ name: [UInt8], _ state: State, _ properties: UnitProperties
  ) throws(SystemError) {
    var body = UnitState()
    guard let place = table.place(for: name) else {
      // Without room it is told with what is at hand, and without the state before.
      guard options.filter.tells(name, from: .unloaded, to: state, again: true) else { return }
      body.take(name, state)
      return try tell(body)
    }
    let unit = table[place]
    let isTold = options.filter.tells(
      name, from: unit.told, to: state, again: unit.wasReentered(state, properties))
    table[place].keep(state, properties, told: isTold)
    if state.isInactive { table.remove(at: place) }
    guard isTold else { return }
    body.take(name, state, before: unit.told)
    if let service = unit.service {
      service.fill(&body)
      try finish(body)
    } else {
      try fetch(body, name)
    }
  }

  mutating func finish(_ body: UnitState) throws(SystemError) {
    var body = body
    body.propertiesMissed = propertiesMissed
    body.unitsForgotten = table.forgotten
    try tell(body)
  }

  /// Takes the list of all units: the first one for the table, a later one to find what has changed
  /// while nothing was heard.
  mutating func compareUnits(_ rows: MessageValues) throws(SystemError) {
    var rows = rows
    var event = ManagerEvent(gap?.end ?? .snapshot)
    var count: UInt32 = 0
    var failed: UInt32 = 0
    var found: UInt32 = 0
    round &+= 1
    while !rows.isAtEnd {
      guard let row = UnitRow(&rows) else { break }
      let state = State(row.activeState, row.subState)
      count += 1
      if state.isFailed { failed += 1 }
      let name = [UInt8](row.name.bytes)
      if options.filter.watches(name), try compare(name, state) { found += 1 }
    }
    // From the end, since removing moves the last one.
    for place in table.units.indices.reversed() where table[place].round != round {
      if try compareAbsent(table[place]) { found += 1 }
      table.remove(at: place)
    }
    event.units = count
    event.failedUnits = failed
    if let gap { event.durationMicroseconds = (bootTimeNanoseconds() - gap.since) / 1000 }
    if hasStarted { event.changedUnits = found }
    gap = nil
    isListening = true
    hasStarted = true
    try tell(event)
  }

  /// Compares a row with the table; returns whether there is something to tell.
  private mutating func compare(_ name: [UInt8], _ state: State) throws(SystemError) -> Bool {
    if state.isInactive && table.index(of: name) == nil { return false }
    guard let place = table.place(for: name) else { return false }
    let told = table[place].told
    table[place].round = round
    let isTold =
      hasStarted
      ? options.filter.tells(name, from: told, to: state, again: false) : state.isFailed
    if isTold || !hasStarted { table[place].told = state }
    if isTold {
      // What the signals said before belongs to the state before.
      table[place].service = nil
      table[place].activeEnter = nil
      table[place].inactiveEnter = nil
    }
    if state.isInactive { table.remove(at: place) }
    guard isTold else { return false }
    var body = UnitState()
    body.take(name, state, before: hasStarted ? told : nil)
    body.foundByComparing = true
    try fetch(body, name)
    return true
  }

  /// A unit that systemd has unloaded meanwhile.
  private mutating func compareAbsent(_ unit: UnitTable.Unit) throws(SystemError) -> Bool {
    guard options.filter.tells(unit.name, from: unit.told, to: .unloaded, again: false) else {
      return false
    }
    var body = UnitState()
    body.take(unit.name, .unloaded, before: unit.told)
    body.foundByComparing = true
    try finish(body)
    return true
  }
}

extension UnitState {
  fileprivate mutating func take(_ name: [UInt8], _ state: State, before: State? = nil) {
    unit = FixedText(name.span)
    activeState = state.active
    subState = state.sub
    if let before {
      oldActiveState = before.active
      oldSubState = before.sub
    }
  }
}

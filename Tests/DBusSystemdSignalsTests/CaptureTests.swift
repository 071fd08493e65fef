import CDBus
import Foundation
import Records
import Testing

@testable import dbus_systemd_signals

/// Messages as systemd of several versions sent them.
@Suite struct CaptureTests {
  static let versions = ["systemd-247", "systemd-252", "systemd-257"]

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/dbus")

  private func names(_ version: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: Self.folder.appending(path: version).path()
    ).sorted()
  }

  private func message(_ version: String, _ name: String) throws -> Message {
    let bytes = try Data(contentsOf: Self.folder.appending(path: "\(version)/\(name)"))
      .map { CChar(bitPattern: $0) }
    var error = DBusError()
    dbus_error_init(&error)
    defer { dbus_error_free(&error) }
    let raw = dbus_message_demarshal(bytes, Int32(bytes.count), &error)
    return Message(owning: try #require(raw, "\(name): libdbus refuses it"))
  }

  /// Every message is for one of the readers, by its name, and is read by that one.
  @Test(arguments: versions) func everyMessageIsRead(_ version: String) throws {
    let names = try names(version)
    #expect(names.count > 35)
    for name in names {
      let message = try message(version, name)
      let isRead =
        switch name.prefix(while: { $0 != "-" }) {
        case "JobNew": JobBody(message).map { $0.result == nil } ?? false
        case "JobRemoved": JobBody(message)?.result != nil
        case "NameOwnerChanged": NameOwnerBody(message) != nil
        case "GetNameOwner": ownerName(of: message)?.string.hasPrefix(":1.") == true
        case "UnitNew", "UnitRemoved": unitName(of: message)?.string.contains(".") == true
        case "Reloading": flag(of: message) != nil
        case "ListUnits": UnitRow.rows(of: message) != nil
        case "GetAll": UnitProperties(repliedIn: message)?.result?.string == "success"
        case "PropertiesChanged":
          UnitProperties(changedIn: message) != nil && unitName(ofPath: message.path) != nil
        // It has no arguments.
        case "UnitFilesChanged": message.hasSignature("")
        default: false
        }
      #expect(isRead, "\(version)/\(name)")
    }
  }

  @Test(arguments: versions) func theListHasEveryUnit(_ version: String) throws {
    let list = try message(version, "ListUnits-1.message")
    var rows = try present(UnitRow.rows(of: list))
    var states: [String: String] = [:]
    while !rows.isAtEnd {
      let row = try present(UnitRow(&rows))
      states[row.name.string] = row.activeState.string + "/" + row.subState.string
    }
    #expect(states.count > 80)
    #expect(states["dbus.service"] == "active/running")
    #expect(states["dbus.socket"] == "active/running")
    #expect(states["-.mount"] == "active/mounted")
    #expect(states["emergency.service"] == "inactive/dead")
  }

  @Test(arguments: versions) func aFailedServiceHasItsReason(_ version: String) throws {
    func service(_ name: String) throws -> (unit: String, service: ServiceState) {
      let message = try message(version, name)
      let properties = try present(UnitProperties(changedIn: message))
      var service = ServiceState()
      service.update(properties)
      let unit = try present(unitName(ofPath: message.path))
      return (String(decoding: unit, as: UTF8.self), service)
    }
    let failed = try service("PropertiesChanged-Service-service-exit-code-1.message")
    #expect(failed.unit == "exit3.service")
    #expect(failed.service.result == FixedText("exit-code"))
    #expect(failed.service.exit == .exited)
    #expect(failed.service.exitStatus == 3)
    #expect(failed.service.restarts == 0)
    let killed = try service("PropertiesChanged-Service-service-signal-1.message")
    #expect(killed.unit == "killed.service")
    #expect(killed.service.result == FixedText("signal"))
    #expect(killed.service.exit == .killed)
    #expect(killed.service.exitStatus == 11)

    let changed = try message(version, "PropertiesChanged-Unit-service-failed-1.message")
    let unit = try present(UnitProperties(changedIn: changed))
    #expect(unit.activeState?.string == "failed")
    #expect(unit.subState?.string == "failed")
    #expect(try present(unit.inactiveEnter) > 0)
  }
}

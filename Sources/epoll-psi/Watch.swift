import CLinux
import Linux
import Records

/// One trigger at one place, and what became of it.
final class Watch {
  /// Why a trigger cannot be watched at all.
  enum Failure: Error {
    case system(SystemError)
    case malformed(PressureFormatError)
    /// The file does not have the line of this scope.
    case noSuchScope
    /// EINVAL, whatever the window.
    case refused

    var description: Text {
      switch self {
      case .system(let error): error.description
      case .malformed(let error): error.description
      case .noSuchScope: "this kernel does not account that scope"
      case .refused: "the kernel refuses this trigger"
      }
    }
  }

  /// Why the kernel does not tell, and the file is read once per window.
  enum Polling {
    case no
    case refused(SystemError)
    /// Not a file of the kernel's.
    case copy
  }

  /// Names its descriptor in the event loop; never used again.
  let id: UInt32
  let place: Place
  /// What is watched; not what was asked for, if the kernel did not allow that.
  let trigger: Trigger
  let polling: Polling
  let file: PressureFile
  private(set) var episode: StallEpisode
  private var pressure: Pressure
  /// Said once, until it can be read again.
  var hasFailed = false

  private init(
    _ id: UInt32, _ place: Place, _ trigger: Trigger, _ opened: consuming Opened,
    _ pressure: Pressure, total: UInt64
  ) {
    self.id = id
    self.place = place
    self.trigger = trigger
    self.pressure = pressure
    polling = opened.polling
    file = opened.file
    var isPolled = true
    if case .no = polling { isPolled = false }
    episode = StallEpisode(trigger, isPolled: isPolled, total: total, at: monotonicNanoseconds())
  }

  /// Sets the trigger, or the next one that the kernel allows.
  ///
  /// No initializer: one of a class that throws before all is set leaks in Embedded Swift 6.3.
  static func set(_ asked: Trigger, at place: Place, id: UInt32) throws(Failure) -> Watch {
    let opened = try open(place.file(asked.resource))
    // Before it is set: what the kernel counts from then on is not more than this.
    let pressure = try read(opened.file)
    guard let total = pressure.totalMicroseconds(asked.scope) else { throw .noSuchScope }
    var trigger = asked
    if case .no = opened.polling { trigger = try set(asked, opened.file) }
    return Watch(id, place, trigger, opened, pressure, total: total)
  }

  private struct Opened: ~Copyable {
    let file: PressureFile
    let polling: Polling
  }

  private static func open(_ path: Text) throws(Failure) -> Opened {
    do throws(SystemError) {
      do throws(SystemError) {
        let file = try PressureFile(path, O_RDWR)
        let polling = file.isLive ? Polling.no : .copy
        return Opened(file: file, polling: polling)
      } catch {
        guard error.errno == EACCES || error.errno == EPERM || error.errno == EROFS else {
          throw error
        }
        return Opened(file: try PressureFile(path), polling: .refused(error))
      }
    } catch {
      throw .system(error)
    }
  }

  private static func read(_ file: borrowing PressureFile) throws(Failure) -> Pressure {
    do throws(PressureFile.Failure) {
      return try file.read()
    } catch {
      switch error {
      case .gone: throw .system(SystemError("read", errno: ENODEV))
      case .system(let error): throw .system(error)
      case .malformed(let error): throw .malformed(error)
      }
    }
  }

  private static func set(
    _ trigger: Trigger, _ file: borrowing PressureFile
  ) throws(Failure) -> Trigger {
    do throws(SystemError) {
      try file.set(trigger)
      return trigger
    } catch {
      guard error.errno == EINVAL else { throw .system(error) }
    }
    guard let other = trigger.withoutPrivilege else { throw .refused }
    do throws(SystemError) {
      try file.set(other)
      return other
    } catch {
      if error.errno == EINVAL { throw .refused }
      throw .system(error)
    }
  }

  var isPolled: Bool {
    if case .no = polling { false } else { true }
  }

  /// Reads the file because the trigger fired, or because it is time; what to tell, if anything.
  func look(fired: Bool) throws(PressureFile.Failure) -> PressureStall? {
    pressure = try file.read()
    guard let total = pressure.totalMicroseconds(trigger.scope) else {
      throw .malformed(PressureFormatError(line: 1, reason: "is no longer followed by the other"))
    }
    let now = monotonicNanoseconds()
    return stall(fired ? episode.fired(total, at: now) : episode.looked(total, at: now))
  }

  /// The place is gone; what to tell, if anything.
  func end() -> PressureStall? {
    let total = pressure.totalMicroseconds(trigger.scope) ?? 0
    return stall(episode.ended(total, at: monotonicNanoseconds()))
  }

  private func stall(_ step: StallEpisode.Step?) -> PressureStall? {
    guard let step else { return nil }
    var stall = PressureStall()
    stall.state = step.state
    stall.resource = trigger.resource
    stall.scope = trigger.scope
    stall.isPolled = isPolled
    stall.cgroup = place.cgroup
    stall.thresholdMicroseconds = trigger.thresholdMicroseconds
    stall.windowMicroseconds = trigger.windowMicroseconds
    stall.stallMicroseconds = step.stall
    stall.intervalMicroseconds = step.interval
    stall.episodeMicroseconds = step.episode
    stall.episodeStallMicroseconds = step.episodeStall
    stall.pressure = pressure
    return stall
  }
}

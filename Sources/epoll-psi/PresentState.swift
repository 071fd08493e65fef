import CLinux
import Daemon
import Linux
import Records

/// Sends the present pressure of all resources, of the system and of the cgroups asked for.
///
/// nil if there was something to send; otherwise why not. What cannot be read is said in the log.
func sendPresentState(
  _ settings: Settings, _ sender: inout RecordSender, _ log: Log
) throws(SystemError) -> Text? {
  if let reason = missingPressure(settings.procfs) { return reason }
  var places = [Place(procfs: settings.procfs)]
  if let root = settings.cgroupfs {
    var tree = try CgroupTree(root: root, settings.cgroups, follows: false)
    places.append(contentsOf: tree.scan())
  }
  if places.count == 1 && !settings.cgroups.isEmpty { log.warning("no cgroup fits --cgroup") }
  for place in places {
    for resource in PressureResource.known {
      if let sample = read(place, resource, log) { _ = try sender.send(sample) }
    }
  }
  return nil
}

/// nil if it cannot be read; the log has it then.
@inline(never)
private func read(_ place: Place, _ resource: PressureResource, _ log: Log) -> PressureSample? {
  do throws(SystemError) {
    let file = try SampledFile.open(place, resource)
    do throws(PressureFile.Failure) {
      return try file.sample()
    } catch {
      switch error {
      case .gone: throw SystemError("read", errno: ENODEV, place.name)
      case .system(let error): throw SystemError("read", errno: error.errno, place.name)
      case .malformed(let error):
        let path = place.file(resource)
        log.warning("\(path): \(error.description)")
        return nil
      }
    }
  } catch {
    // Most kernels do not account interrupts.
    if !(resource == .irq && error.errno == ENOENT) { log.warning(error.description) }
    return nil
  }
}

/// nil if the kernel accounts pressure; otherwise what is missing, and how to get it.
func missingPressure(_ procfs: Text) -> Text? {
  let path = procfs.appending("pressure").appending("cpu")
  do throws(SystemError) {
    // Some kernels have the files without PSI, and say so only to who reads.
    _ = try readFile(path, limit: 4096)
    return nil
  } catch {
    guard error.errno == ENOENT || error.errno == EOPNOTSUPP else { return error.description }
    return """
      no \(procfs)/pressure: PSI is off; add psi=1 to the kernel's command line \
      (Raspberry Pi: /boot/firmware/cmdline.txt) and restart; it takes CONFIG_PSI
      """
  }
}

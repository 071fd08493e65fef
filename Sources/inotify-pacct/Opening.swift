import CLinux
import Daemon
import Linux
import Records

enum Opening {
  case there(AccountingSource)
  /// What is missing, where, and how to get it.
  case missing(Text)
}

/// Opens the accounting files, or says why that cannot be. Errors: what a person must look into.
func open(_ options: PacctOptions, once: Bool, _ log: Log) throws(SystemError) -> Opening {
  options.owns ? try own(options, log) : try follow(options, once: once, log)
}

private func follow(
  _ options: PacctOptions, once: Bool, _ log: Log
) throws(SystemError) -> Opening {
  let source = try FollowedFile(options.path)
  if !once { source.positions = options.statePath.map { PositionFile($0) } }
  let kept = readPosition(source.positions, log)
  do throws(SystemError) {
    try source.open(kept, fromStart: options.fromStart)
    return .there(source)
  } catch {
    switch error.errno {
    case ENOENT:
      return .missing(
        "\(error.subject) is not there: apt install acct, or accton FILE and --file FILE, or --own")
    case EACCES:
      return .missing("\(error.subject) may not be read: its group (adm) may, or use --own")
    case EINVAL:
      return .missing("\(error.subject) is not a regular file: name another one with --file")
    default: throw error
    }
  }
}

private func own(_ options: PacctOptions, _ log: Log) throws(SystemError) -> Opening {
  let source: OwnAccounting
  do throws(SystemError) {
    source = try OwnAccounting(
      folder: options.ownFolder, size: options.ownSize)
  } catch {
    guard error.errno == EWOULDBLOCK else { throw error }
    throw SystemError("--own: another inotify-pacct uses", errno: EBUSY, options.ownFolder)
  }
  do throws(SystemError) {
    try source.start(readPosition(source.positions, log))
    return .there(source)
  } catch {
    switch error.errno {
    case EPERM:
      return .missing("--own needs CAP_SYS_PACCT: run as root, or give it that capability")
    case ENOSYS:
      return .missing("this kernel has no process accounting: it lacks CONFIG_BSD_PROCESS_ACCT")
    default: throw error
    }
  }
}

private func readPosition(_ file: PositionFile?, _ log: Log) -> Position? {
  do throws(SystemError) {
    return try file?.read()
  } catch {
    log.warning("\(error.description): going on as at the first start")
    return nil
  }
}

/// Why no records can be had although the file is there, or nil.
func whyUnavailable(
  _ file: AccountingFile, _ probe: Probe, _ options: PacctOptions
) throws(SystemError) -> Text? {
  guard probe.leftRecord else {
    let condition = AccountingCondition(options)
    if condition.thresholds().suspends(try FreeSpace(of: file.descriptor)) { return nil }
    return
      "accounting is off or goes elsewhere than \(file.path): accton FILE (apt install acct), or --own"
  }
  do throws(AccountingRecordError) {
    _ = try ProcessExit(parsing: lastRecord(of: file).span)
  } catch {
    if case .unsupportedVersion(let version) = error {
      return
        "the kernel lacks CONFIG_BSD_PROCESS_ACCT_V3: it writes records of version \(UInt64(version))"
    }
  }
  return nil
}

/// The last whole record; empty if there is none.
func lastRecord(of file: AccountingFile) -> [UInt8] {
  let length = ProcessExit.accountingRecordSize
  var bytes = [UInt8](repeating: 0, count: length)
  guard let size = try? file.size(), size >= UInt64(length) else { return [] }
  let offset = size / UInt64(length) * UInt64(length) - UInt64(length)
  return pread(file.descriptor.raw, &bytes, length, off_t(offset)) == length ? bytes : []
}

/// `--once`: ends a child and tells what the kernel says of it; with `--assume-on` the last record.
func tellOne(
  _ source: AccountingSource, _ options: PacctOptions, _ sender: inout RecordSender, _ log: Log
) throws(SystemError) -> Int32 {
  guard let file = source.backlog.last else { return 1 }
  if !options.assumesOn, let reason = try whyUnavailable(file, try Probe(file), options) {
    log.error(reason)
    return EX_UNAVAILABLE
  }
  let record = lastRecord(of: file)
  try (source as? OwnAccounting)?.abandon()
  guard let exit = try? ProcessExit(parsing: record.span) else {
    log.error("\(source.name): the last record is not one of version 3")
    return 1
  }
  _ = try sender.send(exit)
  return 0
}

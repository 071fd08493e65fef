import Records

/// What systemd-coredump notes of a dump beside its file's name.
///
/// ```
/// extended attribute        field of the journal's entry
/// user.coredump.pid         COREDUMP_PID          decimal, in the first PID namespace
/// user.coredump.uid         COREDUMP_UID          decimal
/// user.coredump.gid         COREDUMP_GID          decimal
/// user.coredump.signal      COREDUMP_SIGNAL       decimal
/// user.coredump.timestamp   COREDUMP_TIMESTAMP    decimal, see crashTime(parsing:)
/// user.coredump.rlimit      COREDUMP_RLIMIT       decimal, 2^63 or more: unlimited
/// user.coredump.hostname    COREDUMP_HOSTNAME
/// user.coredump.comm        COREDUMP_COMM
/// user.coredump.exe         COREDUMP_EXE
///                           COREDUMP_CMDLINE
///                           COREDUMP_UNIT
///                           COREDUMP_USER_UNIT
///                           COREDUMP_TRUNCATED    1, if it was
/// ```
///
/// Without a NUL at the end; all but the first five may be missing. systemd.journal-fields(7) and
/// systemd-coredump(8) name them.
enum Detail: CaseIterable {
  case pid, uid, gid, signal, timestamp, coreLimit, hostname, comm, executable
  case commandLine, unit, userUnit, truncated

  var attribute: StaticString? {
    switch self {
    case .pid: "user.coredump.pid"
    case .uid: "user.coredump.uid"
    case .gid: "user.coredump.gid"
    case .signal: "user.coredump.signal"
    case .timestamp: "user.coredump.timestamp"
    case .coreLimit: "user.coredump.rlimit"
    case .hostname: "user.coredump.hostname"
    case .comm: "user.coredump.comm"
    case .executable: "user.coredump.exe"
    case .commandLine, .unit, .userUnit, .truncated: nil
    }
  }

  var journalField: StaticString {
    switch self {
    case .pid: "COREDUMP_PID"
    case .uid: "COREDUMP_UID"
    case .gid: "COREDUMP_GID"
    case .signal: "COREDUMP_SIGNAL"
    case .timestamp: "COREDUMP_TIMESTAMP"
    case .coreLimit: "COREDUMP_RLIMIT"
    case .hostname: "COREDUMP_HOSTNAME"
    case .comm: "COREDUMP_COMM"
    case .executable: "COREDUMP_EXE"
    case .commandLine: "COREDUMP_CMDLINE"
    case .unit: "COREDUMP_UNIT"
    case .userUnit: "COREDUMP_USER_UNIT"
    case .truncated: "COREDUMP_TRUNCATED"
    }
  }
}

extension CoreDump {
  /// Takes over one detail; a value that is none leaves what was known before.
  ///
  /// pid and timestamp are not taken: with the boot they say which dump this is, and do not change.
  mutating func set(_ detail: Detail, _ value: Span<UInt8>) {
    switch detail {
    case .pid, .timestamp: break
    case .uid: uid = decimalValue(value) ?? uid
    case .gid: gid = decimalValue(value) ?? gid
    case .signal: signal = decimalValue(value) ?? signal
    case .coreLimit:
      // Distributions pass 2^63 in place of the limit, for the kernel lets a pipe have all of it.
      coreLimitBytes = decimalValue(value).flatMap { $0 < 1 << 63 ? $0 : nil }
    case .hostname: hostname = FixedText(value)
    case .comm: comm = FixedText(value)
    case .executable: executable = FixedText(value)
    case .commandLine: commandLine = FixedText(value)
    case .unit: unit = FixedText(value)
    case .userUnit: userUnit = FixedText(value)
    case .truncated: isTruncated = equals(value, "1") || equals(value, "yes")
    }
  }
}

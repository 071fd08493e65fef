import Testing

/// The packages, installed into Debian systems with systemd as PID 1.
///
/// One after the other: the queues of one system, as many and as deep as the units make them, are more
/// than half of what RLIMIT_MSGQUEUE allows root on the whole machine.
@Suite(
  .serialized, .needsRoot, .needs(command: "systemd-nspawn"), .needs(command: "nsenter"),
  .needsRoots, .needsPackages)
struct PackagingTests {}

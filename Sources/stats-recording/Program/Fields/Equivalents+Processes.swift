import Records

extension Equivalent {
  /// Of processes and units.
  static let processes: [RecordKind: [String: Equivalent]] = [
    .processCounts: [
      "process_count": Equivalent(nodeExporter: "node_processes_pids"),
      "thread_count": Equivalent(nodeExporter: "node_processes_threads"),
      "running_count": Equivalent(
        openTelemetry: "system.process.count{process.state=running}",
        nodeExporter: "node_processes_state{state=\"R\"}"),
      "sleeping_count": Equivalent(
        openTelemetry: "system.process.count{process.state=sleeping}",
        nodeExporter: "node_processes_state{state=\"S\"}"),
      "disk_sleep_count": Equivalent(nodeExporter: "node_processes_state{state=\"D\"}"),
      "idle_count": Equivalent(nodeExporter: "node_processes_state{state=\"I\"}"),
      "stopped_count": Equivalent(
        openTelemetry: "system.process.count{process.state=stopped}",
        nodeExporter: "node_processes_state{state=\"T\"}"),
      "tracing_stop_count": Equivalent(nodeExporter: "node_processes_state{state=\"t\"}"),
      "zombie_count": Equivalent(
        openTelemetry: "system.process.count{process.state=defunct}",
        nodeExporter: "node_processes_state{state=\"Z\"}"),
    ],
    .process: [
      "cpu_user_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=user}"),
      "cpu_system_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=system}"),
      "cpu_ratio": Equivalent(openTelemetry: "process.cpu.utilization"),
      "memory_resident_bytes": Equivalent(openTelemetry: "process.memory.usage"),
      "memory_virtual_bytes": Equivalent(openTelemetry: "process.memory.virtual"),
      "thread_count": Equivalent(openTelemetry: "process.thread.count"),
      "minor_fault_count": Equivalent(
        openTelemetry: "process.paging.faults{system.paging.fault.type=minor}"),
      "major_fault_count": Equivalent(
        openTelemetry: "process.paging.faults{system.paging.fault.type=major}"),
      "read_bytes": Equivalent(openTelemetry: "process.disk.io{disk.io.direction=read}"),
      "write_bytes": Equivalent(openTelemetry: "process.disk.io{disk.io.direction=write}"),
    ],
    .processLoad: [
      "cpu_user_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=user}"),
      "cpu_system_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=system}"),
      "cpu_ratio": Equivalent(openTelemetry: "process.cpu.utilization"),
      "memory_resident_bytes": Equivalent(openTelemetry: "process.memory.usage"),
      "memory_virtual_bytes": Equivalent(openTelemetry: "process.memory.virtual"),
      "thread_count": Equivalent(openTelemetry: "process.thread.count"),
    ],
    .processExit: [
      "elapsed_seconds": Equivalent(openTelemetry: "process.uptime"),
      "user_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=user}"),
      "system_seconds": Equivalent(openTelemetry: "process.cpu.time{cpu.mode=system}"),
      "virtual_memory_bytes": Equivalent(openTelemetry: "process.memory.virtual"),
      "minor_faults": Equivalent(
        openTelemetry: "process.paging.faults{system.paging.fault.type=minor}"),
      "major_faults": Equivalent(
        openTelemetry: "process.paging.faults{system.paging.fault.type=major}"),
    ],
    .unitState: [
      "active_state": Equivalent(nodeExporter: "node_systemd_unit_state"),
      "restarts": Equivalent(nodeExporter: "node_systemd_service_restart_total"),
    ],
    .managerEvent: [
      "units": Equivalent(nodeExporter: "node_systemd_units")
    ],
  ]
}

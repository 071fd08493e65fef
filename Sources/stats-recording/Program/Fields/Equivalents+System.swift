import Records

extension Equivalent {
  /// Of processors, memory and pressure.
  static let system: [RecordKind: [String: Equivalent]] = [
    .systemInformation: [
      "uptime_seconds": Equivalent(openTelemetry: "system.uptime"),
      "load1": Equivalent(nodeExporter: "node_load1"),
      "load5": Equivalent(nodeExporter: "node_load5"),
      "load15": Equivalent(nodeExporter: "node_load15"),
      "memory_total_bytes": Equivalent(
        openTelemetry: "system.memory.limit", nodeExporter: "node_memory_MemTotal_bytes"),
      "memory_free_bytes": Equivalent(
        openTelemetry: "system.memory.usage{system.memory.state=free}",
        nodeExporter: "node_memory_MemFree_bytes"),
      "memory_shared_bytes": Equivalent(
        openTelemetry: "system.memory.linux.shared", nodeExporter: "node_memory_Shmem_bytes"),
      "memory_buffer_bytes": Equivalent(
        openTelemetry: "system.memory.usage{system.memory.state=buffers}",
        nodeExporter: "node_memory_Buffers_bytes"),
      "swap_total_bytes": Equivalent(nodeExporter: "node_memory_SwapTotal_bytes"),
      "swap_free_bytes": Equivalent(
        openTelemetry: "system.paging.usage{system.paging.state=free}",
        nodeExporter: "node_memory_SwapFree_bytes"),
    ],
    .cpuTimes: [
      "user_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=user}",
        nodeExporter: "node_cpu_seconds_total{mode=\"user\"}"),
      "nice_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=nice}",
        nodeExporter: "node_cpu_seconds_total{mode=\"nice\"}"),
      "system_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=system}",
        nodeExporter: "node_cpu_seconds_total{mode=\"system\"}"),
      "idle_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=idle}",
        nodeExporter: "node_cpu_seconds_total{mode=\"idle\"}"),
      "iowait_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=iowait}",
        nodeExporter: "node_cpu_seconds_total{mode=\"iowait\"}"),
      "interrupt_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=interrupt}",
        nodeExporter: "node_cpu_seconds_total{mode=\"irq\"}"),
      "soft_interrupt_seconds": Equivalent(
        nodeExporter: "node_cpu_seconds_total{mode=\"softirq\"}"),
      "steal_seconds": Equivalent(
        openTelemetry: "system.cpu.time{cpu.mode=steal}",
        nodeExporter: "node_cpu_seconds_total{mode=\"steal\"}"),
      "guest_seconds": Equivalent(nodeExporter: "node_cpu_guest_seconds_total{mode=\"user\"}"),
      "guest_nice_seconds": Equivalent(nodeExporter: "node_cpu_guest_seconds_total{mode=\"nice\"}"),
    ],
    .cpuActivity: [
      "context_switches": Equivalent(nodeExporter: "node_context_switches_total"),
      "interrupts": Equivalent(nodeExporter: "node_intr_total"),
      "processes_created": Equivalent(
        openTelemetry: "system.process.created", nodeExporter: "node_forks_total"),
      "processes_running": Equivalent(nodeExporter: "node_procs_running"),
      "processes_blocked": Equivalent(nodeExporter: "node_procs_blocked"),
      "boot_time_seconds": Equivalent(nodeExporter: "node_boot_time_seconds"),
    ],
    .cpuFrequency: [
      "frequency_hertz": Equivalent(
        openTelemetry: "system.cpu.frequency", nodeExporter: "node_cpu_scaling_frequency_hertz"),
      "frequency_limit_hertz": Equivalent(
        openTelemetry: "hw.cpu.speed.limit", nodeExporter: "node_cpu_scaling_frequency_max_hertz"),
    ],
    .memory: [
      "memory_total_bytes": Equivalent(
        openTelemetry: "system.memory.limit", nodeExporter: "node_memory_MemTotal_bytes"),
      "memory_free_bytes": Equivalent(
        openTelemetry: "system.memory.usage{system.memory.state=free}",
        nodeExporter: "node_memory_MemFree_bytes"),
      "memory_available_bytes": Equivalent(
        openTelemetry: "system.memory.linux.available",
        nodeExporter: "node_memory_MemAvailable_bytes"),
      "memory_buffer_bytes": Equivalent(
        openTelemetry: "system.memory.usage{system.memory.state=buffers}",
        nodeExporter: "node_memory_Buffers_bytes"),
      "memory_cached_bytes": Equivalent(
        openTelemetry: "system.memory.usage{system.memory.state=cached}",
        nodeExporter: "node_memory_Cached_bytes"),
      "memory_shared_bytes": Equivalent(
        openTelemetry: "system.memory.linux.shared", nodeExporter: "node_memory_Shmem_bytes"),
      "memory_dirty_bytes": Equivalent(nodeExporter: "node_memory_Dirty_bytes"),
      "memory_writeback_bytes": Equivalent(nodeExporter: "node_memory_Writeback_bytes"),
      "memory_anonymous_bytes": Equivalent(nodeExporter: "node_memory_AnonPages_bytes"),
      "memory_mapped_bytes": Equivalent(nodeExporter: "node_memory_Mapped_bytes"),
      "memory_slab_bytes": Equivalent(nodeExporter: "node_memory_Slab_bytes"),
      "memory_slab_reclaimable_bytes": Equivalent(
        openTelemetry: "system.memory.linux.slab.usage{system.memory.linux.slab.state=reclaimable}",
        nodeExporter: "node_memory_SReclaimable_bytes"),
      "memory_kernel_stack_bytes": Equivalent(nodeExporter: "node_memory_KernelStack_bytes"),
      "memory_page_tables_bytes": Equivalent(nodeExporter: "node_memory_PageTables_bytes"),
      "memory_commit_limit_bytes": Equivalent(nodeExporter: "node_memory_CommitLimit_bytes"),
      "memory_committed_bytes": Equivalent(nodeExporter: "node_memory_Committed_AS_bytes"),
      "swap_total_bytes": Equivalent(nodeExporter: "node_memory_SwapTotal_bytes"),
      "swap_free_bytes": Equivalent(
        openTelemetry: "system.paging.usage{system.paging.state=free}",
        nodeExporter: "node_memory_SwapFree_bytes"),
      "swap_cached_bytes": Equivalent(nodeExporter: "node_memory_SwapCached_bytes"),
      "huge_pages_total": Equivalent(
        openTelemetry: "system.memory.linux.hugepages.limit",
        nodeExporter: "node_memory_HugePages_Total"),
      "huge_pages_free": Equivalent(
        openTelemetry:
          "system.memory.linux.hugepages.usage{system.memory.linux.hugepages.state=free}",
        nodeExporter: "node_memory_HugePages_Free"),
      "huge_page_size_bytes": Equivalent(
        openTelemetry: "system.memory.linux.hugepages.page_size",
        nodeExporter: "node_memory_Hugepagesize_bytes"),
    ],
    .pageActivity: [
      "page_faults": Equivalent(nodeExporter: "node_vmstat_pgfault"),
      "major_page_faults": Equivalent(
        openTelemetry: "system.paging.faults{system.paging.fault.type=major}",
        nodeExporter: "node_vmstat_pgmajfault"),
      "paged_in_bytes": Equivalent(nodeExporter: "node_vmstat_pgpgin"),
      "paged_out_bytes": Equivalent(nodeExporter: "node_vmstat_pgpgout"),
      "swapped_in_pages": Equivalent(
        openTelemetry: "system.paging.operations{system.paging.direction=in}",
        nodeExporter: "node_vmstat_pswpin"),
      "swapped_out_pages": Equivalent(
        openTelemetry: "system.paging.operations{system.paging.direction=out}",
        nodeExporter: "node_vmstat_pswpout"),
      "oom_kills": Equivalent(nodeExporter: "node_vmstat_oom_kill"),
    ],
    .pressureSample: [
      "some_total_seconds": Equivalent(
        nodeExporter: "node_pressure_<resource>_waiting_seconds_total"),
      "full_total_seconds": Equivalent(
        nodeExporter: "node_pressure_<resource>_stalled_seconds_total"),
    ],
    .pressureStall: [
      "some_total_seconds": Equivalent(
        nodeExporter: "node_pressure_<resource>_waiting_seconds_total"),
      "full_total_seconds": Equivalent(
        nodeExporter: "node_pressure_<resource>_stalled_seconds_total"),
    ],
  ]
}

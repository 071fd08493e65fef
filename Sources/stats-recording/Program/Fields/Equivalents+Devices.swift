import Records

extension Equivalent {
  /// Of interfaces, sockets, disks and sensors.
  static let devices: [RecordKind: [String: Equivalent]] = [
    .networkInterface: [
      "receive_bytes": Equivalent(
        openTelemetry: "system.network.io{network.io.direction=receive}",
        nodeExporter: "node_network_receive_bytes_total"),
      "receive_packets": Equivalent(
        openTelemetry: "system.network.packet.count{network.io.direction=receive}",
        nodeExporter: "node_network_receive_packets_total"),
      "receive_errors": Equivalent(
        openTelemetry: "system.network.errors{network.io.direction=receive}",
        nodeExporter: "node_network_receive_errs_total"),
      "receive_dropped": Equivalent(
        openTelemetry: "system.network.packet.dropped{network.io.direction=receive}",
        nodeExporter: "node_network_receive_drop_total"),
      "receive_fifo_errors": Equivalent(nodeExporter: "node_network_receive_fifo_total"),
      "receive_frame_errors": Equivalent(nodeExporter: "node_network_receive_frame_total"),
      "receive_compressed": Equivalent(nodeExporter: "node_network_receive_compressed_total"),
      "receive_multicast": Equivalent(nodeExporter: "node_network_receive_multicast_total"),
      "transmit_bytes": Equivalent(
        openTelemetry: "system.network.io{network.io.direction=transmit}",
        nodeExporter: "node_network_transmit_bytes_total"),
      "transmit_packets": Equivalent(
        openTelemetry: "system.network.packet.count{network.io.direction=transmit}",
        nodeExporter: "node_network_transmit_packets_total"),
      "transmit_errors": Equivalent(
        openTelemetry: "system.network.errors{network.io.direction=transmit}",
        nodeExporter: "node_network_transmit_errs_total"),
      "transmit_dropped": Equivalent(
        openTelemetry: "system.network.packet.dropped{network.io.direction=transmit}",
        nodeExporter: "node_network_transmit_drop_total"),
      "transmit_fifo_errors": Equivalent(nodeExporter: "node_network_transmit_fifo_total"),
      "transmit_collisions": Equivalent(nodeExporter: "node_network_transmit_colls_total"),
      "transmit_carrier_errors": Equivalent(nodeExporter: "node_network_transmit_carrier_total"),
      "transmit_compressed": Equivalent(nodeExporter: "node_network_transmit_compressed_total"),
      "state": Equivalent(
        nodeExporter: "node_network_info{operstate}"),
      "speed_bits_per_second": Equivalent(
        openTelemetry: "hw.network.bandwidth.limit", nodeExporter: "node_network_speed_bytes"),
      "carrier_changes": Equivalent(nodeExporter: "node_network_carrier_changes_total"),
    ],
    .sockets: [
      "sockets_used": Equivalent(nodeExporter: "node_sockstat_sockets_used"),
      "tcp_in_use": Equivalent(nodeExporter: "node_sockstat_TCP_inuse"),
      "tcp_orphaned": Equivalent(nodeExporter: "node_sockstat_TCP_orphan"),
      "tcp_time_wait": Equivalent(
        openTelemetry: "system.network.connection.count{network.connection.state=time_wait}",
        nodeExporter: "node_sockstat_TCP_tw"),
      "tcp_allocated": Equivalent(nodeExporter: "node_sockstat_TCP_alloc"),
      "tcp_memory_bytes": Equivalent(nodeExporter: "node_sockstat_TCP_mem_bytes"),
      "udp_in_use": Equivalent(nodeExporter: "node_sockstat_UDP_inuse"),
      "udp_memory_bytes": Equivalent(nodeExporter: "node_sockstat_UDP_mem_bytes"),
      "udplite_in_use": Equivalent(nodeExporter: "node_sockstat_UDPLITE_inuse"),
      "raw_in_use": Equivalent(nodeExporter: "node_sockstat_RAW_inuse"),
      "fragments_in_use": Equivalent(nodeExporter: "node_sockstat_FRAG_inuse"),
      "fragments_memory_bytes": Equivalent(nodeExporter: "node_sockstat_FRAG_memory"),
      "tcp6_in_use": Equivalent(nodeExporter: "node_sockstat_TCP6_inuse"),
      "udp6_in_use": Equivalent(nodeExporter: "node_sockstat_UDP6_inuse"),
      "udplite6_in_use": Equivalent(nodeExporter: "node_sockstat_UDPLITE6_inuse"),
      "raw6_in_use": Equivalent(nodeExporter: "node_sockstat_RAW6_inuse"),
      "fragments6_in_use": Equivalent(nodeExporter: "node_sockstat_FRAG6_inuse"),
      "fragments6_memory_bytes": Equivalent(nodeExporter: "node_sockstat_FRAG6_memory"),
      "tcp_active_opens": Equivalent(nodeExporter: "node_netstat_Tcp_ActiveOpens"),
      "tcp_passive_opens": Equivalent(nodeExporter: "node_netstat_Tcp_PassiveOpens"),
      "tcp_established": Equivalent(
        openTelemetry: "system.network.connection.count{network.connection.state=established}",
        nodeExporter: "node_netstat_Tcp_CurrEstab"),
      "tcp_received_segments": Equivalent(nodeExporter: "node_netstat_Tcp_InSegs"),
      "tcp_sent_segments": Equivalent(nodeExporter: "node_netstat_Tcp_OutSegs"),
      "tcp_retransmitted_segments": Equivalent(nodeExporter: "node_netstat_Tcp_RetransSegs"),
      "tcp_receive_errors": Equivalent(nodeExporter: "node_netstat_Tcp_InErrs"),
      "tcp_sent_resets": Equivalent(nodeExporter: "node_netstat_Tcp_OutRsts"),
      "udp_received_datagrams": Equivalent(nodeExporter: "node_netstat_Udp_InDatagrams"),
      "udp_sent_datagrams": Equivalent(nodeExporter: "node_netstat_Udp_OutDatagrams"),
      "udp_no_port": Equivalent(nodeExporter: "node_netstat_Udp_NoPorts"),
      "udp_receive_errors": Equivalent(nodeExporter: "node_netstat_Udp_InErrors"),
      "udp_receive_buffer_errors": Equivalent(nodeExporter: "node_netstat_Udp_RcvbufErrors"),
      "udp_send_buffer_errors": Equivalent(nodeExporter: "node_netstat_Udp_SndbufErrors"),
    ],
    .wireless: [
      "signal_dbm": Equivalent(nodeExporter: "node_wifi_station_signal_dbm"),
      "missed_beacons": Equivalent(nodeExporter: "node_wifi_station_beacon_loss_total"),
    ],
    .disk: [
      "read_count": Equivalent(
        openTelemetry: "system.disk.operations{disk.io.direction=read}",
        nodeExporter: "node_disk_reads_completed_total"),
      "read_merged_count": Equivalent(
        openTelemetry: "system.disk.merged{disk.io.direction=read}",
        nodeExporter: "node_disk_reads_merged_total"),
      "read_bytes": Equivalent(
        openTelemetry: "system.disk.io{disk.io.direction=read}",
        nodeExporter: "node_disk_read_bytes_total"),
      "read_seconds": Equivalent(
        openTelemetry: "system.disk.operation_time{disk.io.direction=read}",
        nodeExporter: "node_disk_read_time_seconds_total"),
      "write_count": Equivalent(
        openTelemetry: "system.disk.operations{disk.io.direction=write}",
        nodeExporter: "node_disk_writes_completed_total"),
      "write_merged_count": Equivalent(
        openTelemetry: "system.disk.merged{disk.io.direction=write}",
        nodeExporter: "node_disk_writes_merged_total"),
      "write_bytes": Equivalent(
        openTelemetry: "system.disk.io{disk.io.direction=write}",
        nodeExporter: "node_disk_written_bytes_total"),
      "write_seconds": Equivalent(
        openTelemetry: "system.disk.operation_time{disk.io.direction=write}",
        nodeExporter: "node_disk_write_time_seconds_total"),
      "in_progress_count": Equivalent(nodeExporter: "node_disk_io_now"),
      "busy_seconds": Equivalent(
        openTelemetry: "system.disk.io_time", nodeExporter: "node_disk_io_time_seconds_total"),
      "weighted_busy_seconds": Equivalent(nodeExporter: "node_disk_io_time_weighted_seconds_total"),
      "discard_count": Equivalent(nodeExporter: "node_disk_discards_completed_total"),
      "discard_merged_count": Equivalent(nodeExporter: "node_disk_discards_merged_total"),
      "discard_bytes": Equivalent(nodeExporter: "node_disk_discarded_sectors_total"),
      "discard_seconds": Equivalent(nodeExporter: "node_disk_discard_time_seconds_total"),
      "flush_count": Equivalent(nodeExporter: "node_disk_flush_requests_total"),
      "flush_seconds": Equivalent(nodeExporter: "node_disk_flush_requests_time_seconds_total"),
    ],
    .fileSystem: [
      "read_only": Equivalent(nodeExporter: "node_filesystem_readonly"),
      "answering": Equivalent(nodeExporter: "node_filesystem_device_error"),
      "size_bytes": Equivalent(
        openTelemetry: "system.filesystem.limit", nodeExporter: "node_filesystem_size_bytes"),
      "free_bytes": Equivalent(nodeExporter: "node_filesystem_free_bytes"),
      "available_bytes": Equivalent(
        openTelemetry: "system.filesystem.usage{system.filesystem.state=free}",
        nodeExporter: "node_filesystem_avail_bytes"),
      "inode_count": Equivalent(nodeExporter: "node_filesystem_files"),
      "free_inode_count": Equivalent(nodeExporter: "node_filesystem_files_free"),
    ],
    .thermalZone: [
      "temperature_celsius": Equivalent(
        openTelemetry: "hw.temperature", nodeExporter: "node_thermal_zone_temp")
    ],
    .sensor: [
      "value": Equivalent(
        openTelemetry: "hw.temperature, hw.voltage, hw.fan.speed, hw.power, hw.energy",
        nodeExporter:
          "node_hwmon_temp_celsius, node_hwmon_in_volts, node_hwmon_fan_rpm, node_hwmon_power_watt, node_hwmon_energy_joule_total, node_hwmon_curr_amps, node_hwmon_humidity"
      ),
      "max": Equivalent(nodeExporter: "node_hwmon_temp_max_celsius"),
      "critical_max": Equivalent(
        openTelemetry: "hw.temperature.limit{hw.limit_type=high.critical}",
        nodeExporter: "node_hwmon_temp_crit_celsius"),
      "critical_max_alarm": Equivalent(nodeExporter: "node_hwmon_temp_crit_alarm_celsius"),
    ],
    .flashWear: [
      "life_used_a_ratio": Equivalent(openTelemetry: "hw.physical_disk.endurance_utilization")
    ],
  ]
}

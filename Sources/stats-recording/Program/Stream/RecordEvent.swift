/// A record that tells of something that happened, in a few words: the records that the device's
/// programs themselves hold for events.
struct RecordEvent: Equatable, Sendable {
  enum Weight: Equatable, Sendable {
    /// Something went wrong.
    case failure
    case notice
  }

  let weight: Weight
  let words: String

  /// Errors: nil if the record is a sample.
  init?(_ record: PublishedRecord) {
    let fields = record.fields
    func word(_ name: String) -> String { fields[name]?.readable ?? "?" }
    func text(_ name: String) -> String { fields[name]?.text ?? "" }
    func isTrue(_ name: String) -> Bool { fields[name] == .boolean(true) }
    switch record.kind {
    case "core_dump":
      self.init(.failure, "\(word("comm")) dumped core, \(word("signal_name"))")
    case "process_exit":
      if isTrue("killed_by_signal") {
        self.init(.failure, "\(word("comm")) ended by signal \(word("signal"))")
      } else if let code = fields["exit_code"]?.double, code != 0 {
        self.init(.failure, "\(word("comm")) ended with status \(word("exit_code"))")
      } else {
        return nil
      }
    case "pressure_stall":
      let group = text("cgroup").isEmpty ? "" : " in \(word("cgroup"))"
      let what = "\(word("resource")) stall (\(word("scope")))\(group)"
      switch text("state") {
      case "onset": self.init(.failure, what)
      case "ongoing": return nil
      case let state: self.init(.notice, "\(what) \(state)")
      }
    case "unit_state":
      let result = text("result")
      guard text("active_state") == "failed" || !["", "success"].contains(result) else {
        return nil
      }
      self.init(.failure, "\(word("unit")) failed" + (result.isEmpty ? "" : ": \(word("result"))"))
    case "job_result":
      guard text("state") == "over",
        !["done", "canceled", "skipped", "once"].contains(text("result"))
      else { return nil }
      self.init(.failure, "job of \(word("unit")): \(word("result"))")
    case "manager_event":
      let event = text("event")
      guard !["unit_loaded", "unit_unloaded", "snapshot"].contains(event) else { return nil }
      self.init(
        ["manager_gone", "bus_gone"].contains(event) ? .failure : .notice,
        "systemd: \(event.replacing("_", with: " "))")
    case "process_lifecycle":
      let event = text("event")
      self.init(
        event == "started" ? .notice : .failure,
        "\(word("process")) \(event.replacing("_", with: " "))")
    case "accounting_state":
      let state = text("state")
      self.init(
        ["on", "resumed", "rotated"].contains(state) ? .notice : .failure,
        "process accounting \(state)")
    case "dlt_loss": self.init(.failure, "DLT messages lost: \(word("cause"))")
    case "trace_event":
      guard isTrue("notable") else { return nil }
      let process = fields["pid"] == nil ? "" : " \(text("comm")) \(word("pid"))"
      self.init(.failure, "\(word("program")): \(word("record"))\(process) \(text("fields"))")
    case "trace_loss":
      self.init(.failure, "\(word("program")): \(word("lost_count")) found no room")
    case "source_state":
      let state = text("state")
      self.init(
        state == "unavailable" ? .failure : .notice, "\(record.topic.program) \(state)")
    default: return nil
    }
  }

  private init(_ weight: Weight, _ words: String) {
    self.weight = weight
    self.words = words
  }
}

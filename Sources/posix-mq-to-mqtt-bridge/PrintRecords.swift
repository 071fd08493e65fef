import Daemon
import Linux
import Records

/// What `--print` and `--once` do: the records as the broker would get them, on standard output.
func printRecords(_ output: OutputOptions, _ log: Log) throws(SystemError) {
  var clock = RecordClock()
  var envelope = Envelope(bootID: try bootID(), clock: clock.read())
  var json = JSON()
  var loop = try ServiceLoop<Bridge.Source>()
  var queues = try Queues(prefix: output.queuePrefix)
  var buffer = [UInt8](repeating: 0, count: queues.messageSize)
  let outbox = try Outbox(byteCount: 0, messageSize: queues.messageSize)
  for index in 0..<queues.count { try loop.events.add(queues.descriptor(index), .queue(index)) }
  loop.notifier.ready("printing")
  while case .queue(let index) = try loop.next()?.source {
    guard
      case .record(let length, _) = try queues.receive(index, into: &buffer, through: outbox, log)
    else {
      continue
    }
    envelope.clock = clock.read()
    try printRecord(buffer, length, &json, envelope)
    if output.once { return }
  }
}

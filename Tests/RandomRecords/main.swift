import CLinux
import Daemon
import Linux
import Records
import TestSupport

/// Prints the topic and JSON of random records, for Tests/Tools/check_published.py: whatever a
/// program may write into its queue, as the bridge would publish it. Built like a device program, so
/// that it is their code that is tried, on every architecture.
func run() -> Int32 {
  let program: StaticString = "random-records"
  var options = Options(program)
  let seed = options.number("seed", default: 1, in: 1...Int(Int32.max), "which records")
  let count = options.number("count", default: 1000, in: 1...1_000_000_000, "how many")
  let log = Log(program)
  if let answer = options.answer("Prints random records as they would be published.") {
    return answer.tell(log)
  }
  var records = RandomRecords(seed: UInt64(seed))
  var topic = TopicLevels()
  var json = JSON()
  var output: [UInt8] = []
  for index in 0..<count {
    let bytes = records.next()
    do throws(RecordError) {
      let record = try Record(decoding: bytes, count: bytes.count)
      topic.removeAll()
      topic.append((record.kind.program ?? .cyclicSysinfo).name)
      record.appendTopic(to: &topic)
      json.write(record, records.envelope())
    } catch {
      log.error("record \(index) \(error.description)")
      return 1
    }
    output += topic.bytes
    output.append(UInt8(ascii: "\t"))
    output += json.bytes
    output.append(UInt8(ascii: "\n"))
    guard output.count > 1 << 18 || index == count - 1 else { continue }
    do throws(SystemError) { try writeToStandardOutput(output) } catch {
      log.error(error.description)
      return 1
    }
    output.removeAll(keepingCapacity: true)
  }
  return 0
}

exit(run())

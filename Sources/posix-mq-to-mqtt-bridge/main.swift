import CLinux
import CMosquitto
import Daemon
import Linux
import Records

let programName: StaticString = "posix-mq-to-mqtt-bridge"

func run() -> Int32 {
  var given = Options(programName)
  let options = BridgeOptions(&given)
  let log = Log(programName, verbose: options.output.verbose)
  if let answer = given.answer("Publishes the records of all programs to an MQTT broker.") {
    return answer.tell(log)
  }
  do throws(SystemError) {
    if options.removesQueues {
      let count = try Queues.remove(prefix: options.output.queuePrefix)
      log.information("removed \(count) queues")
      return 0
    }
    if options.output.prints {
      try printRecords(options.output, log)
      return 0
    }
    mosquitto_lib_init()
    defer { mosquitto_lib_cleanup() }
    var bridge = try Bridge(options, log)
    try bridge.run()
    return 0
  } catch {
    if error.errno == EWOULDBLOCK {
      log.error("another bridge uses \(error.subject): stop it, or give this one its own")
    } else {
      log.error(error.description)
    }
    return 1
  }
}

reportCrashes()
exit(run())

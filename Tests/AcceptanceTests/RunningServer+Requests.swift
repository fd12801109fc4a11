import Foundation
import HTTPServer
import TestSupport
import Testing

extension RunningServer {
  /// What comes back for these bytes until the server closes: the first answer.
  func answer(to request: String, on address: ListenAddress? = nil) throws -> Answer {
    let client = try Client(address ?? self.address)
    client.send(request)
    return try #require(Answer(client.read()))
  }

  /// The exit status of a server that was told to stop. One that does not end in time is killed, and the status says
  /// so.
  func end() -> Int32 {
    let start = ContinuousClock.now
    _ = log.wholeText
    if start.duration(to: .now) > .seconds(LogReader.patience - 1) { signal(SIGKILL) }
    return exit()
  }
}

extension Answer {
  /// A field's value; nil when it is absent. `name` as the server spells it.
  func field(_ name: String) -> String? {
    let line = head.components(separatedBy: "\r\n").first { $0.hasPrefix("\(name): ") }
    return line.map { String($0.dropFirst(name.count + 2)) }
  }
}

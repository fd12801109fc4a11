internal import DynamicEvents
internal import HTTPMessage

/// The field line that tells a caller when Dynamic was last heard of, so that quiet can be told from broken. Made once
/// per time, not per answer.
struct LastEventField: Sendable {
  private var time: Timestamp?
  private var line: [UInt8] = []

  mutating func line(for time: Timestamp) -> [UInt8] {
    if time == self.time { return line }
    self.time = time
    line = []
    line.append(contentsOf: "X-Revoked-Last-Event: ")
    time.append(to: &line)
    line.append(contentsOf: "\r\n")
    return line
  }
}

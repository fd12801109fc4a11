/// Writes the Prometheus text exposition format, version 0.0.4.
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var text = ""

  /// The lines that stand before a metric's samples.
  mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: some CustomStringConvertible) {
    text += name
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
    }
    text += " \(value)\n"
  }

  /// A metric that has one sample, without labels.
  mutating func only(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
    begin(name, kind, help)
    sample(name, [], value)
  }

  mutating func histogram(_ name: String, _ help: String, _ snapshot: Histogram.Snapshot) {
    begin(name, .histogram, help)
    for (bound, count) in snapshot.buckets { sample(name + "_bucket", [("le", "\(bound)")], count) }
    sample(name + "_bucket", [("le", "+Inf")], snapshot.count)
    sample(name + "_sum", [], snapshot.sum)
    sample(name + "_count", [], snapshot.count)
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}

/// Writes metrics as text for Prometheus.
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  enum Format {
    /// Prometheus' own text format, version 0.0.4.
    case prometheus
    /// OpenMetrics 1.0: a counter's name lacks the `_total` of its samples, and the last line says that it is all.
    case openMetrics
  }

  let format: Format
  private(set) var text = ""

  init(_ format: Format) {
    self.format = format
  }

  mutating func end() {
    if format == .openMetrics { text += "# EOF\n" }
  }

  /// The lines that stand before a metric's samples.
  mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    let isShorter = format == .openMetrics && kind == .counter && name.hasSuffix("_total")
    let family = isShorter ? name.dropLast("_total".count) : name[...]
    text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
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

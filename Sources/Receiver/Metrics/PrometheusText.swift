internal import Foundation
internal import Glibc

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

/// The process as the kernel sees it, under the names that Prometheus' own client libraries use. What the kernel does
/// not tell, as without /proc, is left out.
enum ProcessMetrics {
  static func add(to page: inout PrometheusText) {
    page.only("process_cpu_seconds_total", .counter, "Processor time, of user and system.", cpuSeconds)
    if let pages = word(1, of: "/proc/self/statm") {
      page.only(
        "process_resident_memory_bytes", .gauge, "Memory in use, in the processor's pages.",
        pages * Double(sysconf(Int32(_SC_PAGESIZE))))
    }
    if let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      // One of them is the listing's own.
      page.only("process_open_fds", .gauge, "Open file descriptors.", descriptors.count - 1)
    }
    if let limit = descriptorLimit {
      page.only("process_max_fds", .gauge, "The limit on open file descriptors.", limit)
    }
    if let startTime { page.only("process_start_time_seconds", .gauge, "When the process began.", startTime) }
  }

  private static var cpuSeconds: Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

  private static var descriptorLimit: UInt64? {
    var limit = rlimit()
    // The pointer lives for the call.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return UInt64(limit.rlim_cur)
  }

  /// The kernel counts from the machine's start, in ticks. Asked once, because a clock that is set later would move it.
  private static let startTime: Double? = {
    // Behind the program's name, which may hold anything, the 20th.
    guard let ticks = word(19, of: "/proc/self/stat", behind: ") ") else { return nil }
    let age = seconds(CLOCK_BOOTTIME) - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    return seconds(CLOCK_REALTIME) - max(0, age)
  }()

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    // The pointer lives for the call.
    unsafe _ = clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func word(_ index: Int, of path: String, behind marker: String = "") -> Double? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    var text = Substring(String(decoding: data, as: UTF8.self))
    if !marker.isEmpty {
      guard let end = text.ranges(of: marker).last?.upperBound else { return nil }
      text = text[end...]
    }
    let words = text.split(separator: " ")
    return words.indices.contains(index) ? Double(words[index]) : nil
  }
}

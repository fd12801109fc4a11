import Dispatch
import Glibc
import Logging
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct LogSinkTests {
  private let pipe = LogPipe()
  private let sink: LogSink

  init() {
    sink = LogSink(descriptor: pipe.writeEnd, format: .text, level: .info)
  }

  private func append(_ line: String, urgent: Bool = false) {
    sink.append(Array("\(line)\n".utf8), urgent: urgent)
  }

  @Test func `A line that waits is written by the tick`() {
    append("one")
    append("two")
    #expect(pipe.read(upTo: "two\n") == "one\ntwo\n")
    append("three")
    #expect(pipe.read(upTo: "three\n") == "three\n")
  }

  @Test func `An urgent line takes the waiting ones along`() {
    append("one")
    append("two", urgent: true)
    #expect(pipe.read(upTo: "two\n") == "one\ntwo\n")
  }

  @Test func `A flush returns when all is written`() async {
    append("one")
    #expect(sink.flush())
    #expect(pipe.read() == Array("one\n".utf8))
    append("two")
    await sink.flushed()
    #expect(pipe.read() == Array("two\n".utf8))
    #expect(sink.flush())
    #expect(sink.lostLines == 0)
  }

  @Test func `Lines of many threads stay whole and none is missing`() {
    let reader = DispatchQueue(label: "reader")
    let text = Slot()
    let done = DispatchGroup()
    reader.async(group: done) { text.value = pipe.read(upTo: "end\n") }
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for line in 0..<500 { append("\(thread) \(line) " + String(repeating: "x", count: 20)) }
    }
    append("end", urgent: true)
    done.wait()
    let lines = text.value.split(separator: "\n").dropLast()
    #expect(lines.count == 4_000)
    #expect(Set(lines).count == 4_000)
    #expect(lines.allSatisfy { $0.hasSuffix(" " + String(repeating: "x", count: 20)) })
  }

  @Test(arguments: [false, true])
  func `Nobody reads: the caller goes on, and what did not fit is told when somebody does`(nonBlocking: Bool) {
    if nonBlocking { _ = fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK) }
    let line = String(repeating: "x", count: 1_023)
    // Twice what sink and pipe hold together.
    let appended = 2 * (LogSink.capacity + (1 << 16)) / 1_024
    for _ in 0..<appended { append(line) }
    #expect(!sink.flush(within: .milliseconds(1)))
    let dropped = sink.lostLines
    #expect(dropped > 0)

    // The writer may have told of some before it was blocked, so the news can come in parts.
    var text = ""
    while Self.told(text) < dropped, case let more = pipe.read(), !more.isEmpty {
      text += String(decoding: more, as: UTF8.self)
    }
    #expect(Self.told(text) == dropped)
    #expect(text.split(separator: "\n").count { $0 == line } == appended - dropped)

    append("after")
    #expect(pipe.read(upTo: "after\n") == "after\n")
    #expect(sink.lostLines == dropped)
  }

  @Test func `A closed reader costs the lines and nothing else`() {
    let descriptor = Self.descriptorWithoutReader()
    defer { close(descriptor) }
    let sink = LogSink(descriptor: descriptor, format: .json, level: .info)
    for _ in 0..<3 {
      sink.append(Array("gone\n".utf8), urgent: true)
      #expect(sink.flush())
    }
    #expect(sink.lostLines == 3)
  }

  @Test func `A closed descriptor costs the lines and nothing else`() {
    let sink = LogSink(descriptor: -1, format: .json, level: .info)
    sink.append(Array("gone\n".utf8), urgent: true)
    #expect(sink.flush())
    #expect(sink.lostLines == 1)
  }

  @Test func `A full disk costs the lines, and the next block is tried`() {
    // The path is a literal that lives for the call.
    let full = unsafe open("/dev/full", O_WRONLY)
    defer { close(full) }
    let sink = LogSink(descriptor: full, format: .text, level: .info)
    sink.append(Array("a\nb\n".utf8), urgent: false)
    #expect(sink.flush())
    #expect(sink.lostLines == 2)
    // The same descriptor with room again: what was lost is told first.
    _ = dup2(pipe.writeEnd, full)
    sink.append(Array("c\n".utf8), urgent: false)
    #expect(sink.flush())
    let lines = pipe.read(upTo: "dropped=2\n").split(separator: "\n")
    #expect(lines.first == "c")
    #expect(lines.last?.hasSuffix("dropped=2") == true)
  }

  /// The sum of what whole lines tell of dropped ones.
  private static func told(_ text: String) -> Int {
    text.matches(of: /dropped=([0-9]+)\n/).compactMap { Int($0.output.1) }.reduce(0, +)
  }

  private static func descriptorWithoutReader() -> Int32 {
    let pipe = LogPipe()
    return dup(pipe.writeEnd)
  }

  private final class Slot: @unchecked Sendable {
    // Sendable: written by one queue, read after its group was waited for.
    var value = ""
  }
}

import Dispatch
import RevocationStore
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Many deliveries of one event at once", .timeLimit(.minutes(5)))
struct CopiesTests {
  @Test func `of a hundred, one is accepted, 99 are duplicates, and one row is stored`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let sent = Load.Sent()
    let request = try Load.request(sent)
    // All but the last byte is there beforehand, so that they become whole at once.
    nonisolated(unsafe) let clients = try (0..<100).map { _ in
      let client = try Client(server.address)
      client.send(String(request.dropLast()))
      return client
    }
    let answers = Mutex<[String]>([])
    unsafe DispatchQueue.concurrentPerform(iterations: clients.count) { number in
      // Each number's client is used here only.
      unsafe clients[number].send("}")
    }
    for client in unsafe clients {
      let answer = try #require(Answer(client.read(until: "}")))
      #expect(answer.status == 200)
      answers.withLock { $0.append(answer.body) }
    }
    #expect(answers.withLock { $0.count { $0 == #"{"status":"accepted"}"# } } == 1)
    #expect(answers.withLock { $0.count { $0 == #"{"status":"duplicate"}"# } } == 99)
    #expect(try Audit(server).refused([sent]) == [sent])
    let tally = try RevocationStore(data: server.folder.data, mode: .inspect).tally()
    #expect(tally.events == 1)
    #expect(tally.revocations == 1)
    #expect(tally.lastEvent == 1)
  }
}

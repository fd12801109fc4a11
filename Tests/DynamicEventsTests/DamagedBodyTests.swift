import TestSupport
import Testing

@testable import DynamicEvents

@Suite("Damaged bodies", .timeLimit(.minutes(2)))
struct DamagedBodyTests {
  @Test(arguments: Vector.all)
  func `A vector cut at any byte is undecodable and never traps`(vector: Vector) {
    for end in 0..<vector.body.count {
      let body = Array(vector.body.prefix(end))
      let error = #expect(throws: UndecodableReason.self) { try EventOutline(body) }
      guard case .notJSON = error else {
        Issue.record("cut at \(end): \(String(describing: error))")
        continue
      }
    }
  }

  @Test(arguments: Vector.all)
  func `A vector with any byte replaced never traps, and both decoders agree`(vector: Vector) {
    for position in vector.body.indices {
      for byte: UInt8 in [0x00, 0x0A, 0x22, 0x2C, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x75, 0x7B, 0x7D, 0x80, 0xE2, 0xFF] {
        var body = vector.body
        body[position] = byte
        let outline = Result { () throws(UndecodableReason) in try EventOutline(body) }
        let event = Result { () throws(UndecodableReason) in try Event(body: body) }
        switch (outline, event) {
        case (.success(let outline), .success(let event)):
          let name = outline.eventName.text(in: body.span)
          #expect(event.envelope.eventName == name && event.body == body)
        case (.failure(let left), .failure(let right)): #expect(left == right)
        default: Issue.record("byte \(byte) at \(position)")
        }
      }
    }
  }

  @Test(arguments: Vector.all)
  func `A vector with any byte left out or doubled never traps`(vector: Vector) {
    for position in vector.body.indices {
      var shorter = vector.body
      let byte = shorter.remove(at: position)
      var longer = vector.body
      longer.insert(byte, at: position)
      for body in [shorter, longer] {
        let outline = try? EventOutline(body)
        let event = try? Event(body: body)
        #expect((outline == nil) == (event == nil))
      }
    }
  }
}

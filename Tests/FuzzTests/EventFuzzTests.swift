import DynamicEvents
import Foundation
import Testing

@Suite("Fuzzing the decoder of events", .timeLimit(.minutes(5)))
struct EventFuzzTests {
  @Test func `Whatever a body holds, it is taken or refused as by Foundation, and every field is the same`() {
    FuzzRun.inputs(20_000) { random in
      let body = EventText.body(&random)
      return (body, EventCheck.violation(body))
    }
  }

  @Test(arguments: JSONDifference.allCases)
  func `The documented differences from Foundation exist`(difference: JSONDifference) {
    let body = difference.example
    let isJSON = (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil
    var error: JSONError?
    do throws(JSONError) { try JSONReader.validate(body.span) } catch let found { error = found }
    #expect((error == nil) != isJSON)
    #expect(JSONDifference.explains(body, ours: error))
  }
}

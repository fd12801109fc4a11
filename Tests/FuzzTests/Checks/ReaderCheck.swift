import HTTPMessage

/// What must hold of `RequestReader` for any bytes whatsoever, cut at any places.
enum ReaderCheck {
  /// A promise that was broken, as a sentence.
  struct Violation: Error { let text: String }

  /// Small ones are reached by small inputs: without them no mutation would ever be too large.
  static let allLimits: [MessageLimits] = {
    var small = MessageLimits()
    small.headBytes = 128
    small.bodyBytes = 32
    return [MessageLimits(), small]
  }()

  /// What is wrong with the reading of `input`: whole, at two random cuttings, and byte by byte when it is short.
  static func violation(_ input: [UInt8], limits: MessageLimits, _ random: inout SplitMix) -> String? {
    var cuttings = [cuts(of: input.count, &random), cuts(of: input.count, &random)]
    if input.count <= 256 { cuttings.append(Array(0...input.count)) }
    do throws(Violation) {
      let whole = try outcomes(input, cuts: [0, input.count], limits)
      for cuts in cuttings {
        let pieces = try outcomes(input, cuts: cuts, limits)
        if pieces != whole { return "whole it is \(whole), cut at \(cuts) it is \(pieces)" }
      }
      return nil
    } catch {
      return error.text
    }
  }

  /// Sorted, from 0 to `count`.
  private static func cuts(of count: Int, _ random: inout SplitMix) -> [Int] {
    let inner = (0..<random.below(8)).map { _ in random.below(count + 1) }
    return ([0, count] + inner).sorted()
  }

  /// Reads the pieces one after another as a connection would, and holds the reader to what it says of each step.
  private static func outcomes(
    _ input: [UInt8], cuts: [Int], _ limits: MessageLimits
  ) throws(Violation) -> [ReaderOutcome] {
    var reader = RequestReader(limits: limits)
    var head = RequestHead()
    var outcomes: [ReaderOutcome] = []
    var isInBody = false
    for (start, end) in zip(cuts, cuts.dropFirst()) {
      var offset = start
      while offset < end {
        let rest = Array(input[offset..<end])
        let step: (consumed: Int, event: RequestReader.Event)
        do throws(RequestError) {
          step = try reader.next(rest.span, head: &head)
        } catch {
          return outcomes + [.refused(error)]
        }
        // Less than one byte would be an endless loop: the server calls again with the same bytes.
        guard (1...rest.count).contains(step.consumed) else {
          throw Violation(text: "\(step.consumed) of \(rest.count) bytes consumed at \(offset)")
        }
        offset += step.consumed
        guard reader.storage.count <= limits.headBytes + 1 + limits.bodyBytes else {
          throw Violation(text: "\(reader.storage.count) bytes stored at \(offset)")
        }
        switch step.event {
        case .needsMore:
          guard step.consumed == rest.count else { throw Violation(text: "wants more, but left bytes at \(offset)") }
        case .head:
          guard !isInBody, head.byteCount <= limits.headBytes else {
            throw Violation(text: "a second head at \(offset)")
          }
          isInBody = true
        case .tooLarge:
          guard !isInBody else { throw Violation(text: "a second head at \(offset)") }
          return outcomes + [.refused(.contentTooLarge)]
        case .request(let body, let inStorage):
          let bytes = inStorage ? reader.storage : Array(rest[..<step.consumed])
          guard body.count <= limits.bodyBytes, body.upperBound == bytes.count,
            let request = ReaderOutcome.Request(head, bytes: bytes, body: body)
          else { throw Violation(text: "the request before \(offset) lies outside its bytes") }
          outcomes.append(.request(request))
          isInBody = false
          reader.finish()
          guard reader.isEmpty else { throw Violation(text: "bytes are left of a finished request at \(offset)") }
        }
      }
    }
    return reader.isEmpty ? outcomes : outcomes + [.incomplete]
  }
}

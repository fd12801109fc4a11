internal import Foundation

/// A stored body for machines: as it came if it is text, else in base64.
struct BodyText: Encodable {
  private enum CodingKeys: CodingKey {
    case body, bodyBase64
  }

  let bytes: [UInt8]

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if let text = String(validating: bytes, as: UTF8.self) {
      try container.encode(text, forKey: .body)
    } else {
      try container.encode(Data(bytes).base64EncodedString(), forKey: .bodyBase64)
    }
  }

  /// For people: what is no text shows as U+FFFD.
  var visible: String { String(decoding: bytes, as: UTF8.self).visible(keepingLines: true) }
}

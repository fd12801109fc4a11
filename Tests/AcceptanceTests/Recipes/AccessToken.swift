import Foundation

/// A JWT as Dynamic's, signed by nobody: revoked does not check that, the application does.
struct AccessToken {
  let text: String

  init(sid: String, originalSid: String? = nil) {
    let original = originalSid.map { #","originalSid":"\#($0)""# } ?? ""
    let parts = [
      #"{"alg":"RS256","typ":"JWT","kid":"1"}"#,
      #"{"iss":"app.dynamic.xyz/1","sub":"44444444-4444-4444-8444-444444444444","sid":"\#(sid)"\#(original),"#
        + #""exp":4102444800}"#,
      "not a signature",
    ]
    text = parts.map { Self.base64URL(Array($0.utf8)) }.joined(separator: ".")
  }

  var field: String { "Authorization: Bearer \(text)" }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}

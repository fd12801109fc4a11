import Handlers
import Testing

@Suite(.timeLimit(.minutes(1))) struct WebhookSecretTests {
  @Test(
    arguments: [
      ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", nil), ("whsec_AAAAAAAAAAAAAAAAAAAAAA==", nil),
      ("whsec_AAAAAAAAAAAAAAAAAAAAAA", nil), ("whsec_AAAAAAAAAAAAAAAAAAAA", .tooShort(bytes: 15)),
      ("whsec_", .tooShort(bytes: 0)), ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .form), ("", .form),
      ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", .form), ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", .form),
    ] as [(String, WebhookSecretError?)])
  func `A secret is whsec_ and the base64 of 16 bytes or more, padded or not`(
    text: String, expected: WebhookSecretError?
  ) {
    var found: WebhookSecretError?
    do throws(WebhookSecretError) { _ = try WebhookSecret(text) } catch { found = error }
    #expect(found == expected)
  }
}

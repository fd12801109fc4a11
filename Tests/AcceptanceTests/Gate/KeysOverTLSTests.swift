import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Keys that are fetched over TLS", .timeLimit(.minutes(5)))
struct KeysOverTLSTests {
  @Test func `come only from a server whose certificate is of an authority of tls.ca-file`() throws {
    let key = try SigningKey("k1")
    let keySet = #"{"keys":[\#(try key.jwk())]}"#
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(keySet.utf8.count)\r\n\r\n\(keySet)"
    let folder = try TemporaryFolder()
    let answers = try folder.write(EndpointAnswers.line(Array(answer.utf8), [:]), to: "answers")
    let endpoint = try Endpoint(["--tls", "127.0.0.1", "--answers", answers])
    var settings = [
      "DYNAMIC_ENVIRONMENT_ID": KeyRotationTests.environment, "REVOKED_FORWARD_AUTH_VERIFY": "true",
      "REVOKED_FORWARD_AUTH_JWKS_URL": "https://127.0.0.1:\(endpoint.port)/jwks",
    ]
    let token = try KeyRotationTests.token(key)

    let untrusting = try RunningServer(in: TemporaryFolder(), environment: settings)
    #expect(untrusting.log.wait { $0.contains("the environment's keys cannot be fetched") })
    #expect(try untrusting.get("/readyz").status == 503)
    #expect(try untrusting.get("/v1/forward-auth", fields: token).status == 503)

    settings["REVOKED_TLS_CA_FILE"] = endpoint.authority
    let trusting = try RunningServer(in: TemporaryFolder(), environment: settings)
    #expect(try eventually { try trusting.get("/readyz").status == 200 })
    #expect(try trusting.get("/v1/forward-auth", fields: token).status == 200)
  }
}

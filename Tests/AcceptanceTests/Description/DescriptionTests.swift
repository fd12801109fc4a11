import Foundation
import HTTPServer
import TestSupport
import Testing

@Suite("Config's description of the HTTP interface", .timeLimit(.minutes(8)))
struct DescriptionTests {
  private let token = ForwardAuthRecipeTests.token

  private func passes(_ result: Executable.Result, operations: Int) {
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("Tested: \(operations)\n"), "\(result.output)")
  }

  @Test func `the private listener answers as it is described, with a private token and without one`() async throws {
    try await together([true, false], askPrivate)
  }

  private func askPrivate(hasToken: Bool) throws {
    let environment = hasToken ? ["REVOKED_PRIVATE_TOKEN": token] : [:]
    let server = try RunningServer(in: TemporaryFolder(), environment: environment)
    let operations = try Description().operations.count { $0.tag == "private" }
    let fields = hasToken ? ["--header", "X-Revoked-Token: \(token)"] : []
    passes(try Schemathesis.run("private", at: server.privateAddress, fields), operations: operations)
    #expect(try server.get("/livez").status == 200)
  }

  @Test func `the public listener answers as it is described, signed and not`() async throws {
    try await together([true, false], askPublic)
  }

  private func askPublic(signs: Bool) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let operations = try Description().operations.count { $0.tag == "public" }
    // What is signed is never refused for its content.
    let checks = signs ? ["--exclude-checks", "negative_data_rejection"] : []
    passes(try Schemathesis.run("public", at: server.address, signs: signs, checks), operations: operations)
    let accepted = try server.metric(#"revoked_webhooks_total{event="user.session.revoked",outcome="accepted"}"#) ?? 0
    #expect((accepted > 0) == signs)
  }
}

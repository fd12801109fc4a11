import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct ConfigurationEnvironmentTests {
  @Test(arguments: Settings.keys.map(\.name).filter { $0 != "secrets" })
  func `Every key has its variable`(name: String) {
    let values = ConfigurationEnvironment([environmentName(of: name): "x"]).values
    #expect(values == [name: .text("x", .environment(environmentName(of: name)))])
  }

  @Test(arguments: [
    ("REVOKED_HANDLERS_AUDIT_KIND", "handlers.audit.kind"),
    ("REVOKED_HANDLERS_AUDIT_SECRET", "handlers.audit.secret"),
    ("REVOKED_HANDLERS_AUDIT_SECRET_FILE", "handlers.audit.secret-file"),
    ("REVOKED_HANDLERS_MY_LONG_NAME_MAX_ATTEMPTS", "handlers.my-long-name.max-attempts"),
    ("REVOKED_HANDLERS_KIND_KIND", "handlers.kind.kind"), ("REVOKED_HANDLERS_7_URL", "handlers.7.url"),
  ])
  func `A handler's variable ends in the longest key that there is`(variable: String, key: String) throws {
    #expect(try ConfigurationNames.key(ofVariable: variable) == key)
  }

  @Test(arguments: [
    "REVOKED_", "REVOKED_LIMIT_BODY", "REVOKED_LOG", "REVOKED_HANDLERS_KIND", "REVOKED_HANDLERS__KIND",
    "REVOKED_HANDLERS_AUDIT", "REVOKED_HANDLERS_audit_KIND", "REVOKED_HANDLERS_A.B_KIND", "REVOKED_listen",
    "REVOKED_SERVICE_NAME", "REVOKED_PORTS", "REVOKED_PRIVATE_PORT",
  ])
  func `A variable that sets nothing is a problem`(variable: String) {
    let problems = ConfigurationEnvironment([variable: "1"]).problems
    #expect(problems.map(\.key) == [variable])
  }

  @Test func `What handlers hand to their children and what Kubernetes injects is nobody's mistake`() {
    let environment = Dictionary(
      uniqueKeysWithValues: [
        "REVOKED_CONFIG", "REVOKED_EVENT_ID", "REVOKED_EVENT_NAME", "REVOKED_SESSION_ID", "REVOKED_SERVICE_HOST",
        "REVOKED_SERVICE_PORT", "REVOKED_SERVICE_PORT_HTTP", "REVOKED_PORT", "REVOKED_PORT_8080_TCP",
        "REVOKED_PORT_8080_TCP_ADDR", "REVOKED_PRIVATE_SERVICE_HOST", "REVOKED_PRIVATE_SERVICE_PORT",
        "REVOKED_PRIVATE_PORT", "REVOKED_PRIVATE_PORT_8081_TCP_PROTO", "PATH", "REVOKEDX",
      ].map { ($0, "tcp://10.0.0.1:80") })
    let read = ConfigurationEnvironment(environment)
    #expect(read.problems.isEmpty)
    #expect(read.values.isEmpty)
  }
}

import Foundation
import TestSupport
import Testing

@Suite("Config's files for Prometheus, as its own tool reads them", .timeLimit(.minutes(5)))
struct PrometheusTests {
  let folder = Repository.root.appending(path: "Config/prometheus").path

  @Test func `promtool finds nothing to say of the metrics page`() throws {
    let page = try MetricsPageText()
    let result = try Promtool.run("check", "metrics", input: page.text, in: TemporaryFolder())
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    // It reads nothing as gladly.
    #expect(page.sampleNames.count > 14)
  }

  @Test func `the alert rules and the scrape configuration are valid`() throws {
    for arguments in [("rules", "revoked.rules.yml"), ("config", "prometheus.yml")] {
      let result = try Promtool.run("check", arguments.0, "--lint=all", "--lint-fatal", "\(folder)/\(arguments.1)")
      #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
  }

  @Test func `each alert is raised when it should be, and none otherwise`() throws {
    let tests = "\(folder)/revoked.rules.test.yml"
    let result = try Promtool.run("test", "rules", tests)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    let rules = try Recipe.text(of: "prometheus/revoked.rules.yml")
    let tested = try String(contentsOfFile: tests, encoding: .utf8)
    let alerts = rules.matches(of: /- alert: (\w+)/).map { String($0.output.1) }
    #expect(alerts.count > 5)
    for alert in alerts { #expect(tested.contains(alert), "\(alert) has no test") }
  }

  @Test func `every metric that the rules name is on the metrics page`() throws {
    let named = MetricsPageText.names(in: try Recipe.text(of: "prometheus/revoked.rules.yml"))
    #expect(named.count > 5)
    #expect(try named.subtracting(MetricsPageText().sampleNames) == MetricsPageText.ofPostgreSQL)
  }
}

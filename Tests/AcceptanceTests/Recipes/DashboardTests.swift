import Foundation
import TestSupport
import Testing

@Suite("Config's Grafana dashboard", .timeLimit(.minutes(5)))
struct DashboardTests {
  struct Dashboard: Decodable {
    let uid: String
    let title: String
    let schemaVersion: Int
    let templating: Templating
    let panels: [Panel]
  }

  struct Templating: Decodable {
    let list: [Variable]
  }

  struct Variable: Decodable {
    let name: String
  }

  struct Panel: Decodable {
    let id: Int
    let type: String
    let title: String
    let gridPos: Place
    let targets: [Target]
  }

  struct Place: Decodable {
    let x: Int
    let y: Int
    let w: Int
    let h: Int

    func overlaps(_ other: Place) -> Bool {
      x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h
    }
  }

  struct Target: Decodable {
    let refId: String
    let expr: String
  }

  let dashboard: Dashboard
  var expressions: [String] { dashboard.panels.flatMap { $0.targets.map(\.expr) } }

  init() throws {
    dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(Recipe.text(of: "grafana/revoked.json").utf8))
  }

  @Test func `it has what Grafana imports, and its panels have a place each`() {
    #expect(dashboard.uid == "revoked" && !dashboard.title.isEmpty && dashboard.schemaVersion >= 36)
    #expect(dashboard.panels.count > 10)
    #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count)
    for (index, panel) in dashboard.panels.enumerated() {
      #expect(["stat", "timeseries"].contains(panel.type) && !panel.title.isEmpty && !panel.targets.isEmpty)
      #expect(Set(panel.targets.map(\.refId)).count == panel.targets.count)
      #expect(panel.gridPos.x + panel.gridPos.w <= 24)
      for other in dashboard.panels[..<index] { #expect(!panel.gridPos.overlaps(other.gridPos), "\(panel.title)") }
    }
  }

  @Test func `every metric of the page is shown, and nothing that is not there`() throws {
    let named = MetricsPageText.names(in: expressions.joined(separator: "\n"))
    let there = try MetricsPageText().sampleNames
    #expect(named.subtracting(there) == [])
    // Of a histogram, the buckets are enough.
    #expect(there.subtracting(named).filter { !$0.hasSuffix("_sum") && !$0.hasSuffix("_count") } == [])
  }

  @Test func `Prometheus understands every expression, and every variable in them is defined`() throws {
    let folder = try TemporaryFolder()
    var rules = "groups:\n  - name: dashboard\n    rules:\n"
    for (index, expression) in expressions.enumerated() {
      let plain = expression.replacing("$__rate_interval", with: "5m").replacing("$instance", with: ".*")
      #expect(!plain.contains("$"), "\(expression)")
      rules += "      - record: panel:\(index)\n        expr: |-\n          \(plain)\n"
    }
    let result = try Promtool.run("check", "rules", try folder.write(rules, to: "rules.yml"))
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(dashboard.templating.list.map(\.name) == ["datasource", "instance"])
  }
}

import Foundation
import TestSupport
import Testing

/// What the program has and what its documents name are the same: nothing is missing in either.
@Suite("Routes, metrics, keys, commands and reasons", .timeLimit(.minutes(5)))
struct VocabularyTests {
  private func article(_ name: String) throws -> String {
    let url = Repository.root.appending(path: "Sources/Receiver/Receiver.docc/\(name).md")
    return try String(contentsOf: url, encoding: .utf8)
  }

  private func readme() throws -> String {
    try String(contentsOf: Repository.root.appending(path: "README.md"), encoding: .utf8)
  }

  /// What stands in code spans in the first column of the tables.
  private func firstColumn(_ text: Substring) -> Set<String> {
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }
    let cells = rows.compactMap { $0.split(separator: "|").first }
    return Set(cells.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.output.1) } })
  }

  /// The literals in the source that a request's path is held against: whole ones, and those that it begins with.
  private func routesInSource() throws -> (whole: Set<String>, prefixes: Set<String>) {
    let sources = Repository.root.appending(path: "Sources/Receiver")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
    var routes: (whole: Set<String>, prefixes: Set<String>) = (["/webhooks/dynamic"], [])
    for file in try #require(files) where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      routes.whole.formUnion(text.matches(of: /equals\("(\/[^"]*)"\)/).map { String($0.output.1) })
      routes.prefixes.formUnion(text.matches(of: /hasPrefix\("(\/[^"]*)"\)/).map { String($0.output.1) })
    }
    return routes
  }

  @Test func `every route of the code is described, and every route that is described is in the code`() throws {
    let inSource = try routesInSource()
    let described = try Description().paths
    for prefix in inSource.prefixes { #expect(described.contains { $0.hasPrefix(prefix) }, "\(prefix)") }
    // Those with a parameter, and forward-auth, which takes any path below it.
    let beyond = described.subtracting(inSource.whole)
    #expect(inSource.whole.isSubset(of: described))
    for path in beyond { #expect(inSource.prefixes.contains(path.replacing(/\{.*/, with: "")), "\(path)") }
  }

  @Test func `GET / and the article list the routes that are described, and README none that is not`() throws {
    let description = try Description()
    let index = try RunningServer(in: TemporaryFolder()).get("/").body
    let listed = Set(index.matches(of: /(?m)^([A-Z]+ \/\S*)$/).map { String($0.output.1) })
    let operations = description.operations.filter { $0.tag == "private" && $0.path != "/" }
    #expect(listed == Set(operations.map { "\($0.method) \($0.path)" }))
    let interface = try article("HTTPInterface")
    let table = { (text: String, heading: String) in
      let sections = text.split(separator: "\n## ").filter { $0.hasPrefix(heading) }
      let cells = sections.reduce(into: Set<String>()) { $0.formUnion(firstColumn($1)) }
      return Set(cells.compactMap { $0.prefixMatch(of: /(?:[A-Z]+ )?(\/[^\s?]*)/).map { String($0.output.1) } })
    }
    let inArticle = table(interface, "Public listener").union(table(interface, "Private listener"))
    #expect(inArticle.union(["/webhooks/dynamic"]) == description.paths)
    #expect(table(try readme(), "Routes").subtracting(description.paths) == [])
  }

  @Test func `the article on metrics names what GET /metrics has, with its labels`() throws {
    let page = try MetricsPageText().text
    var onPage: [String: Set<String>] = [:]
    for match in page.matches(of: /(?m)^# TYPE (\w+)\b/) { onPage[String(match.output.1)] = [] }
    for match in page.matches(of: /(?m)^(\w+)\{([^}]*)\}/) {
      let name = String(match.output.1).replacing(/_bucket$/, with: "")
      let labels = match.output.2.matches(of: /(\w+)="/).map { String($0.output.1) }
      onPage[name, default: []].formUnion(Set(labels).subtracting(["le"]))
    }
    var inArticle: [String: Set<String>] = [:]
    for cell in try firstColumn(article("Metrics")[...]) {
      let parts = cell.split { "{,}".contains($0) }.map(String.init)
      inArticle[parts[0]] = Set(parts.dropFirst())
    }
    // A refusal for its form has not occurred here, so its label is not on the page.
    #expect(onPage.removeValue(forKey: "revoked_refused_deliveries_total") != nil)
    #expect(inArticle.removeValue(forKey: "revoked_refused_deliveries_total") == ["code"])
    for name in MetricsPageText.ofPostgreSQL { #expect(inArticle.removeValue(forKey: name) == []) }
    #expect(onPage == inArticle)
  }

  @Test func `the article on configuration names every key, and README none that is not there`() throws {
    let shown = try Executable.run(["config", "show"])
    let keys = Set(shown.output.matches(of: /(?m)^([a-z.-]+) =/).map { String($0.output.1) })
    #expect(keys.count > 20, "\(shown.errors)")
    let text = try article("Configuration")
    let table = try #require(text.split(separator: "\n## ").first { $0.hasPrefix("Keys") })
    #expect(firstColumn(table) == keys.union(["handlers.NAME.*"]))
    let readmeTable = try #require(readme().split(separator: "\n## ").first { $0.hasPrefix("The keys that matter") })
    #expect(firstColumn(readmeTable).subtracting(keys) == [])
  }

  @Test func `the article on commands names every command, and README none that is not there`() throws {
    let readmeTable = try #require(readme().split(separator: "\n## ").first { $0.hasPrefix("Commands") })
    let text = try article("Commands")
    let table = try #require(text.split(separator: "\n## ").first { $0.hasPrefix("Overview") })
    let commands = try subcommands(of: [])
    let named = { (cells: Set<String>) in Set(cells.map { String($0.prefix { $0 != " " }) }) }
    #expect(named(firstColumn(readmeTable)).subtracting(commands) == [])
    #expect(named(firstColumn(table)) == commands)
    for command in commands {
      for subcommand in try subcommands(of: [command]) {
        #expect(table.contains("`\(command) \(subcommand)"), "\(command) \(subcommand)")
      }
    }
  }

  private func subcommands(of path: [String]) throws -> Set<String> {
    let help = try Executable.run(path + ["--help"]).output
    guard let list = help.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first else { return [] }
    return Set(list.matches(of: /(?m)^  ([a-z-]+)(?: \(default\))?(?: |$)/).map { String($0.output.1) })
  }

  @Test func `the reasons of X-Revoked-Reason are the same in the metrics, the description and the article`() throws {
    let page = try MetricsPageText().text
    let counted = Set(page.matches(of: /forward_auth_refused_total\{reason="([a-z-]+)"\}/).map { String($0.output.1) })
    #expect(try Description().values(of: "Reason") == counted)
    let text = try article("HTTPInterface")
    let table = try #require(
      text.split(separator: "| reason | meaning |").dropFirst().first?.split(separator: "\n\n").first)
    #expect(firstColumn(table) == counted)
  }
}
